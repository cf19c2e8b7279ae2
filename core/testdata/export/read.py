"""Reads what Countersign exports for other apps, as those apps' formats are described, with code of its own.

    python3 read.py FORMAT FILE      (the password, where there is one, on standard input)

Prints the tokens as JSON: a list of [kind, issuer, account, algorithm, digits, period or counter, secret in Base32].
"""

import base64, hashlib, html, json, re, sys, urllib.parse

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

try:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    def argon2id(password, salt, memory_kib, passes, lanes):
        return Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory_kib).derive(password)
except ImportError:
    from argon2.low_level import Type, hash_secret_raw

    def argon2id(password, salt, memory_kib, passes, lanes):
        return hash_secret_raw(password, salt, passes, memory_kib, lanes, 32, Type.ID)


def base32(secret):
    return base64.b32encode(secret).decode().rstrip("=")


def aegis(file, password):
    file, db = json.loads(file), None
    assert file["version"] == 1
    if file["header"]["slots"] is None:
        db = file["db"]
    else:
        slot = file["header"]["slots"][0]
        assert slot["type"] == 1 and re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", slot["uuid"])
        opened = lambda key, params, data: AESGCM(key).decrypt(
            bytes.fromhex(params["nonce"]), data + bytes.fromhex(params["tag"]), None)
        key = hashlib.scrypt(password, salt=bytes.fromhex(slot["salt"]), n=slot["n"], r=slot["r"], p=slot["p"], dklen=32,
                             maxmem=2**28)
        master = opened(key, slot["key_params"], bytes.fromhex(slot["key"]))
        db = json.loads(opened(master, file["header"]["params"], base64.b64decode(file["db"], validate=True)))
    assert db["version"] in (1, 2, 3)
    for entry in db["entries"]:
        info = entry["info"]
        yield [entry["type"], entry["issuer"], entry["name"], info["algo"], info["digits"],
               info.get("counter", info.get("period")), info["secret"]]


def stratum(file, password):
    magic = b"AUTHENTICATORPRO"
    if file.startswith(magic):
        salt, nonce, sealed = file[16:32], file[32:44], file[44:]
        file = AESGCM(argon2id(password, salt, 65536, 3, 4)).decrypt(nonce, sealed, None)
    for entry in json.loads(file)["Authenticators"]:
        kind = {1: "hotp", 2: "totp", 3: "motp", 4: "steam", 5: "yandex"}[entry["Type"]]
        yield [kind, entry["Issuer"], entry["Username"], ["SHA1", "SHA256", "SHA512"][entry["Algorithm"]], entry["Digits"],
               entry["Counter"] if kind == "hotp" else entry["Period"], entry["Secret"]]


def two_fas(file, password):
    file = json.loads(file)
    assert file["schemaVersion"] == 4
    services = file["services"]
    if "servicesEncrypted" in file:
        assert services == []

        def opened(text):
            sealed, salt, nonce = (base64.b64decode(part, validate=True) for part in text.split(":"))
            assert (len(salt), len(nonce)) == (256, 12)
            return AESGCM(hashlib.pbkdf2_hmac("sha256", password, salt, 10_000, 32)).decrypt(nonce, sealed, None)

        # The text that 2FAS looks for is fixed
        assert hashlib.sha256(opened(file["reference"])).hexdigest() == "cef0eb8ede32f858e3c6fbd8753d3f22093e57fc0d0f1f414dd97a0dba4c4d67"
        services = json.loads(opened(file["servicesEncrypted"]))
    for service in services:
        otp = service["otp"]
        yield [otp["tokenType"].lower(), otp["issuer"], otp["account"], otp["algorithm"], otp["digits"],
               otp.get("counter", otp.get("period")), service["secret"]]


def link(text):
    url = urllib.parse.urlsplit(text)
    if url.scheme == "steam":
        return ["steam", "", "", "SHA1", 5, 30, url.netloc]
    query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
    label = urllib.parse.unquote(url.path[1:])
    issuer = query.get("issuer", "")
    account = label[len(issuer) + 1:] if issuer and label.startswith(issuer + ":") else label
    return [url.netloc, issuer, account, query.get("algorithm", "SHA1"), int(query.get("digits", 5 if url.netloc == "steam" else 6)),
            int(query.get("counter", query.get("period", 30))), query["secret"]]


def bitwarden_authenticator(file, _):
    file = json.loads(file)
    assert file["encrypted"] is False
    for item in file["items"]:
        assert item["type"] == 1
        token = link(item["login"]["totp"])
        yield [token[0], item["name"], item["login"]["username"], *token[3:]]


def uri(file, _):
    yield from map(link, file.decode().splitlines())


def page(file, _):
    for text in re.findall("<code>(.*?)</code>", file.decode()):
        yield link(html.unescape(text))


def google(file, _):
    def fields(data):
        """Protocol buffers: number, then a varint or bytes."""
        at = 0

        def varint():
            nonlocal at
            value = shift = 0
            while True:
                byte = data[at]
                at += 1
                value |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    return value

        while at < len(data):
            key = varint()
            if key & 7 == 0:
                yield key >> 3, varint()
            else:
                assert key & 7 == 2
                length = varint()
                yield key >> 3, data[at:at + length]
                at += length

    for text in re.findall("<code>(.*?)</code>", file.decode()):
        url = urllib.parse.urlsplit(html.unescape(text))
        assert (url.scheme, url.netloc) == ("otpauth-migration", "offline")
        data = urllib.parse.parse_qs(url.query)["data"][0]
        part = list(fields(base64.b64decode(data, validate=True)))
        entries = [value for number, value in part if number == 1]
        assert 1 <= len(entries) <= 10 and dict(part)[2] == 1
        for entry in map(dict, map(fields, entries)):
            kind = {1: "hotp", 2: "totp"}[entry[6]]
            issuer, account = entry.get(3, b"").decode(), entry.get(2, b"").decode()
            if issuer and account.startswith(issuer + ":"):
                account = account[len(issuer) + 1:]
            yield [kind, issuer, account, {1: "SHA1", 2: "SHA256", 3: "SHA512"}[entry[4]], {1: 6, 2: 8}[entry[5]],
                   entry.get(7, 0) if kind == "hotp" else 30, base32(entry[1])]


READERS = {"aegis": aegis, "stratum": stratum, "2fas": two_fas, "bitwarden-authenticator": bitwarden_authenticator,
           "google": google, "uri": uri, "html": page}

if __name__ == "__main__":
    with open(sys.argv[2], "rb") as file:
        tokens = READERS[sys.argv[1].removesuffix("-encrypted")](file.read(), sys.stdin.buffer.readline().rstrip(b"\n"))
        print(json.dumps(list(tokens)))
