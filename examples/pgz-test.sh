#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# usage: examples/pgz-test.sh PGZ
#
# Checks a pgz binary against gunzip, gzip's habits and the system's ways of failing. One line per
# check; a check that fails shows what it printed. The last line counts them; exit
# status 1 if any failed.
#
# PGZ_SANITIZED=1 says that the binary is built with a sanitizer: what limits or measures its memory
# is left out then.

set -u
export LC_ALL=C

if [ $# -ne 1 ] || [ ! -x "$1" ]; then
    echo "usage: $0 PGZ" >&2
    exit 2
fi
PGZ=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
SANITIZED=${PGZ_SANITIZED:-}
KIB=1024
BLOCK=$((128 * KIB))

# A process that hangs is ended, and its check fails.
TIMED=(timeout -k 5 120)
WORK=$(mktemp -d "${TMPDIR:-/tmp}/pgz-test.XXXXXX") || exit 2
cleanup() {
    # shellcheck disable=SC2046 # one word per process
    kill $(jobs -p) 2>/dev/null
    chmod -R u+rwx "$WORK" 2>/dev/null
    rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
chmod 755 "$WORK"

passed=0
failed=0

# check NAME COMMAND...: runs the command in an empty directory of its own; any failure is its end.
check() {
    local name=$1 dir log
    shift
    dir=$(mktemp -d "$WORK/check.XXXXXX")
    log=$WORK/log
    chmod 755 "$dir"
    (set -eu -o pipefail; cd "$dir"; "$@") >"$log" 2>&1 </dev/null
    # No && or || around the line above: they would switch off its `set -e`.
    # shellcheck disable=SC2181
    if [ $? -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok      $name"
    else
        failed=$((failed + 1))
        echo "FAILED  $name"
        sed 's/^/        | /' "$log"
    fi
    chmod -R u+rwx "$dir"
    rm -rf "$dir"
}

skip() { echo "skipped $1: $2"; }

die() { echo "$*" >&2; exit 1; }

pgz() { "${TIMED[@]}" "$PGZ" "$@"; }

# expect STATUS PATTERN COMMAND...: its exit status, and what it says on stderr (nothing, if empty).
expect() {
    local status=$1 pattern=$2 got=0
    shift 2
    "$@" 2>err || got=$?
    cat err >&2 # the command's output may be redirected, and this with it
    [ "$got" -eq "$status" ] || die "exit status $got instead of $status: $*"
    if [ -z "$pattern" ]; then
        [ ! -s err ] || die "a message where none was expected"
    else
        grep -q -- "$pattern" err || die "no message with: $pattern"
    fi
}

# wait_for COMMAND...: until it succeeds.
wait_for() {
    local end=$((SECONDS + 60))
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || die "waited in vain for: $*"
        sleep 0.01
    done
}

absent() { [ ! -e "$1" ] || die "$1 is there"; }

# The file and what a gzip file gives back are the same, and gzip finds it whole.
same_as() {
    gzip -t <"$2"
    gunzip -c <"$2" | cmp - "$1"
}

bytes_at() { od -An -v -tu1 -j "$2" -N "$3" "$1" | tr -s ' \n' ' '; }

random() { head -c "$1" /dev/urandom; }

# Something that compresses neither too well nor too badly; DATA is 12 MB of programs.
DATA=$WORK/data
find /usr/bin /usr/lib -type f -size +64k -size -4096k -print0 2>/dev/null | sort -z |
    xargs -0 cat 2>/dev/null | head -c 12000000 >"$DATA"
[ -s "$DATA" ] || { echo "$0: no data to compress" >&2; exit 2; }

# ---------------------------------------------------------------- contents

round_trip() { # SIZE FROM OPTION...
    local size=$1 from=$2
    shift 2
    head -c "$size" "$from" >x
    [ "$(stat -c %s x)" -eq "$size" ]
    pgz -k "$@" x
    same_as x x.gz
    # One member: the length in the last trailer is that of the whole.
    [ "$(gzip -l x.gz | awk 'NR == 2 { print $2 }')" -eq "$size" ] || die "not one member"
    pgz -dc x.gz | cmp - x
}

check "empty input" round_trip 0 /dev/zero
check "one byte" round_trip 1 "$DATA"
check "shorter than a block" round_trip 1000 "$DATA"
check "a block less one byte" round_trip $((BLOCK - 1)) "$DATA"
check "exactly one block" round_trip $BLOCK "$DATA"
check "a block and one byte" round_trip $((BLOCK + 1)) "$DATA"
check "exactly 16 blocks" round_trip $((16 * BLOCK)) "$DATA"
check "many blocks" round_trip 12000000 "$DATA"
check "incompressible blocks" round_trip $((10 * BLOCK + 17)) /dev/urandom
check "zeros" round_trip $((40 * BLOCK)) /dev/zero
for level in 1 2 3 4 5 6 7 8 9; do
    check "level $level" round_trip 1500000 "$DATA" -$level
    check "level $level, incompressible" round_trip 600000 /dev/urandom -$level
done
for kib in 32 33 64 100 512 4096; do
    check "blocks of $kib KiB" round_trip 3000000 "$DATA" -b $kib
done

threads_agree() {
    pgz -c -p 1 "$DATA" >1.gz
    same_as "$DATA" 1.gz
    for n in 2 3 4 5 6 7 8; do
        pgz -c -p $n "$DATA" | cmp - 1.gz
    done
}
check "the same output with 1 to 8 threads" threads_agree

many_runs() {
    head -c 700000 "$DATA" >x
    pgz -c -b 32 x >first
    for _ in $(seq 40); do pgz -c -b 32 -p 4 x | cmp - first; done
}
check "the same output in 40 runs" many_runs

many_files() {
    for i in $(seq 60); do head -c $((i * 5000)) "$DATA" >"f$i"; done
    pgz -k -b 32 f*
    for i in $(seq 60); do gunzip -c "f$i.gz" | cmp - "f$i"; done
}
check "one engine for 60 files" many_files

# ---------------------------------------------------------------- standard input and output

check_pipe() {
    head -c 1000000 "$DATA" >x
    pgz <x >a.gz
    same_as x a.gz
    [ "$(bytes_at a.gz 3 1)" = " 0 " ] || die "a name, though there is none"
    # shellcheck disable=SC2002 # a pipe is what is wanted
    cat x | pgz - >b.gz
    same_as x b.gz
    [ "$(bytes_at b.gz 4 4)" = " 0 0 0 0 " ] || die "a time, though there is none"
    # shellcheck disable=SC2002
    cat x | pgz | pgz -d | cmp - x
    pgz -o c.gz <x
    same_as x c.gz
    (head -c 300000 x; sleep 0.05; tail -c +300001 x) | pgz -b 64 | gunzip | cmp - x
}
check "standard input and output" check_pipe

check_header() {
    mkdir sub
    echo hello >sub/name
    touch -d @1234567890 sub/name
    pgz -ck sub/name >x.gz
    [ "$(bytes_at x.gz 0 4)" = " 31 139 8 8 " ] || die "magic, method, flags"
    [ "$(bytes_at x.gz 4 4)" = " 210 2 150 73 " ] || die "time"
    [ "$(bytes_at x.gz 8 2)" = " 0 3 " ] || die "level, system"
    [ "$(bytes_at x.gz 10 5)" = " 110 97 109 101 0 " ] || die "name"
    [ "$(pgz -c9 sub/name | od -An -tu1 -j8 -N1)" -eq 2 ]
    [ "$(pgz -c1 sub/name | od -An -tu1 -j8 -N1)" -eq 4 ]
    touch -d @-5 sub/name
    pgz -c sub/name >y.gz
    [ "$(bytes_at y.gz 4 4)" = " 0 0 0 0 " ] || die "time before 1970"
}
check "header: name, time, level" check_header

check_concatenated() {
    echo one >a
    echo two >b
    pgz -c a b >ab.gz
    [ "$(gunzip -c ab.gz)" = "$(cat a b)" ]
    [ "$(pgz -dc ab.gz)" = "$(cat a b)" ]
    pgz a b
    cat a.gz b.gz | pgz -d | grep -q two
    : | gzip -c | cat - a.gz | pgz -d | grep -q one
}
check "concatenated members" check_concatenated

check_closed_stdout() {
    echo hello >x
    expect 1 'pgz: stdout: ' pgz -c x >&-
}
check "closed standard output" check_closed_stdout

# ---------------------------------------------------------------- files and options

check_names() {
    echo hello >x
    expect 0 '' pgz x
    absent x
    [ "$(gunzip -c x.gz)" = hello ]
    expect 0 '' pgz -d x.gz
    absent x.gz
    pgz -k x && [ -e x ] && rm x.gz
    pgz -c x >/dev/null && [ -e x ]
    absent x.gz
    pgz -o y x && [ -e x ] && [ "$(gunzip -c <y)" = hello ]
    pgz -d -o z x.gz 2>/dev/null && die "x.gz does not exist"
    pgz -do z y && [ "$(cat z)" = hello ]
}
check "FILE becomes FILE.gz; -k, -c, -o keep it" check_names

check_flags() {
    echo hello >x
    echo old >x.gz
    pgz -9kf x
    same_as x x.gz
    pgz x -fkp4 -b64
    same_as x x.gz
    pgz -kfp 2 -b 256 x -1
    same_as x x.gz
    pgz -kfox.out x
    same_as x x.out
    cp x ./-k
    pgz -c -- -k | gunzip | cmp - x
    pgz -- -k x 2>err && die "x.gz is there"
    absent ./-k
    [ -e x ] && [ -e ./-k.gz ]
}
check "combined flags, values, FILEs between options, --" check_flags

check_help() {
    for option in -h --help; do
        pgz $option | grep -q 'usage: pgz'
    done
    for option in -V --version; do
        pgz $option | grep -q '^pgz [0-9]'
    done
    expect 1 'pgz: stdout: No space left' pgz --help >/dev/full
}
check "help and version" check_help

check_usage() {
    echo hello >x
    for bad in -0 -x --bogus -p0 -px -p1x -p-1 -p99999 -p99999999999999999999 -b31 -bx -b1048577; do
        expect 2 'pgz: .*-' pgz $bad x
        absent x.gz
    done
    for bad in -p -b -o; do
        expect 2 'needs a value' pgz x $bad
    done
    expect 2 'pgz: -o' pgz -o y x x
    expect 2 'pgz: -o' pgz -c -o y x
    absent y
}
check "wrong usage" check_usage

check_attributes() {
    for mode in 400 600 640 755; do
        rm -f x x.gz
        echo hello >x
        chmod $mode x
        touch -d '2001-02-03 04:05:06.789' x
        if [ "$(id -u)" -eq 0 ]; then chown 12:34 x; fi
        stat -c '%a %u %g %y' x >before
        pgz -k x
        stat -c '%a %u %g %y' x.gz | cmp - before
        rm -f x
        pgz -d x.gz
        stat -c '%a %u %g %y' x | cmp - before
        pgz -o y -f x
        stat -c '%a %u %g %y' y | cmp - before
    done
}
check "mode, owner, times are kept" check_attributes

check_several() {
    echo 1 >a
    echo 2 >b
    mkdir d
    expect 1 'pgz: missing: No such file' pgz a missing d b
    grep -q 'pgz: d: is a directory' err
    [ -e a.gz ] && [ -e b.gz ]
    absent a
    expect 2 'pgz: d: is a directory' pgz -d a.gz d b.gz
    [ "$(cat a b)" = "$(printf '1\n2')" ]
}
check "after an error on with the next FILE" check_several

check_quiet() {
    mkdir d
    expect 2 '' pgz -q d
    expect 1 'missing' pgz -q missing
}
check "-q silences warnings, not errors" check_quiet

check_suffixes() {
    for name in a.gz a.GZ a-gz a.z a-z a_z a.Z a.tgz a.taz; do
        echo hello >$name
        expect 2 "pgz: $name: " pgz $name
        [ -e $name ]
    done
    pgz -f a.gz
    [ -e a.gz.gz ]
    pgz -c a.z | gunzip | grep -q hello
    echo hello >.gz
    pgz .gz
    pgz -d .gz.gz
    [ "$(cat .gz)" = hello ]
}
check "suffixes when compressing" check_suffixes

check_suffixes_d() {
    local pair
    echo hello | gzip -c >orig
    for pair in b.gz:b b.GZ:b b-gz:b b.z:b b-z:b b_z:b b.tgz:b.tar b.TAZ:b.tar; do
        rm -f b b.tar
        cp orig "${pair%:*}"
        expect 0 '' pgz -d "${pair%:*}"
        [ "$(cat "${pair#*:}")" = hello ] || die "$pair"
        absent "${pair%:*}"
    done
    expect 2 'unknown suffix' pgz -d orig
    [ "$(pgz -dc orig)" = hello ]
}
check "suffixes when decompressing" check_suffixes_d

check_kinds() {
    echo hello >x
    mkdir d
    mkfifo p
    ln -s x s
    expect 2 'd: is a directory' pgz d
    expect 2 'd: is a directory' pgz -c d
    expect 2 'stdin: is a directory' pgz <d >/dev/null
    expect 2 'p: is not a regular file' pgz p
    expect 1 's: is a symbolic link' pgz s
    [ "$(pgz -c s | gunzip)" = hello ]
    pgz -kf s && [ "$(gunzip -c s.gz)" = hello ]
    ln x l
    expect 2 'x: has another hard link' pgz x
    pgz -kf x && rm l x.gz
    chmod u+s x
    expect 2 'x: has a set-ID' pgz x
    pgz -f x
    [ ! -u x.gz ] || die "the set-ID bit was kept"
    (echo from a pipe >p) &
    [ "$(pgz -c p | gunzip)" = "from a pipe" ]
    pgz -c /dev/null | gunzip | cmp - /dev/null
}
check "directories, pipes, links, set-ID files" check_kinds

check_proc() {
    [ -r /proc/version ] || exit 0
    expect 0 '' pgz -c /proc/version >x.gz
    gunzip -c x.gz | cmp - /proc/version
}
check "a file that does not know its size" check_proc

# ---------------------------------------------------------------- the output's troubles

check_exists() {
    echo hello >x
    echo old >x.gz
    expect 2 'x.gz: exists; -f' pgz x
    [ "$(cat x.gz)" = old ] && [ -e x ]
    expect 2 'x.gz: exists; -f' pgz -o x.gz x
    [ "$(cat x.gz)" = old ]
    pgz -f x
    [ "$(gunzip -c x.gz)" = hello ]
    absent x
    echo new >x
    expect 2 'x: exists; -f' pgz -d x.gz
    [ "$(cat x)" = new ] && [ -e x.gz ]
    mkdir d.gz
    echo hello >d
    expect 2 'd.gz: ' pgz d
    expect 1 'd.gz: exists and is not a file' pgz -f d
    expect 1 'irectory' pgz -o d.gz d
    expect 1 'No such file' pgz -o nowhere/y d
    ln -s nothing dangling
    expect 1 'dangling: ' pgz -fo dangling d
    [ -e d ] && [ -d d.gz ] && [ -L dangling ]
}
check "output that exists" check_exists

check_same() {
    head -c 100000 "$DATA" >x
    cp x copy
    expect 1 'x: is the input' pgz -f -o x x
    # shellcheck disable=SC2094 # that is the point
    expect 1 'stdout: is the input' pgz -c x >>x
    # shellcheck disable=SC2094
    expect 1 'stdout: is the input' pgz <x >>x
    cmp x copy
}
check "output that is the input" check_same

check_devices() {
    echo hello >x
    pgz -o /dev/null x
    [ -c /dev/null ]
    expect 1 '/dev/full: No space left' pgz -o /dev/full x
    [ -c /dev/full ] && [ -e x ]
    mkfifo p
    pgz -o p x &
    [ "$(gunzip -c <p)" = hello ]
    wait $!
    [ -p p ]
}
check "devices and pipes as output" check_devices

check_full() {
    local p
    for p in 1 2 4; do
        expect 1 'pgz: stdout: No space left on device' pgz -p $p -c "$DATA" >/dev/full
        [ "$(wc -l <err)" -eq 1 ]
        : >empty
        expect 1 'pgz: stdout: No space left on device' pgz -p $p <empty >/dev/full
    done
    gzip -c "$DATA" >x.gz
    expect 1 'pgz: stdout: No space left on device' pgz -dc x.gz >/dev/full
}
check "/dev/full" check_full

# A full disk of its own, in a mount namespace of its own, so that nothing is left behind.
small_disk() {
    mkdir disk
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare "$@" sh -c 'mount -t tmpfs -o size=1m tmpfs disk && cd disk || exit 99
        : >there
        "$1" -p 2 -o out.gz "$2" 2>../err
        status=$?
        cat ../err
        [ $status -eq 1 ] || exit 1
        grep -q "out.gz: No space left on device" ../err || exit 1
        [ "$(ls -A)" = there ] || { ls -lA; exit 1; }
        "$1" -c "$2" 2>/dev/null | "$1" -d -o out 2>../err
        [ $? -eq 1 ] && [ "$(ls -A)" = there ]' sh "$PGZ" "$DATA"
}
unshare_options=
# shellcheck disable=SC2015,SC2016 # expanded by the inner shell
for options in -m -rm; do
    unshare $options sh -c 'mount -t tmpfs -o size=1m tmpfs "$1"' sh "$WORK" 2>/dev/null &&
        unshare_options=$options && break
done
if [ -n "$unshare_options" ]; then
    check "a full disk" small_disk $unshare_options
else
    skip "a full disk" "no permission to mount one"
fi

check_limit() {
    random 1000000 >x
    (ulimit -f 200; expect 1 'x.gz: File too large' pgz x)
    absent x.gz
    gzip -kc x >y.gz
    (ulimit -f 200; expect 1 'y: File too large' pgz -d y.gz)
    absent y
    [ -e x ] && [ -e y.gz ]
}
check "a limit of the file size" check_limit

check_pipe_closed() {
    local status
    random 5000000 >x
    for options in -p1 -p2 -p4 -q; do
        # The reader leaves after ten bytes; 5 MB do not fit in a pipe.
        status=0
        { "${TIMED[@]}" "$PGZ" -c $options x x 2>err || echo $? >status; } | head -c 10 >/dev/null
        cat err
        [ "$(cat status)" -eq 1 ]
        [ "$(cat err)" = "pgz: stdout: Broken pipe" ]
    done
}
check "a pipe that the reader closes" check_pipe_closed

# ---------------------------------------------------------------- the input's troubles

check_unreadable() {
    echo hello >x
    chmod 000 x
    if [ "$(id -u)" -ne 0 ]; then
        expect 1 'x: Permission denied' pgz x
    elif command -v setpriv >/dev/null; then
        cp "$PGZ" pgz-copy # where anyone may run it
        chmod 777 .
        expect 1 'x: Permission denied' setpriv --reuid=65534 --regid=65534 --clear-groups \
            ./pgz-copy x
    fi
    absent x.gz
    # Opens, but does not read.
    [ ! -e /proc/self/mem ] || expect 1 'pgz: /proc/self/mem: Input/output error' \
        pgz -c /proc/self/mem >/dev/null
    [ ! -e /proc/self/mem ] || expect 1 'pgz: /proc/self/mem: Input/output error' \
        pgz -o x.gz /proc/self/mem
    absent x.gz
}
check "input that cannot be read" check_unreadable

# With its output in a pipe that is not read, pgz stands still in the midst of its input.
check_changes() {
    local how=$1
    head -c 12000000 /dev/urandom >x
    cp x before
    mkfifo p
    pgz -c x >p 2>err &
    exec 3<p
    head -c 1000 <&3 >out.gz # more than the header, so a block has been read
    case $how in
    shrink) truncate -s 9000000 x ;;
    grow) cat before >>x ;;
    empty) : >x ;;
    esac
    cat <&3 >>out.gz
    exec 3<&-
    wait $! && die "no warning"
    [ $? -eq 2 ]
    grep -q 'pgz: x: changed while it was read' err
    gunzip -c out.gz >seen
    [ -s seen ]
    case $how in
    shrink | empty) cmp -n "$(stat -c %s seen)" seen before ;;
    grow) cat before before | cmp - seen ;;
    esac
}
for how in shrink grow empty; do
    check "input that changes while it is read: $how" check_changes $how
