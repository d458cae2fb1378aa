#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Compiles include/btwq.h alone in each language and with each compiler that it is made for, all
# warnings being errors; checks the size of a work on this machine and on 32-bit Arm; prints the
# sizes of all types.
#
#   c-tests/header.sh
set -u
cd "$(dirname "$0")/.." || exit 2
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT

use=c-tests/header/use.c
warnings='-Wall -Wextra -Wpedantic -Werror'
passed=0 failed=0

# have COMMAND PACKAGE: a compiler that is missing is an error, never a test left out.
have() {
	command -v "$1" >/dev/null && return
	echo "$0: $1 is missing; it is in Debian's package $2" >&2
	exit 2
}

# count NAME STATUS LOG: one line for one check.
count() {
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
		echo "$1 ok"
	else
		failed=$((failed + 1))
		echo "$1 FAILED"
		cat "$3"
	fi
}

# compile NAME OBJECT COMPILER...: an empty log is asked for too.
compile() {
	name=$1 object=$2
	shift 2
	# shellcheck disable=SC2086 # the warnings are words
	"$@" $warnings -Iinclude -c "$use" -o "$object" >"$tmp/log" 2>&1
	count "$name" $? "$tmp/log"
}

# Every macro of the header must be used, so that none is only believed to compile.
all_macros_used() {
	sed -n 's/^#define \(BTWQ_[A-Z_]*\).*/\1/p' include/btwq.h | sort -u |
		grep -v '^BTWQ_H$' | while read -r macro; do
		grep -qw "$macro" "$use" || echo "$use does not use $macro"
	done >"$tmp/log"
	[ ! -s "$tmp/log" ]
	count 'every macro is used' $? "$tmp/log"
}

# size OBJECT TYPE: in decimal.
size() {
	hex=$(nm -S "$1" | awk -v name="size_of_$2" '$4 == name || $4 == "_" name { print $2 }')
	echo $((0x${hex:-0}))
}

# expect NAME OBJECT TYPE BYTES
expect() {
	bytes=$(size "$2" "$3")
	echo "$bytes bytes, not $4" >"$tmp/log"
	[ "$bytes" -eq "$4" ]
	count "$1 has $4 bytes" $? "$tmp/log"
}

have nm binutils
have gcc gcc
have g++ g++
have clang clang
have clang++ clang

all_macros_used
for cc in gcc clang; do
	for std in c99 c11 c17; do
		compile "$cc/$std" "$tmp/host.o" "$cc" -std="$std"
	done
done
for cxx in g++ clang++; do
	for std in c++11 c++17; do
		compile "$cxx/$std" "$tmp/host++.o" "$cxx" -std="$std" -x c++
	done
done
compile 'clang/c99 for 32-bit Arm' "$tmp/arm.o" \
	clang --target=arm-none-eabi -mcpu=cortex-m3 -ffreestanding -std=c99

expect "btwq_work on $(uname -m)" "$tmp/host.o" btwq_work 40
expect 'btwq_work on 32-bit Arm' "$tmp/arm.o" btwq_work 24

printf '\n%-12s %8s %8s\n' 'bytes' "$(uname -m)" 'Arm (32)'
for type in btwq_work btwq_queue btwq_pool btwq_worker btwq_control btwq_timers; do
	printf '%-12s %8s %8s\n' "$type" "$(size "$tmp/host.o" $type)" "$(size "$tmp/arm.o" $type)"
done

printf '\n%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
