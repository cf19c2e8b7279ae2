"""Writes the files beside it, as other apps write theirs, with libraries that share no code with Countersign.

    pip install argon2-cffi cryptography pykeepass pynacl pyzipper sqlcipher3-binary
    python3 make.py

Every password is `correct horse`. The costs of the key derivations are the least that a format has, so that the tests
that read these files stay fast. A second run gives other bytes (salts are random) and the same tokens.
"""

import base64, hashlib, hmac, io, json, os, struct

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl import bindings

PASSWORD = b"correct horse"
# Base32, and what it encodes.
ASH, BIRCH, ELM = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U", "PFXXK3TPOVXGK43TMFRGGZDFMZTWQ2LK"
STEAM = "ORSXG5BAON2GKYLN"
URIS = [
    f"otpauth://totp/Ash:ada?secret={ASH}&issuer=Ash&algorithm=SHA1&digits=6&period=30",
    f"otpauth://hotp/Birch:bob?secret={BIRCH}&issuer=Birch&algorithm=SHA256&digits=7&counter=7",
    f"otpauth://totp/Elm:%C3%BCnal?secret={ELM}&issuer=Elm&algorithm=SHA512&digits=8&period=60",
    f"otpauth://steam/Steam:sam?secret={STEAM}&issuer=Steam",
]


def raw(secret):
    return base64.b32decode(secret + "=" * (-len(secret) % 8))


def b64(data):
    return base64.b64encode(data).decode()


def write(name, data):
    with open(name, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)


def gcm(key, nonce, plain, aad=None):
    return AESGCM(key).encrypt(nonce, plain, aad)


def cbc(key, iv, plain):
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()


def argon2id(salt, memory_kib, passes, lanes):
    return hash_secret_raw(PASSWORD, salt, passes, memory_kib, lanes, 32, Type.ID)


def pbkdf2(hash_name, salt, rounds):
    return hashlib.pbkdf2_hmac(hash_name, PASSWORD, salt, rounds, 32)


def signed(data):
    return [byte - 256 if byte > 127 else byte for byte in data]


# 2FAS, schema 4
def two_fas():
    def service(name, account, secret, **otp):
        otp = {"account": account, "label": account, "issuer": name, "source": "Manual", **otp}
        return {"name": name, "secret": secret, "updatedAt": 1, "otp": otp, "order": {"position": 0}, "groupId": "g"}

    services = [
        service("Ash", "ada", ASH, tokenType="TOTP", algorithm="SHA1", digits=6, period=30),
        service("Birch", "bob", BIRCH, tokenType="HOTP", algorithm="SHA256", digits=7, counter=7),
        service("Elm", "ünal", ELM, tokenType="TOTP", algorithm="SHA512", digits=8, period=60),
        service("Steam", "sam", STEAM, tokenType="STEAM", algorithm="SHA1", digits=5, period=30),
    ]
    salt, nonce = os.urandom(256), os.urandom(12)
    key = pbkdf2("sha256", salt, 10_000)
    parts = lambda plain: ":".join(b64(part) for part in (gcm(key, nonce, plain), salt, nonce))
    write("2fas.2fas", json.dumps({
        "services": [], "groups": [{"id": "g", "name": "Trees"}], "updatedAt": 1, "schemaVersion": 4,
        "appVersionCode": 1, "appVersionName": "1", "appOrigin": "ios",
        "servicesEncrypted": parts(json.dumps(services).encode()), "reference": parts(b"reference"),
    }))


# andOTP, new and old
def andotp():
    def entry(**fields):
        return {"thumbnail": "Default", "last_used": 0, "used_frequency": 3, "tags": ["Trees"], **fields}

    entries = json.dumps([
        entry(secret=ASH, issuer="Ash", label="ada", digits=6, type="TOTP", algorithm="SHA1", period=30),
        entry(secret=BIRCH, issuer="Birch", label="bob", digits=7, type="HOTP", algorithm="SHA256", counter=7),
        entry(secret=ELM, issuer="Elm", label="ünal", digits=8, type="TOTP", algorithm="SHA512", period=60),
        entry(secret=STEAM, issuer="Steam", label="sam", digits=5, type="STEAM", algorithm="SHA1", period=30),
    ]).encode()
    salt, nonce, rounds = os.urandom(12), os.urandom(12), 1000
    write("andotp.bin", struct.pack(">I", rounds) + salt + nonce + gcm(pbkdf2("sha1", salt, rounds), nonce, entries))
    write("andotp-old.bin", nonce + gcm(hashlib.sha256(PASSWORD).digest(), nonce, entries))