done

check_kept() {
    truncate -s 600M x
    "$PGZ" -1 x 2>err &
    wait_for test -s x.gz
    kill -STOP $!
    echo more >>x
    kill -CONT $!
    wait $! && die "no warning"
    [ $? -eq 2 ]
    grep -q 'changed while it was read' err
    [ -s x ] && [ -s x.gz ]
}
check "input that changes is kept" check_kept

check_damaged() {
    head -c 1000000 "$DATA" | gzip -c >good.gz
    head -c 100000 good.gz >cut.gz
    expect 1 'cut.gz: unexpected end of file' pgz -d cut.gz
    absent cut
    cp good.gz flipped.gz
    printf '\377\377\377\377' | dd of=flipped.gz bs=1 seek=100000 conv=notrunc 2>/dev/null
    expect 1 'pgz: flipped.gz: ' pgz -d flipped.gz
    (head -c -8 good.gz; printf '\1\2\3\4'; tail -c 4 good.gz) >crc.gz
    expect 1 'pgz: crc.gz: incorrect data check' pgz -d crc.gz
    absent crc
    echo 'no gzip file at all' >text.gz
    expect 1 'text.gz: not in gzip format' pgz -d text.gz
    : >empty.gz
    expect 1 'empty.gz: unexpected end of file' pgz -d empty.gz
    (cat good.gz; echo garbage) >tail.gz
    expect 2 'tail.gz: .*garbage' pgz -d tail.gz
    gunzip -c good.gz | cmp - tail
    (cat good.gz; head -c 300000 /dev/zero) >zeros.gz
    expect 0 '' pgz -d zeros.gz
    gunzip -c good.gz | cmp - zeros
    # Members that end around the border of a buffer.
    for n in 131071 131072 131073; do
        random $((n - 41)) | gzip -1 -c >a.gz
        cat a.gz a.gz good.gz >three.gz
        gunzip -c three.gz >want
        pgz -dc three.gz | cmp - want
    done
}
check "damaged input of -d" check_damaged

