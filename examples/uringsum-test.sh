#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# usage: examples/uringsum-test.sh URINGSUM
#
# Checks an uringsum binary, by io_uring and by POSIX AIO, against python3's zlib.crc32. Where the
# kernel refuses io_uring that is said, and both rounds go by AIO. One line per check; a check that
# fails shows what it printed. The last line counts them; exit status 1 if any failed.
#
# URINGSUM_SANITIZED=1 says that the binary is built with a sanitizer, or runs under valgrind: what
# limits or measures its memory is left out then.

set -u
export LC_ALL=C

if [ $# -ne 1 ] || [ ! -x "$1" ]; then
    echo "usage: $0 URINGSUM" >&2
    exit 2
fi
URINGSUM=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
SANITIZED=${URINGSUM_SANITIZED:-}
BLOCK=$((128 * 1024))
command -v python3 >/dev/null || { echo "$0: python3 is missing" >&2; exit 2; }

# A process that hangs is ended, and its check fails.
TIMED=(timeout -k 5 60)
WORK=$(mktemp -d "${TMPDIR:-/tmp}/uringsum-test.XXXXXX") || exit 2
cleanup() {
    # shellcheck disable=SC2046 # one word per process
    kill $(jobs -p) 2>/dev/null
    rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

passed=0
failed=0
round= # "io_uring: " or the like

# check NAME COMMAND...: runs the command in an empty directory of its own; any failure is its end.
check() {
    local name=$round$1 dir log=$WORK/log
    shift
    dir=$(mktemp -d "$WORK/check.XXXXXX")
    (set -eu -o pipefail; cd "$dir"; "$@") >"$log" 2>&1 </dev/null
    # No && or || around the line above: they would switch off its `set -e`.
    # shellcheck disable=SC2181
    if [ $? -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok      $name"
    else
        failed=$((failed + 1))
        echo "FAILED  $name"
        head -n 50 "$log" | sed 's/^/        | /'
    fi
    rm -rf "$dir"
}

skip() { echo "skipped $round$1: $2"; }

die() { echo "$*" >&2; exit 1; }

BACKEND=() # options of every call: () or (--aio)
uringsum() { "${TIMED[@]}" "$URINGSUM" "${BACKEND[@]}" "$@"; }

# expect STATUS PATTERN COMMAND...: its exit status, and what it says on stderr (nothing, if empty).
expect() {
    local status=$1 pattern=$2 got=0
    shift 2
    "$@" 2>err || got=$?
    cat err >&2
    [ "$got" -eq "$status" ] || die "exit status $got instead of $status: $*"
    if [ -z "$pattern" ]; then
        [ ! -s err ] || die "a message where none was expected"
    else
        grep -q -- "$pattern" err || die "no message with: $pattern"
    fi
}

# expected BLOCK FILE...: what `uringsum -v -b BLOCK FILE...` is to print.
cat >"$WORK/expected.py" <<'EOF'
import sys, zlib
block = int(sys.argv[1])
for name in sys.argv[2:]:
    with open(name, "rb") as file:
        data = file.read()
    for offset in range(0, len(data), block):
        part = data[offset:offset + block]
        print("  %08x %d %d" % (zlib.crc32(part), offset, len(part)))
    print("%08x %d %s" % (zlib.crc32(data), len(data), name))
EOF
expected() { python3 "$WORK/expected.py" "$@"; }

# refused COMMAND...: where a filter of system calls has io_uring_setup fail, as containers have it.
cat >"$WORK/refused.py" <<'EOF'
import ctypes, os, struct, sys
code = b"".join(struct.pack("HBBI", *line) for line in (
    (0x20, 0, 0, 0),            # load the call's number
    (0x15, 0, 1, 425),          # io_uring_setup, but on Alpha and MIPS
    (0x06, 0, 0, 0x00050001),   # then EPERM
    (0x06, 0, 0, 0x7fff0000)))  # else go on
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]
libc = ctypes.CDLL(None, use_errno=True)
program = Program(len(code) // 8, code)
if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.byref(program), 0, 0) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[1], sys.argv[1:])
EOF
refused() { "${TIMED[@]}" python3 "$WORK/refused.py" "$@"; }

random() { head -c "$1" /dev/urandom; }

# same BLOCK OPTION... -- FILE...: all that is printed is as it must be.
same() {
    local block=$1 options=()
    shift
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    expected "$block" "$@" >want
    expect 0 'uringsum: by ' uringsum -v -b "$block" "${options[@]}" "$@" >got
    cmp want got
    grep -v '^  ' want >want-short
    expect 0 '' uringsum -b "$block" "${options[@]}" "$@" >got
    cmp want-short got
}

# ---------------------------------------------------------------- contents

check_size() { # BLOCK SIZE OPTION...
    random "$2" >x
    same "$1" "${@:3}" -- x
}

check_files() {
    local i
    for i in $(seq 40); do
        random $((i * i * 100 % 70001)) >"f$i"
    done
    : >empty
    same 4096 -- f* empty f1 empty
    same $BLOCK -q 3 -- f* empty f1 empty
    same 1000 -q 200 -j 3 -- empty
}

# ---------------------------------------------------------------- errors, each in its place

check_missing() {
    random 300000 >a
    random 10 >b
    expected $BLOCK a b | grep -v '^  ' >want
    expect 1 '^uringsum: none: No such file or directory$' uringsum none a none b >got
    cmp want got
    [ "$(wc -l <err)" -eq 2 ]
    uringsum a none b none >both 2>&1 && die "no error"
    sed -i 's/^uringsum: none:.*/E/' both
    (head -n 1 want; echo E; tail -n 1 want; echo E) | cmp - both
}

check_unfit() {
    mkdir dir
    mkfifo pipe
    expect 1 'dir: Is a directory' uringsum dir >got
    expect 1 'pipe: neither a file nor a block device; copy it' uringsum pipe >got
    expect 1 'null: neither a file nor a block device; copy it' uringsum /dev/null >got
    echo | expect 1 'stdin: neither a file' uringsum /dev/stdin >got
    [ ! -s got ]
    [ ! -r /proc/self/status ] || expect 1 'not tell its size' uringsum /proc/self/status >got
    echo hello >x
    chmod 000 x
    if [ "$(id -u)" -ne 0 ]; then
        expect 1 'x: Permission denied' uringsum x
    fi
}

# Standing still in its output, which nobody reads, uringsum has not come to the second half.
check_shrinks() {
    truncate -s 64M x
    expected 4096 x | sed -n 1,8192p >want
    mkfifo p
    "${TIMED[@]}" "$URINGSUM" "${BACKEND[@]}" -v -b 4K x >p 2>err &
    exec 3<p
    head -c 100 <&3 >got
    truncate -s 32M x
    cat <&3 >>got
    exec 3<&-
    wait $! && die "no error"
    [ $? -eq 1 ]
    tail -n 2 err
    cmp want got
    grep -q 'uringsum: x: at 33554432: no more data, though the file was longer' err
    [ "$(sed -n 2p err)" = "$(grep -m 1 ' at ' err)" ]
    grep -q '^uringsum: x: 8192 blocks could not be read$' err
}

# Files of Linux that are as bad disks are.
PAGED=/sys/kernel/btf/vmlinux            # a read gives a page at most
SHORTER=/sys/devices/system/cpu/online   # says 4096 bytes, and has a few
ERRING=/sys/class/net/lo/speed           # opens, but does not read

check_short_reads() { same $((64 * 1024)) -- "$1"; same 5000 -q 5 -- "$1"; }

check_shorter() {
    local size
    size=$(wc -c <"$1")
    expect 1 "uringsum: $1: at $size: no more data" uringsum "$1" >got
    expect 1 "uringsum: $1: .* blocks could not be read; -v names" uringsum -b 1K "$1" >got
    [ ! -s got ]
    [ "$(wc -l <err)" -eq 2 ]
}

check_read_error() {
    local error
    error=$(cat "$1" 2>&1 >/dev/null) && return 1
    random 200000 >a
    expected $BLOCK a | grep -v '^  ' >want
    expect 1 "^uringsum: $1: at 0: ${error##*: }\$" uringsum "$1" a >got
    cmp want got
}

check_device() {
    local device
    random $((3 * BLOCK + 512)) >x
    device=$(losetup -r -f --show x)
    # shellcheck disable=SC2064 # now
    trap "losetup -d '$device'" EXIT
    same $BLOCK -- "$device"
}

# Memory for blocks in flight and no more.
check_memory() {
    local peak
    truncate -s 512M x
    peak=$(python3 - "$URINGSUM" "${BACKEND[@]}" -q 8 x <<'EOF'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
EOF
    )
    echo "peak $peak KiB"
    [ "$peak" -gt 0 ] && [ "$peak" -lt 20000 ]
    (ulimit -v 900000; expect 1 'x: at 0: not enough memory; a smaller -b or -q' \
        uringsum -b 1024M -q 2 x)
}

check_output() {
    echo hello >x
    expect 1 'uringsum: stdout: ' uringsum x >/dev/full
    expect 1 'uringsum: stdout: ' uringsum --help >/dev/full
}

check_round() {
    local size options
    for size in 0 1 $((BLOCK - 1)) $BLOCK $((BLOCK + 1)) $((2 * BLOCK)) $((16 * BLOCK)); do
        check "$size bytes" check_size $BLOCK "$size"
    done
    check "blocks of one byte" check_size 1 3000
    for options in '-q 1' '-q 2 -j 1' '-q 7 -j 2' '-q 1024 -j 8'; do
        # shellcheck disable=SC2086 # several words
        check "1000 blocks, $options" check_size 4096 $((4096 * 1000 + 1)) $options
    done
    check "large blocks" check_size $((5 * 1024 * 1024)) $((16 * 1024 * 1024 + 5))
    check "many files" check_files
    check "files that are not there" check_missing
    check "what cannot be read in blocks" check_unfit
    check "a file that shrinks while it is read" check_shrinks
    if [ -r $PAGED ]; then check "short reads" check_short_reads $PAGED
    else skip "short reads" "no $PAGED"; fi
    if [ -r $SHORTER ]; then check "a file shorter than it says" check_shorter $SHORTER
    else skip "a file shorter than it says" "no $SHORTER"; fi
    if [ -r $ERRING ] && ! cat $ERRING >/dev/null 2>&1; then
        check "a read error" check_read_error $ERRING
    else skip "a read error" "no $ERRING that cannot be read"; fi
    if [ "$(id -u)" -eq 0 ] && losetup -f >/dev/null 2>&1; then check "a block device" check_device
    else skip "a block device" "no permission to make one"; fi
    if [ -z "$SANITIZED" ]; then check "512 MiB in less than 20" check_memory
    else skip "512 MiB in less than 20" "a sanitizer's memory is its own"; fi
    check "output that cannot be written" check_output
}

# ---------------------------------------------------------------- both ways, and the way from one

: >"$WORK/empty"
said=$("$URINGSUM" -v "$WORK/empty" 2>&1 >/dev/null)
echo "Linux $(uname -r): ${said//$'\n'/; }"
case $said in
*'by io_uring'*) round="io_uring: " ;;
*) round="AIO as io_uring is refused: " ;;
esac
check_round
BACKEND=(--aio)
round="AIO: "
check_round
round=

