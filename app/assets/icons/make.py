#!/usr/bin/env python3
"""Packs the icons of simple-icons into simple-icons.bin and writes NOTICE.md beside it.

Needs Python 3.9 and npm. Takes exactly VERSION from the npm registry and refuses anything else, so that two people
make the same files:

    app/assets/icons/make.py

To take a newer version, change VERSION and INTEGRITY (npm view simple-icons@VERSION dist.integrity), run it, then
run the tests of app/src/icons: they read every icon and say which names no longer mean what they did.

The file, numbers little-endian:

    8 bytes   "CSICON01"
    u32       number of icons      u32  number of keys
    u32       offset of strings    u32  offset of paths, both from the start of the file
    icons     sorted by slug, 16 bytes each:
                  u32 offset in strings: the slug, then the title      u32 offset in paths
                  u16 length of the deflated path   u8 length of the slug   u8 length of the title
                  u8 red   u8 green   u8 blue   u8 zero
    keys      sorted by their bytes, 8 bytes each: u32 offset in strings, u16 number of the icon, u8 length, u8 zero
    strings   UTF-8
    paths     one raw deflate stream an icon: the `d` of its SVG path on a grid of 24

A key is a name as `squash` writes it ("github"), or the domain of the brand ("github.com"). Nothing has to be
decompressed to find an icon, and one icon is one small stream.
"""

import base64
import hashlib
import json
import pathlib
import re
import struct
import subprocess
import tarfile
import tempfile
import unicodedata
import urllib.parse
import zlib

VERSION = "16.37.0"
INTEGRITY = "sha512-8mCJIhpMYOL9g13GW59EiL3sVXJnTEKGCTZFaekl9UQ3Qo0SwVjnLaJ82QiaH8BKBdouEDzrHMXIWh8cBIy48A=="
HERE = pathlib.Path(__file__).resolve().parent