# ---------------------------------------------------------------- signals

# With job control a background job does not ignore SIGINT.
check_signal() {
    local signal=$1 status=0
    set -m
    echo first >a
    truncate -s 4G x
    "$PGZ" -1 -p 2 a x &
    wait_for test -s x.gz
    kill -"$signal" $!
    wait $! || status=$?
    [ $status -eq $((128 + $(kill -l "$signal"))) ] || die "exit status $status"
    absent x.gz
    absent a
    [ "$(gunzip -c a.gz)" = first ] && [ -e x ]
}
for signal in INT TERM HUP; do
    check "SIG$signal removes the partial output, and only that" check_signal $signal
done

check_ignored() {
    mkfifo p
    (trap '' HUP; exec "$PGZ" -c p >x.gz) &
    exec 3>p
    kill -HUP $!
    echo hello >&3
    exec 3>&-
    wait $!
    [ "$(gunzip -c x.gz)" = hello ]
}
check "an ignored signal stays ignored" check_ignored

# ---------------------------------------------------------------- terminals

if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
    check_terminal() {
        script -qec "'$PGZ' </dev/null" /dev/null >out </dev/null && die "no error"
        grep -q 'compressed data is not for a terminal' out
        script -qec "echo hello >x; '$PGZ' -cf x" /dev/null </dev/null | tr -d '\r' | grep -qa x
        script -qec "echo hello | '$PGZ' | '$PGZ' -d" /dev/null </dev/null | grep -q hello
        script -qec "'$PGZ' -d" /dev/null >out </dev/null && die "no error"
        grep -q 'not typed in' out
    }
    check "terminals get no compressed data" check_terminal

    check_bar() {
        truncate -s 800M x
        script -qec "'$PGZ' -p 1 -o /dev/null x" /dev/null >out </dev/null
        tr '\r' '\n' <out | grep -q '^pgz: x \[#.*\]  *[0-9]* %  [0-9]* MB, [0-9]* MB/s'
        # Erased at the end: nothing but blanks between the last two returns.
        tr '\r' '\n' <out | tail -n 2 | grep -q '^ *$'
        script -qec "'$PGZ' -q -p 1 -o /dev/null x" /dev/null >out </dev/null
        [ ! -s out ] || die "a bar in spite of -q"
        echo hello >y
        script -qec "'$PGZ' y" /dev/null >out </dev/null
        [ ! -s out ] || die "a bar for a small file"
    }
    check "a progress bar after a second, on a terminal only" check_bar
