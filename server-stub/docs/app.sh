#!/usr/bin/env bash
# An "app" of nothing but curl and openssl, as docs/api.md says:
#   app.sh register FOLDER SERVER USER PASSWORD NAME    registers a token; the SMS code is read from standard input
#   app.sh enroll   FOLDER LINK NAME                    the same with an enrollment link (https://SERVER/enroll/..)
#   app.sh sign-in  FOLDER SERVER USER PASSWORD         prints a session
# FOLDER keeps the app's key and its token. STEP=1 takes the next code, for where the present one is used up.
set -euo pipefail
verb=$1 folder=$2 server=$3
# json TEXT: as it stands between the quotes of a JSON string (RFC 8259, section 7).
json() {
    local text=${1//\\/\\\\} number control escaped
    text=${text//\"/\\\"}
    for number in {1..31}; do
        printf -v escaped '\\u%04x' "$number"
        printf -v control "\\x${escaped:4}"
        text=${text//"$control"/"$escaped"}
    done
    printf %s "$text"
}
if [[ $verb == enroll ]]; then
    who=$(printf '"link":"%s"' "$(json "${server##*/enroll/}")") server=${server%/enroll/*} name=${4:-app.sh}
else
    user=$4 password=$5 name=${6:-app.sh}
    who=$(printf '"username":"%s","password":"%s"' "$(json "$user")" "$(json "$password")")
fi
mkdir -p "$folder"
cd "$folder"

url64() { base64 -w0 | tr '+/' '-_' | tr -d '='; }
from64() { local text; text=$(tr -- '-_' '+/'); while ((${#text} % 4)); do text+='='; done; base64 -d <<<"$text"; }
hex() { od -An -v -tx1 | tr -d ' \n'; }
field() { sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p"; }
post() { curl -sS --fail-with-body -H 'Content-Type: application/json' --data-binary @- "$server$1"; }

# A P-256 key; its public half as 65 bytes, uncompressed.
make_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }
point() { openssl ec -in "$1" -pubout -conv_form uncompressed -outform DER 2>/dev/null | tail -c 65; }
# sign PURPOSE FIELD...: ECDSA with SHA-256 in DER, over a line for the purpose and a line for each field.
sign() {
    local purpose=$1
    shift
    { printf 'countersign/v1/%s\n' "$purpose"; printf '%s\n' "$@"; } | openssl dgst -sha256 -sign app.pem | url64
}

# HKDF (RFC 5869) as HPKE labels it (RFC 9180, section 4), in hexadecimal digits. HMAC with SHA-256 throughout.
hmac() { openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" -binary | hex; }
text_hex() { printf %s "$1" | hex; }
bytes() { printf "$(sed 's/../\\x&/g' <<<"$1")"; }
extract() { bytes "$(text_hex HPKE-v1)$2$(text_hex "$3")$4" | hmac "${1:-$zeros}"; }                    # SALT SUITE LABEL IKM
expand() { bytes "$(printf %04x "$5")$(text_hex HPKE-v1)$2$(text_hex "$3")${4}01" | hmac "$1" | head -c $(($5 * 2)); } # PRK SUITE LABEL INFO LENGTH
zeros=$(printf '00%.0s' {1..32})
# open_secret KEY ENC CIPHERTEXT REGISTRATION: HPKE, base mode. openssl's command line has no GCM: counter mode decrypts what GCM
# encrypted (NIST SP 800-38D), without checking the tag; an app must check it.
open_secret() {
    local kem suite dh context shared schedule secret key nonce
    kem=$(text_hex KEM)0010 suite=$(text_hex HPKE)001000010002
    { bytes 3059301306072a8648ce3d020106082a8648ce3d030107034200; from64 <<<"$2"; } >enc.der
    dh=$(openssl pkeyutl -derive -inkey "$1" -peerkey <(openssl pkey -pubin -inform DER -in enc.der) | hex)
    context=$(from64 <<<"$2" | hex)$(point "$1" | hex)
    shared=$(expand "$(extract '' "$kem" eae_prk "$dh")" "$kem" shared_secret "$context" 32)
    schedule=00$(extract '' "$suite" psk_id_hash '')$(extract '' "$suite" info_hash "$(text_hex countersign/v1/token-secret)")
    secret=$(extract "$shared" "$suite" secret '')
    key=$(expand "$secret" "$suite" key "$schedule" 32)
    nonce=$(expand "$secret" "$suite" base_nonce "$schedule" 12)
    from64 <<<"$3" | head -c -16 | openssl enc -d -aes-256-ctr -K "$key" -iv "${nonce}00000002"
}
# code SECRETFILE: TOTP (RFC 6238) with SHA-1, six digits, 30 seconds.
code() {
    local mac offset
    mac=$(bytes "$(printf %016x $(($(date +%s) / 30 + ${STEP:-0})))" | openssl dgst -sha1 -mac HMAC -macopt "hexkey:$(hex <"$1")" -binary | hex)
    offset=$((0x${mac:39:1} * 2))
    printf '%06d\n' $(((0x${mac:$offset:8} & 0x7fffffff) % 1000000))
}

[[ -f app.pem ]] || make_key app.pem
url=$(curl -sS --fail-with-body "$server/api/v1/server" | field url)
[[ $url == "$server" ]] || { echo "the server calls itself $url" >&2; exit 1; }

register() {
    local reply registration nonce sms seal token first
    reply=$(printf '{%s,"app":{"name":"%s","platform":"shell","public_key":"%s"}}' \
        "$who" "$(json "$name")" "$(point app.pem | url64)" | post /api/v1/registrations)
    registration=$(field registration <<<"$reply") nonce=$(field nonce <<<"$reply")
    echo "A code went to the number that ends in $(field phone_hint <<<"$reply")." >&2
    read -r sms

    make_key seal.pem
    seal=$(point seal.pem | url64)
    reply=$(printf '{"code":"%s","seal_key":"%s","signature":"%s"}' "$(json "$sms")" "$seal" \
        "$(sign registration-confirm "$url" "$registration" "$nonce" "$sms" "$seal")" |
        post "/api/v1/registrations/$registration/confirm")
    token=$(field token <<<"$reply")
    printf %s "$token" >token
    open_secret seal.pem "$(field enc <<<"$reply")" "$(field ciphertext <<<"$reply")" "$registration" >secret
    rm seal.pem enc.der

    first=$(code secret)
    printf '{"code":"%s","signature":"%s"}' "$first" \
        "$(sign registration-activate "$url" "$registration" "$nonce" "$token" "$first")" |
        post "/api/v1/registrations/$registration/activate"
    echo
}

sign_in() {
    local reply challenge nonce token second
    reply=$(printf '{"username":"%s","password":"%s"}' "$(json "$user")" "$(json "$password")" | post /api/v1/login)
    challenge=$(field challenge <<<"$reply") nonce=$(field nonce <<<"$reply") token=$(<token) second=$(code secret)
    printf '{"token":"%s","code":"%s","public_key":"%s","signature":"%s"}' "$token" "$second" "$(point app.pem | url64)" \
        "$(sign login-totp "$url" "$challenge" "$nonce" "$token" "$second")" | post "/api/v1/login/$challenge/totp"
    echo
}

case $verb in
    register | enroll) register ;;
    sign-in) sign_in ;;
    *) echo 'app.sh register, enroll or sign-in' >&2; exit 2 ;;
esac
