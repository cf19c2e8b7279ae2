#!/usr/bin/env python3
"""Decrypts what Countersign writes, without Countersign: python3 decrypt.py FILE

Reads the password (or the recovery key of a vault) from standard input and prints the content as JSON.
Needs `cryptography`, and `argon2-cffi` where that is older than 44. The formats: vault.md and backup.md.
"""
import base64, functools, hashlib, hmac, json, re, struct, sys, unicodedata, zlib
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def argon2id(password, salt, memory_kib, passes, lanes):
    try:
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
        return Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory_kib).derive(password)
    except ImportError:
        from argon2.low_level import Type, hash_secret_raw
        return hash_secret_raw(password, salt, passes, memory_kib, lanes, 32, Type.ID)


def prepared(password):
    """RFC 8265, OpaqueString: every space becomes U+0020, then NFC."""
    spaced = "".join(" " if unicodedata.category(c) in ("Zs", "Zl", "Zp") else c for c in password)
    return unicodedata.normalize("NFC", spaced).encode()


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def recovery_key(text):
    """The 32 characters of a recovery key, or None where the text is none."""
    plain = "".join(c for c in text.upper() if c.isalnum()).translate(str.maketrans("OILU", "011V"))
    number = functools.reduce(lambda sum, c: sum * 32 + ALPHABET.find(c), plain, 0)
    return plain.encode() if len(plain) == 32 and (number >> 10) % 1021 == number & 1023 else None


# HPKE (RFC 9180), base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
KEM, SUITE = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x02"


def extract(suite, salt, label, material):
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, "sha256")


def expand(suite, key, label, info, length):
    text = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\x01"
    return hmac.digest(key, text, "sha256")[:length]


def hpke_open(seed, encapsulated, info, sealed):
    private = expand(KEM, extract(KEM, b"", b"dkp_prk", seed), b"sk", b"", 32)
    private = X25519PrivateKey.from_private_bytes(private)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    shared = private.exchange(X25519PublicKey.from_public_bytes(encapsulated))
    shared = expand(KEM, extract(KEM, b"", b"eae_prk", shared), b"shared_secret", encapsulated + public, 32)
    context = b"\0" + extract(SUITE, b"", b"psk_id_hash", b"") + extract(SUITE, b"", b"info_hash", info)
    secret = extract(SUITE, shared, b"secret", b"")
    key, nonce = expand(SUITE, secret, b"key", context, 32), expand(SUITE, secret, b"base_nonce", context, 12)
    return AESGCM(key).decrypt(nonce, sealed, b"")


def vault(text, typed):
    header, decode, paper = json.loads(text), base64.b64decode, recovery_key(typed)
    payload, checksum = header.pop("payload"), header.pop("header_sha256")
    if hashlib.sha256(canonical(header)).hexdigest() != checksum:
        sys.exit("The file is damaged.")
    for slot in header["slots"]:
        bound = {"context": "countersign-vault/1/" + slot["type"], "slot": slot["id"], "vault": header["vault_id"]}
        if slot["type"] == "password" and not paper:
            kdf = bound["kdf"] = slot["kdf"]
            key = argon2id(prepared(typed), decode(kdf["salt"]), kdf["memory_kib"], kdf["passes"], kdf["lanes"])
            master = AESGCM(key).decrypt(decode(slot["nonce"]), decode(slot["key"]), canonical(bound))
        elif slot["type"] == "recovery" and paper:
            seed = b"countersign-vault/1/recovery/" + paper
            master = hpke_open(seed, decode(slot["encapsulated_key"]), canonical(bound), decode(slot["key"]))
        else:
            continue
        return AESGCM(master).decrypt(decode(header["nonce"]), decode(payload), canonical(header)).decode()
    sys.exit("The vault has no slot for this key.")


def backup(text, typed):
    """Expects the block as it was written, quoted at most; the program itself forgives more."""
    plain = re.sub(r"[^A-Za-z0-9+/]", "", text)
    plain = plain[plain.index("Q1NCMQ"):]
    version, compression, total = struct.unpack_from(">BBI", base64.b64decode(plain[:16]), 4)
    if len(plain) < total // 3 * 4:
        sys.exit(f"The text is cut off: {total // 3 * 4:,} characters expected.")
    data = base64.b64decode(plain[:total // 3 * 4])
    if hashlib.sha256(data[:-8]).digest()[:8] != data[-8:]:
        sys.exit("The text is damaged.")
    if (version, compression) != (1, 1):
        sys.exit("A newer version wrote the text.")
    created_at, memory_kib, passes, lanes, salt, nonce = struct.unpack_from(">QIII16s12s", data, 10)
    key = argon2id(prepared(typed), salt, memory_kib, passes, lanes)
    content = AESGCM(key).decrypt(nonce, data[58:-8], data[:58])
    return zlib.decompressobj(wbits=-15).decompress(content[4:], int.from_bytes(content[:4], "big")).decode()


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        sys.exit("usage: decrypt.py FILE    reads the password or the recovery key from standard input")
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            text, typed = file.read(), sys.stdin.readline().rstrip("\r\n")
            print((vault if text.startswith("{") else backup)(text, typed).rstrip())
    except InvalidTag:
        sys.exit("The password or recovery key is another one, or the file was changed.")
    except OSError as error:
        sys.exit(f"The file cannot be read: {error}")
    except (ValueError, KeyError, struct.error):
        sys.exit("There is no vault and no backup in that file, or it is damaged.")