check_signals() {
    random 1000000 >x
    (ulimit -i 4; expect 1 'signals may be pending; a smaller -q or' uringsum x) >got
    [ ! -s got ]
}
if [ "$(ulimit -i)" = unlimited ] || [ "$(ulimit -i)" -gt 4 ]; then
    check "AIO: too few pending signals" check_signals
else
    skip "AIO: too few pending signals" "ulimit -i is $(ulimit -i)"
fi
BACKEND=()

check_refused() {
    random 1000000 >x
    expected $BLOCK x >want
    expect 0 '^uringsum: no io_uring: Operation not permitted$' refused "$URINGSUM" -v x >got
    grep -q '^uringsum: by POSIX AIO$' err
    cmp want got
    expect 0 '' refused "$URINGSUM" x >got
}
if refused true 2>/dev/null; then
    check "AIO where io_uring is refused" check_refused
else
    skip "AIO where io_uring is refused" "no permission to filter system calls"
fi

check_usage() {
    local words
    echo hello >x
    uringsum --help | grep -q '^usage: uringsum'
    for words in '' '-b' '-b 0 x' '-b 2G x' '-b 1025M x' '-b 1.5 x' '-b -1 x' '-b 4KK x' '-q 0 x' \
        '-q 1025 x' '-j 0 x' '-j x' '--what x' '-z x'; do
        # shellcheck disable=SC2086 # several words
        expect 2 . uringsum $words >got
        [ ! -s got ]
    done
}
check "wrong usage" check_usage

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
