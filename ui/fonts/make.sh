#!/usr/bin/env bash
# Makes the fonts in this folder out of Debian's packages fonts-inter and fonts-jetbrains-mono.
# Needs apt-get, dpkg-deb and pyftsubset (pip install fonttools).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download fonts-inter fonts-jetbrains-mono
for package in ./*.deb; do dpkg-deb -x "$package" .; done

words='U+0020-024F,U+0259,U+02BC,U+02C6-02DD,U+0300-030C,U+0327-0328,U+0384-03CE,U+0400-045F,U+0490-0493,U+04D8-04D9,U+0410-044F,U+1E80-1E85,U+1E9E,U+1EA0-1EF9,U+2010-2015,U+2018-201E,U+2020-2022,U+2026,U+2030,U+2032-2033,U+2039-203A,U+20AC,U+20BA,U+20BD,U+2122,U+2190-2193,U+2212,U+2260,U+2264-2265'
codes='U+0020-007E,U+00A0,U+2009,U+2013-2014,U+2022,U+2026'

subset() { # input, output, characters, features
    pyftsubset "$1" --output-file="$here/$2" --unicodes="$3" --layout-features="$4" \
        --no-hinting --desubroutinize --name-IDs='0,1,2,3,4,5,6,13,14,16,17' --notdef-outline
}
for weight in Regular SemiBold Bold; do
    subset "usr/share/fonts/opentype/inter/Inter-$weight.otf" "Inter-$weight.otf" "$words" 'kern,mark,mkmk,ccmp,locl,tnum'
done
subset "usr/share/fonts/truetype/jetbrains-mono/JetBrainsMono-Bold.ttf" "JetBrainsMono-Bold.ttf" "$codes" ''
