#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Builds the programs that run a queue on somebody else's executor, which need libraries of their
# own, with each compiler, and runs them. Then links c-tests/helpers_distinct.c with linkers that
# fold identical functions, and runs that.
#
#   c-tests/executors/executors.sh [--cc CC]... [--cflags FLAGS] [--lib FILE] [--run COMMAND]
#
#   --cc CC        a compiler, once or more; gcc and clang otherwise
#   --cflags FLAGS are added to the usual ones
#   --lib FILE     what to link; target/btwq/libbtwq.a otherwise (`make lib`)
#   --run COMMAND  goes before each program, as in --run 'valgrind -q --error-exitcode=9'
#
# Needs Debian's pkg-config, libuv1-dev and libglib2.0-dev. The linkers are gold (binutils) and lld
# (lld); one that is not there is left out, and that is said. One line for each program; what a
# failed one has written follows its line. The status is 1 if anything has failed. What is built is
# below target/c-tests/executors/CC/.
set -u

compilers='' flags='' lib=target/btwq/libbtwq.a command=''
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
	*) sed -n '3,17s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
	shift
done

cd "$(dirname "$0")/../.." || exit 2
[ -f "$lib" ] || { echo "$0: $lib is missing; 'make lib' builds it" >&2; exit 2; }

# have COMMAND PACKAGE: what is missing is an error, never a test left out.
have() {
	command -v "$1" >/dev/null && return
	echo "$0: $1 is missing; it is in Debian's package $2" >&2
	exit 2
}

# have_library NAME PACKAGE
have_library() {
	pkg-config --exists "$1" && return
	echo "$0: $1 is missing; it is in Debian's package $2" >&2
	exit 2
}

have pkg-config pkg-config
have_library libuv libuv1-dev
have_library glib-2.0 libglib2.0-dev

c_flags="-std=c99 -O2 -g -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion"
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

# build_and_run CC NAME SOURCE MORE...: where MORE are flags of this program alone. Headers of
# libraries are the system's, in which warnings are not ours.
build_and_run() {
	cc=$1 name=$2 source=$3
	shift 3
	program=$out/$name
	# shellcheck disable=SC2086 # flags, and the command, are words
	{
		"$cc" $c_flags $flags -Iinclude "$source" -o "$program" "$lib" "$@" -pthread -ldl -lm \
			>"$program.log" 2>&1 && $command "$program" >"$program.log" 2>&1
	}
	report "${cc##*/}/$name" $? "$program.log"
}

# library LIBRARY: its flags, its folders being the system's.
library() {
	pkg-config --cflags --libs "$1" | sed 's/-I/-isystem /g'
}

# fold CC LINKER: identical functions become one, but the helpers.
fold() {
	if command -v "ld.$2" >/dev/null; then
		build_and_run "$1" "helpers_distinct-$2" c-tests/helpers_distinct.c \
			-ffunction-sections "-fuse-ld=$2" -Wl,--icf=all
	else
		echo "${1##*/}/helpers_distinct-$2 left out: ld.$2 is missing"
	fi
}

for cc in ${compilers:-gcc clang}; do
	have "$cc" "$cc"
	out=target/c-tests/executors/${cc##*/}
	mkdir -p "$out"
	# shellcheck disable=SC2046 # flags are words
	{
		build_and_run "$cc" executor_libuv c-tests/executors/executor_libuv.c $(library libuv)
		build_and_run "$cc" executor_glib c-tests/executors/executor_glib.c $(library glib-2.0)
	}
	fold "$cc" gold
	fold "$cc" lld
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
