#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Compiles and runs the C program in the README as it stands there, and checks what it prints.
#
#   examples/readme.sh LIBBTWQ.a
set -eu
[ $# -eq 1 ] || { echo "usage: $0 LIBBTWQ.a" >&2; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' README.md >"$tmp/squares.c"
lines=$(wc -l <"$tmp/squares.c")
[ "$lines" -gt 0 ] && [ "$lines" -lt 40 ] ||
	{ echo "$0: the program in the README has $lines lines, not 1 to 39" >&2; exit 1; }
for n in 0 1 2 3 4 5 6 7; do
	echo "$n squared is $((n * n))"
done >"$tmp/expected"

for cc in gcc clang; do
	"$cc" -std=c99 -Wall -Wextra -Wpedantic -Werror -Iinclude "$tmp/squares.c" "$1" \
		-o "$tmp/squares" -pthread
	"$tmp/squares" >"$tmp/printed"
	cmp "$tmp/expected" "$tmp/printed"
	echo "README's program with $cc: $lines lines, ok"
done