else
    skip "terminals and progress bar" "needs script(1)"
fi

# ---------------------------------------------------------------- memory and ratio

# A file of 4 GiB and 5 bytes: more than the trailer can count.
peak_of() {
    local peak=0 now
    while now=$(awk '/^VmHWM/ { print $2 }' "/proc/$1/status" 2>/dev/null) && [ -n "$now" ]; do
        peak=$now
        sleep 0.05
    done
    echo "$peak"
}

check_sparse() {
    local peak
    truncate -s $((4 * KIB * KIB * KIB + 5)) x
    "$PGZ" -1 -o x.gz x &
    peak=$(peak_of $!)
    wait $!
    echo "peak $peak KiB"
    [ "$peak" -gt 0 ] && [ "$peak" -lt $((100 * KIB)) ]
    [ "$(od -An -tu1 -j $(($(stat -c %s x.gz) - 4)) x.gz | tr -s ' ')" = " 5 0 0 0" ]
    "$PGZ" -dc x.gz | cmp - x
}

check_memory() {
    truncate -s 1G x
    (ulimit -v 150000; expect 1 'not enough memory: a smaller -p or -b' pgz -b 200000 x)
    absent x.gz
    (ulimit -v 150000; expect 1 'fewer with -p' pgz -p 1000 x)
    absent x.gz
    [ -e x ]
}

if [ -n "$SANITIZED" ]; then
    skip "4 GiB in less than 100 MiB; no memory" "a sanitizer's memory is its own"
else
    [ ! -r /proc/self/status ] || check "4 GiB in less than 100 MiB" check_sparse
    check "too little memory" check_memory
fi

check_ratio() {
    local ours theirs
    ours=$("$PGZ" -c "$@" "$DATA" | wc -c)
    theirs=$(pigz -c "$@" -p 2 "$DATA" | wc -c)
    echo "pgz $ours, pigz $theirs"
    [ $((ours * 100)) -le $((theirs * 101)) ]
}
if command -v pigz >/dev/null; then
    for options in '-1 -b 128' '-6 -b 128' '-9 -b 128' '-6 -b 64' '-6 -b 1024'; do
        # shellcheck disable=SC2086 # several words
        check "as small as pigz within 1 %: $options" check_ratio $options
    done
else
    skip "as small as pigz within 1 %" "pigz is not installed"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
