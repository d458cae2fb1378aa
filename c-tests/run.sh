#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Builds every program of c-tests with each compiler, and runs it.
#
#   c-tests/run.sh [--cc CC]... [--cflags FLAGS] [--lib FILE] [--run COMMAND] [NAME]...
#
#   --cc CC        a compiler, once or more; gcc and clang otherwise
#   --cflags FLAGS are added to the usual ones
#   --lib FILE     what to link; target/btwq/libbtwq.a otherwise (`make lib`)
#   --run COMMAND  goes before each program, as in --run 'valgrind -q --error-exitcode=9'
#   NAME           a program, as in order_one_submitter; all of them otherwise
#
# One line for each program; what a failed one has written follows its line. With each compiler all
# programs are also checked as C++11. The status is 1 if anything has failed. What is built is below
# target/c-tests/CC/. Sizes and the time that a program may take: see check.h.
set -u

compilers='' flags='' lib=target/btwq/libbtwq.a command='' names=''
while [ $# -gt 0 ]; do
	case $1 in
	--cc | --cflags | --lib | --run)
		[ $# -ge 2 ] || { echo "$0: $1 wants an argument" >&2; exit 2; }
		case $1 in
		--cc) compilers="$compilers $2" ;;
		--cflags) flags=$2 ;;
		--lib) lib=$(realpath "$2") ;;
		--run) command=$2 ;;
		esac
		shift
		;;
	-*) sed -n '3,15s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	*) names="$names $1" ;;
	esac
	shift
done

cd "$(dirname "$0")/.." || exit 2
[ -f "$lib" ] || { echo "$0: $lib is missing; 'make lib' builds it" >&2; exit 2; }
[ -n "$names" ] || names=$(for file in c-tests/*.c; do basename "$file" .c; done)

warnings='-Wall -Wextra -Wpedantic -Werror'
c_flags="-std=c99 -O2 -g $warnings -Wshadow -Wconversion"
passed=0 failed=0

# report NAME STATUS LOG: the line for one program.
report() {
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
		echo "$1 ok"
	else
		failed=$((failed + 1))
		echo "$1 FAILED ($2)"
		cat "$3"
	fi
}

# build CC NAME...: a program that does not compile is missing afterwards, and its log says why.
# shellcheck disable=SC2086 # flags are words
build() {
	cc=$1
	shift
	for name; do
		rm -f "$out/$name"
		"$cc" $c_flags $flags -Iinclude "c-tests/$name.c" -o "$out/$name" "$lib" \
			-pthread -ldl -lm >"$out/$name.log" 2>&1
	done
}

# build_all CC: two builds at a time.
build_all() {
	odd='' even=''
	for name in $names; do
		odd="$odd $name"
		turn=$odd odd=$even even=$turn
	done
	# shellcheck disable=SC2086 # names are words
	{
		build "$1" $odd &
		build "$1" $even &
	}
	wait
}

# run CC NAME
run() {
	program=$out/$2
	if [ -x "$program" ]; then
		# shellcheck disable=SC2086 # the command is words
		$command "$program" >"$program.log" 2>&1
		report "$1/$2" $? "$program.log"
	else
		report "$1/$2" 1 "$program.log"
	fi
}

# check_cxx CC: the same sources as C++11, as far as the compiler alone goes.
check_cxx() {
	# shellcheck disable=SC2046,SC2086 # flags and names are words
	"$1" -x c++ -std=c++11 -fsyntax-only $warnings -Iinclude \
		$(printf 'c-tests/%s.c ' $names) >"$out/c++11.log" 2>&1
	report "${1##*/}/c++11" $? "$out/c++11.log"
}

for cc in ${compilers:-gcc clang}; do
	command -v "$cc" >/dev/null || { echo "$0: $cc is missing" >&2; exit 2; }
	out=target/c-tests/${cc##*/}
	mkdir -p "$out"
	build_all "$cc"
	for name in $names; do
		run "${cc##*/}" "$name"
	done
	check_cxx "$cc"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