# Ente, whose message may have either tag of libsodium
def ente():
    display = json.dumps({"pinned": True, "trashed": False, "tapCount": 2, "tags": ["Trees"], "note": "a note"})
    from urllib.parse import quote

    text = "\n".join(f"{uri}&codeDisplay={quote(display)}" for uri in URIS).encode()
    for name, tag in [("message", 0), ("final", 3)]:
        salt, passes, memory = os.urandom(16), 1, 64 * 1024
        key = argon2id(salt, memory // 1024, passes, 1)
        state = bindings.crypto_secretstream_xchacha20poly1305_state()
        header = bindings.crypto_secretstream_xchacha20poly1305_init_push(state, key)
        sealed = bindings.crypto_secretstream_xchacha20poly1305_push(state, text, None, tag)
        write(f"ente-{name}.txt", json.dumps({
            "version": 1, "kdfParams": {"memLimit": memory, "opsLimit": passes, "salt": b64(salt)},
            "encryptedData": b64(sealed), "encryptionNonce": b64(header),
        }))


# Proton Authenticator, which has no HOTP
def proton():
    entries = [
        {"id": str(at), "content": {"uri": uri, "entry_type": "Totp", "name": "n"}, "note": "a note"}
        for at, uri in enumerate(URIS) if "hotp" not in uri
    ]
    salt, nonce = os.urandom(16), os.urandom(12)
    plain = json.dumps({"version": 1, "entries": entries}).encode()
    sealed = gcm(argon2id(salt, 19 * 1024, 2, 1), nonce, plain, b"proton.authenticator.export.v1")
    write("proton.json", json.dumps({"version": 1, "salt": b64(salt), "content": b64(nonce + sealed)}))


# Bitwarden: a token as a link, one as a bare secret, one of Steam, and a login without
def bitwarden():
    def login(name, totp, **fields):
        login = {"uris": None, "username": "me", "password": "never kept", "totp": totp}
        return {"id": name, "folderId": "f", "type": 1, "name": name, "notes": "secret note", "favorite": True, "login": login, **fields}

    vault = json.dumps({"encrypted": False, "folders": [{"id": "f", "name": "Trees"}], "items": [
        login("Ash", URIS[0]), login("Bare", ASH.lower()), login("Guard", "steam://" + STEAM), login("Nothing", None),
        {"id": "c", "type": 3, "name": "A card", "card": {}},
    ]}).encode()
    for name, kdf in [("pbkdf2", 0), ("argon2", 1)]:
        salt = b64(os.urandom(16))
        if kdf == 0:
            key = pbkdf2("sha256", salt.encode(), 5000)
            demand = {"kdfIterations": 5000, "kdfMemory": None, "kdfParallelism": None}
        else:
            key = hash_secret_raw(PASSWORD, hashlib.sha256(salt.encode()).digest(), 2, 16 * 1024, 4, 32, Type.ID)
            demand = {"kdfIterations": 2, "kdfMemory": 16, "kdfParallelism": 4}
        stretch = lambda info: hmac.new(key, info + b"\x01", hashlib.sha256).digest()

        def string(plain):
            iv = os.urandom(16)
            sealed = cbc(stretch(b"enc"), iv, plain)
            mac = hmac.new(stretch(b"mac"), iv + sealed, hashlib.sha256).digest()
            return "2." + "|".join(b64(part) for part in (iv, sealed, mac))

        write(f"bitwarden-{name}.json", json.dumps({
            "encrypted": True, "passwordProtected": True, "salt": salt, "kdfType": kdf, **demand,
            "encKeyValidation_DO_NOT_EDIT": string(b"validation"), "data": string(vault),
        }))


# FreeOTP 2: a Java map of JSON
def freeotp():
    def wrapped(key, plain, token):
        nonce = os.urandom(12)
        parameters = bytes([0x30, 17, 4, 12]) + nonce + bytes([2, 1, 16])
        return {"mCipher": "AES/GCM/NoPadding", "mCipherText": signed(gcm(key, nonce, plain, token.encode())),
                "mParameters": signed(parameters), "mToken": token}

    salt, rounds, master = os.urandom(32), 1000, os.urandom(32)
    key = pbkdf2("sha512", salt, rounds)
    texts = [("masterKey", json.dumps({"mAlgorithm": "PBKDF2withHmacSHA512", "mEncryptedKey": wrapped(key, master, "AES"),
                                       "mIterations": rounds, "mSalt": signed(salt)}))]
    for at, (secret, token) in enumerate([
        (ASH, {"algo": "SHA1", "digits": 6, "issuerExt": "Ash", "label": "ada", "period": 30, "type": "TOTP"}),
        (BIRCH, {"algo": "SHA256", "counter": 7, "digits": 7, "issuerExt": "Birch", "label": "bob", "type": "HOTP"}),
        (ELM, {"algo": "SHA512", "digits": 8, "issuerExt": "Elm", "label": "\u00fcnal", "period": 60, "type": "TOTP"}),
    ]):
        texts.append((f"id{at}", json.dumps({"key": json.dumps(wrapped(master, raw(secret), "Hmac" + token["algo"]))})))
        texts.append((f"id{at}-token", json.dumps(token)))
    text = lambda string: struct.pack(">H", len(string.encode())) + string.encode()
    stream = b"\xac\xed\x00\x05sr" + text("java.util.HashMap") + bytes.fromhex("0507dac1c31660d1") + b"\x03"
    stream += struct.pack(">H", 2) + b"F" + text("loadFactor") + b"I" + text("threshold") + b"xp"
    stream += struct.pack(">fI", 0.75, 12) + b"w\x08" + struct.pack(">II", 16, len(texts))
    stream += b"".join(b"t" + text(name) + b"t" + text(value) for name, value in texts) + b"x"
    write("freeotp.xml", stream)


# Authy: one secret after the other
def authy():
    from xml.sax.saxutils import escape

    tokens = []
    for name, secret, digits in [("Ash:ada", ASH, 6), ("Elm:ünal", ELM, 8)]:
        salt = "a salt of twenty-four ch"
        sealed = cbc(pbkdf2("sha1", salt.encode(), 1000), bytes(16), secret.encode())
        tokens.append({"accountType": "authenticator", "digits": digits, "encryptedSecret": b64(sealed), "salt": salt,
                       "originalName": name, "name": name})
    text = escape(json.dumps(tokens), {'"': "&quot;"})
    write("authy.xml", "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<map>\n"
          f'    <string name="com.authy.storage.tokens.authenticator.key">{text}</string>\n</map>\n')


# Authenticator Plus: SQLCipher 3
def authenticator_plus():
    from sqlcipher3 import dbapi2

    if os.path.exists("authenticator-plus.db"):
        os.remove("authenticator-plus.db")
    db = dbapi2.connect("authenticator-plus.db")
    db.execute(f"PRAGMA key = '{PASSWORD.decode()}'")
    db.execute("PRAGMA cipher_compatibility = 3")
    db.execute("CREATE TABLE accounts (_id INTEGER PRIMARY KEY, email TEXT NOT NULL, secret TEXT NOT NULL, counter INTEGER"
               " DEFAULT 0, type INTEGER, provider INTEGER DEFAULT 0, issuer TEXT, original_name TEXT, category TEXT)")
    db.execute("CREATE TABLE category (_id INTEGER PRIMARY KEY, name TEXT)")
    db.execute("INSERT INTO category (name) VALUES ('Trees')")
    rows = [("ada", ASH, 0, 0, "Ash", "Ash:ada", "Trees"), ("bob", BIRCH, 7, 1, "Birch", "Birch:bob", "All Accounts")]
    # Enough rows for several pages, and one that goes on beyond its page.
    rows += [(f"filling {at}", ELM, 0, 0, "Elm", "x" * (3000 if at == 5 else 30), "Trees") for at in range(60)]
    db.executemany("INSERT INTO accounts (email, secret, counter, type, issuer, original_name, category)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    db.commit()
    db.close()


def totp_authenticator():
    entries = [json.dumps({"base": base, "digits": digits, "period": period, "issuer": issuer, "name": name, "key": key})
               for issuer, name, key, base, digits, period in [
                   ("Ash", "ada", raw(ASH).hex().upper(), 16, "6", "30"), ("Elm", "ünal", ELM, 32, "8", "60"),
                   ("Oak", "olu", b64(raw(ASH)), 64, "6", "30")]]
    plain = json.dumps({json.dumps(entries): ""}).encode()
    write("totp-authenticator.bin", b64(cbc(hashlib.sha256(PASSWORD).digest(), bytes(16), plain)))


# WinAuth and Raivo: WinZip's AES
def archives():
    import pyzipper

    raivo = [{"kind": "TOTP", "algorithm": "SHA1", "timer": "30", "digits": "6", "issuer": "Ash", "account": "ada",
              "secret": ASH, "counter": "0", "pinned": "true", "iconType": "", "iconValue": ""},
             {"kind": "HOTP", "algorithm": "SHA256", "timer": "0", "digits": "7", "issuer": "Birch", "account": "bob",
              "secret": BIRCH, "counter": "7", "pinned": "false", "iconType": "", "iconValue": ""}]
    winauth = f"{URIS[0]}\r\notpauth://totp/My%20Bank?secret={ELM}&digits=8\r\n"
    for name, file, text in [("raivo.zip", "raivo-otp-export.json", json.dumps(raivo)),
                             ("winauth.zip", "winauth-2026-01-01.txt", winauth)]:
        with pyzipper.AESZipFile(name, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
            archive.setpassword(PASSWORD)
            archive.writestr(file, text)


# An archive that unpacks to a thousand times its size
def bomb():
    import zipfile

    with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("raivo-otp-export.json", b"[" + b" " * 40_000_000)


# KeePass: every dialect, both Argon2, both stream ciphers
def keepass():
    from pykeepass import create_database

    for name, variant in [("keepass.kdbx", None), ("keepass-chacha.kdbx", "chacha20")]:
        if os.path.exists(name):
            os.remove(name)
        db = create_database(name, password=PASSWORD.decode())
        demand = db.kdbx.header.value.dynamic_header.kdf_parameters.data.dict
        demand.M.value, demand.I.value, demand.P.value = 64 * 1024, 1, 1
        if variant:
            db.kdbx.header.value.dynamic_header.cipher_id.data = variant
            db.kdbx.header.value.dynamic_header.encryption_iv.data = os.urandom(12)
        trees = db.add_group(db.root_group, "Trees")
        add = lambda group, title, user, **fields: [
            setattr(entry, "otp", value) if key == "otp" else entry.set_custom_property(key, value, protect=protect)
            for entry in [db.add_entry(group, title, user, "a password")]
            for key, (value, protect) in fields.items()
        ]
        add(trees, "Ash", "ada", otp=(URIS[0], True))
        add(db.root_group, "Birch", "bob", otp=(f"key={BIRCH}&size=8&step=60&otpHashMode=Sha256", True))
        add(db.root_group, "Elm", "ünal", **{"TOTP Seed": (ELM, True), "TOTP Settings": ("60;8", False)})
        add(db.root_group, "Steam", "sam", **{"TOTP Seed": (STEAM, True), "TOTP Settings": ("30;S", False)})
        add(db.root_group, "Oak", "olu", **{"TimeOtp-Secret-Hex": (raw(ASH).hex(), True), "TimeOtp-Length": ("8", False),
                                            "TimeOtp-Algorithm": ("HMAC-SHA-512", False), "TimeOtp-Period": ("45", False)})
        add(db.root_group, "Yew", "yas", **{"HmacOtp-Secret-Base32": (BIRCH, True), "HmacOtp-Counter": ("9", False)})
        db.add_entry(db.root_group, "Nothing", "me", "a password")
        entry = db.add_entry(db.root_group, "Thrown away", "me", "a password", otp=URIS[0])
        db.trash_entry(entry)
        db.save()


# KeePass before KDBX 4, and key files: the key is the SHA-256 of KEY_FILE, which other kinds of key files can hold, too
KEY_FILE = b"any file at all\n"


def keepass_old():
    import gzip
    from Cryptodome.Cipher import AES, Salsa20
    from pykeepass import PyKeePass, create_database

    values = [("Trees", "Ash", "ada", "otp", URIS[0]), ("Trees", "Steam", "sam", "TOTP Seed", STEAM)]
    key_hash = hashlib.sha256(KEY_FILE).digest()
    for name, has_key in [("keepass-3.kdbx", False), ("keepass-3-key.kdbx", True)]:
        seed, transform, iv, inner, start = (os.urandom(size) for size in (32, 32, 16, 32, 32))
        fields = [(2, bytes.fromhex("31c1f2e6bf714350be5805216afc5aff")), (3, struct.pack("<I", not has_key)), (4, seed),
                  (5, transform), (6, struct.pack("<Q", 100)), (7, iv), (8, inner), (9, start),
                  (10, struct.pack("<I", 2)), (0, b"\r\n\r\n")]
        header = struct.pack("<III", 0x9AA2D903, 0xB54BFB67, 0x00030001)
        header += b"".join(struct.pack("<BH", id, len(data)) + data for id, data in fields)
        stream = Salsa20.new(hashlib.sha256(inner).digest(), bytes.fromhex("e830094b97205d2a"))
        string = lambda key, value: f"<String><Key>{key}</Key><Value>{value}</Value></String>"
        hidden = lambda key, value: (f'<String><Key>{key}</Key><Value Protected="True">'
                                     f"{b64(stream.encrypt(value.encode()))}</Value></String>")
        # An attachment uses the stream, too, and comes first
        attachment = ""
        if has_key:
            attachment = f'<Binaries><Binary ID="0" Protected="True">{b64(stream.encrypt(b"a file"))}</Binary></Binaries>'
        earlier = lambda: f"<History><Entry>{string('Title', 'Old')}{hidden('otp', URIS[1])}</Entry></History>"
        entries = "".join(
            f"<Entry><UUID>{b64(os.urandom(16))}</UUID>{string('Title', title)}{string('UserName', user)}"
            f"{hidden('Password', 'a password')}{hidden(key, value)}"
            f"{string('TOTP Settings', '30;S') if user == 'sam' else ''}{earlier()}</Entry>"
            for _, title, user, key, value in values)
        xml = (f"<KeePassFile><Meta><HeaderHash>{b64(hashlib.sha256(header).digest())}</HeaderHash>{attachment}</Meta><Root><Group>"
               f"<UUID>{b64(os.urandom(16))}</UUID><Name>Root</Name><Group><UUID>{b64(os.urandom(16))}</UUID>"
               f"<Name>Trees</Name>{entries}</Group></Group></Root></KeePassFile>").encode()
        content = xml if has_key else gzip.compress(xml)
        # Two blocks, so that their order counts
        blocks = [content[:200], content[200:], b""]
        body = start + b"".join(
            struct.pack("<I", number) + (hashlib.sha256(block).digest() if block else bytes(32))
            + struct.pack("<I", len(block)) + block for number, block in enumerate(blocks))
        composite = hashlib.sha256(hashlib.sha256(PASSWORD).digest() + (key_hash if has_key else b"")).digest()
        for _ in range(100):
            composite = AES.new(transform, AES.MODE_ECB).encrypt(composite)
        key = hashlib.sha256(seed + hashlib.sha256(composite).digest()).digest()
        write(name, header + cbc(key, iv, body))
        # Another reader agrees; of the attachments, it does not know
        if has_key:
            continue
        read = PyKeePass(name, password=PASSWORD.decode())
        assert [(entry.group.name, entry.title, entry.username) for entry in read.entries] == [value[:3] for value in values]
        assert read.find_entries(title="Ash", first=True).otp == URIS[0]
    # A key file alone
    if os.path.exists("keepass-key.kdbx"):
        os.remove("keepass-key.kdbx")
    db = create_database("keepass-key.kdbx", keyfile=io.BytesIO(KEY_FILE))
    demand = db.kdbx.header.value.dynamic_header.kdf_parameters.data.dict
    demand.M.value, demand.I.value, demand.P.value = 64 * 1024, 1, 1
    db.add_entry(db.root_group, "Ash", "ada", "a password", otp=URIS[0])
    db.save()


# OTPClient: the three versions of its database
def otpclient():
    tokens = json.dumps([
        {"type": "TOTP", "label": "ada", "issuer": "Ash", "secret": ASH, "digits": 6, "algo": "SHA1", "period": 30, "group": "Trees"},
        {"type": "HOTP", "label": "bob", "issuer": "Birch", "secret": BIRCH, "digits": 7, "algo": "SHA256", "counter": 7},
        {"type": "TOTP", "label": "ünal", "issuer": "Elm", "secret": ELM, "digits": 8, "algo": "SHA512", "period": 60},
        {"type": "TOTP", "label": "sam", "issuer": "Steam", "secret": STEAM, "digits": 5, "algo": "SHA1", "period": 30},
    ]).encode()
    iv, salt, passes, memory, lanes = os.urandom(16), os.urandom(32), 1, 8192, 1
    key = argon2id(salt, memory, passes, lanes)
    header = iv + salt
    write("otpclient-1.enc", header + gcm(pbkdf2("sha512", salt, 100_000), iv, tokens, header))
    header = b"OTPClient" + bytes(3) + struct.pack("<i", 2) + iv + salt + struct.pack("<iii", passes, memory, lanes)
    write("otpclient-2.enc", header + gcm(key, iv, tokens, header))
    header = b"OTPClient" + struct.pack(">i", 3) + iv + salt + struct.pack(">iii", passes, memory, lanes)
    write("otpclient-3.enc", header + gcm(key, iv, tokens, header))


def privacyidea():
    tokens = json.dumps([
        {"type": "TOTP", "id": "1", "label": "ada", "issuer": "Ash", "algorithm": "SHA1", "digits": 6, "secret": ASH, "period": 30},
        {"type": "HOTP", "id": "2", "label": "bob", "issuer": "Birch", "algorithm": "SHA256", "digits": 7, "secret": BIRCH, "counter": 7},
        {"type": "PIPUSH", "id": "3", "label": "push", "issuer": "privacyIDEA"},
        {"type": "DAYPASSWORD", "id": "4", "label": "day", "issuer": "privacyIDEA", "algorithm": "SHA1", "digits": 6, "secret": ASH, "period": 86400},
    ]).encode()
    salt, iv = os.urandom(16), os.urandom(16)
    sealed = gcm(pbkdf2("sha256", salt, 1000), iv, tokens)
    mac = {"algorithm": "Hmac", "hashAlgorithm": {"algorithm": "DartSha256"}}
    write("privacyidea.json", json.dumps({
        "data": b64(sealed[:-16]), "salt": b64(salt), "iv": b64(iv), "mac": b64(sealed[-16:]),
        "kdf": {"algorithm": "Pbkdf2", "macAlgorithm": mac, "iterations": 1000, "bits": 256},
        "cypher": {"algorithm": "AesGcm", "secretKeyLength": 32},
    }))


for make in (two_fas, andotp, ente, proton, bitwarden, freeotp, authy, authenticator_plus, totp_authenticator, archives, bomb,
             keepass, keepass_old, otpclient, privacyidea):
    make()