# What an icon's own licence may be. The collection is CC0; some icons name a licence of their own. Taken are those
# that let a program pass the icon on under any terms, with a notice at most. Share-alike, no-derivatives,
# non-commercial and custom terms are not for us to pass on.
LICENCES = {"CC0-1.0", "Unlicense", "MIT", "Apache-2.0", "BSD-3-Clause", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0"}
NEEDS_NOTICE = LICENCES - {"CC0-1.0", "Unlicense"}
# A drawing with more than this many characters shows nothing more at the size of a list.
LONGEST_PATH = 16 * 1024

SECOND_LEVEL = {"ac", "co", "com", "edu", "gov", "net", "org"}
SPECIAL = {"+": "plus", "&": "and", "#": "sharp", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i"}


def squash(name):
    """A name without case, accents, spaces and punctuation. The same as `squash` in app/src/icons/issuer.rs."""
    folded = unicodedata.normalize("NFD", name.strip())
    for _ in range(2):
        folded = unicodedata.normalize("NFKC", folded.casefold())
    bare = "".join(c for c in unicodedata.normalize("NFD", folded) if not 0x300 <= ord(c) <= 0x36F)
    bare = unicodedata.normalize("NFC", bare)
    text = "dot" if re.match(r"\.\w", bare) else ""
    return text + "".join(SPECIAL.get(c, c if c.isalnum() else "") for c in bare)


def registrable(host):
    """`accounts.google.co.uk` to `google.co.uk`, in the simple way that is enough for the brands' own sites."""
    labels = host.lower().rstrip(".").split(".")
    count = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in SECOND_LEVEL else 2
    return ".".join(labels[-count:])


def fetch(folder):
    packed = subprocess.run(
        ["npm", "pack", "--silent", f"simple-icons@{VERSION}"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.split()[-1]
    data = (folder / packed).read_bytes()
    found = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
    if found != INTEGRITY:
        raise SystemExit(f"simple-icons {VERSION} is not what it was: {found}")
    with tarfile.open(folder / packed) as archive:
        archive.extractall(folder)
    return folder / "package"


def aliases(icon):
    named = icon.get("aliases", {})
    yield from named.get("aka", [])
    yield from named.get("old", [])
    yield from named.get("loc", {}).values()
    for same in named.get("dup", []):
        yield same["title"]
        yield from same.get("loc", {}).values()


def domains(icon, names):
    """The sites that the icon's data names, where the site is named like the brand (and not a place that hosts it).
    Under .design are a brand's guidelines, nobody signs in there."""
    for address in (icon["source"], icon.get("guidelines", "")):
        host = urllib.parse.urlparse(address).hostname
        if host:
            domain = registrable(host)
            if squash(domain.split(".")[0]) in names and not domain.endswith(".design"):
                yield domain


def claim(keys, wanted):
    """Adds (key, icon) pairs; a key that two icons want belongs to nobody, and one that is taken stays so."""
    by_key = {}
    for key, number in wanted:
        by_key.setdefault(key, set()).add(number)
    for key, numbers in by_key.items():
        if key and key not in keys:
            keys[key] = numbers.pop() if len(numbers) == 1 else None


def moved(path):
    """The same drawing for readers that want every part to begin with a move: one that goes on after a `z` without it
    begins where the part before it began, and so does `m0 0`. A second `z` does nothing."""
    return re.sub(r"z\s*(?=[^mz\s])", "zm0 0", re.sub(r"z(\s*z)+", "z", path, flags=re.I), flags=re.I)


def deflate(text):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    return packer.compress(text.encode("ascii")) + packer.flush()


def main():
    with tempfile.TemporaryDirectory() as temporary:
        package = fetch(pathlib.Path(temporary))
        everything = json.loads((package / "data/simple-icons.json").read_text("utf-8"))
        drawing = re.compile(r'viewBox="0 0 24 24".*<path d="([^"]+)"/></svg>')
        paths = {
            icon["slug"]: moved(drawing.search((package / f"icons/{icon['slug']}.svg").read_text("utf-8")).group(1))
            for icon in everything
        }

    def licence(icon):
        return icon.get("license", {}).get("type", "CC0-1.0")

    free = [icon for icon in everything if licence(icon) in LICENCES]
    icons = sorted((i for i in free if len(paths[i["slug"]]) <= LONGEST_PATH), key=lambda i: i["slug"].encode())

    # A name that an icon left out shares with one that is taken says as little as one that two icons share: all of
    # them have a say, and the keys of those left out are dropped at the end.
    numbers = {icon["slug"]: number for number, icon in enumerate(icons)}
    keys = {}
    claim(keys, [(squash(i["title"]), i["slug"]) for i in everything])
    claim(keys, [(squash(a), i["slug"]) for i in everything for a in aliases(i)])
    own = [(d, i["slug"]) for i in everything for d in domains(i, {squash(i["title"]), *map(squash, aliases(i))})]
    claim(keys, own)
    keys = {key: numbers[slug] for key, slug in keys.items() if slug in numbers}

    strings, streams, icon_table, key_table = bytearray(), bytearray(), bytearray(), bytearray()
    for icon in icons:
        slug, title, path = icon["slug"].encode(), icon["title"].encode(), deflate(paths[icon["slug"]])
        icon_table += struct.pack(
            "<IIHBB3sB", len(strings), len(streams), len(path), len(slug), len(title), bytes.fromhex(icon["hex"]), 0
        )
        strings += slug + title
        streams += path
    for key in sorted(keys, key=str.encode):
        key_table += struct.pack("<IHBB", len(strings), keys[key], len(key.encode()), 0)
        strings += key.encode()
    at_strings = 24 + len(icon_table) + len(key_table)
    header = b"CSICON01" + struct.pack("<IIII", len(icons), len(keys), at_strings, at_strings + len(strings))
    (HERE / "simple-icons.bin").write_bytes(header + icon_table + key_table + strings + streams)

    notice = [
        "# Icons with a licence of their own",
        "",
        f"Written by make.py from the data of simple-icons {VERSION}. The drawings are unchanged, the program gives the colours.",
        "",
    ]
    for icon in icons:
        if licence(icon) in NEEDS_NOTICE:
            where = icon["license"].get("url") or icon["source"]
            notice.append(f"- {icon['title']}: {licence(icon)}, {where}")
    (HERE / "NOTICE.md").write_text("\n".join(notice) + "\n", "utf-8")
    print(
        f"{len(icons)} icons, {len(keys)} keys, {len(header + icon_table + key_table + strings + streams)} bytes; "
        f"left out {len(everything) - len(free)} for their licence and {len(free) - len(icons)} for their size"
    )


main()
