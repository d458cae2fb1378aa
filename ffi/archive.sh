#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Makes the archive that C programs link out of the one that Cargo makes.
#
#   ffi/archive.sh CARGO_ARCHIVE OUT.a
#
# Cargo's archive holds the whole Rust runtime with its symbols global, so that two of its kind can
# not be linked into one program. This one holds what the exported functions reach, in one object
# whose only global symbols begin with btwq_. LD, NM, OBJCOPY and AR name the tools.
set -eu
[ $# -eq 2 ] || { echo "usage: $0 CARGO_ARCHIVE OUT.a" >&2; exit 2; }
from=$1 to=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

"${NM:-nm}" -g --defined-only "$from" 2>/dev/null | awk '$3 ~ /^btwq_/ { print $3 }' |
	sort -u >"$tmp/exports"
[ -s "$tmp/exports" ] || { echo "$0: $from exports nothing that begins with btwq_" >&2; exit 1; }

# shellcheck disable=SC2046 # one word for each option
"${LD:-ld}" -r --gc-sections $(sed 's/^/-u /' "$tmp/exports") "$from" -o "$tmp/btwq.o"
"${OBJCOPY:-objcopy}" --strip-debug --keep-global-symbols="$tmp/exports" "$tmp/btwq.o"

mkdir -p "$(dirname "$to")"
rm -f "$to"
(cd "$tmp" && "${AR:-ar}" crsD libbtwq.a btwq.o)
mv "$tmp/libbtwq.a" "$to"

left=$("${NM:-nm}" -g --defined-only "$to" | awk 'NF == 3 { print $3 }' | grep -v '^btwq_' || true)
[ -z "$left" ] || { echo "$0: global but not ours: $left" >&2; exit 1; }
