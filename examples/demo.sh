#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# usage: examples/demo.sh PGZ [FILE]
#
# Compresses FILE, or about 100 MB of what this machine has, with the pgz binary PGZ, with gzip and,
# where installed, with pigz; has gunzip give each output back, compares it, and prints a table.

set -eu
export LC_ALL=C

SIZE=100000000

die() {
    echo "demo: $*" >&2
    exit 1
}

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: $0 PGZ [FILE]" >&2
    exit 2
fi
pgz=$1
[ -x "$pgz" ] || die "$pgz: no such program; 'make demo' builds it"
case $pgz in */*) ;; *) pgz=./$pgz ;; esac
for tool in gzip gunzip cmp tar awk mktemp; do
    command -v $tool >/dev/null || die "$tool is missing"
done

work=$(mktemp -d "${TMPDIR:-/tmp}/btwq-demo.XXXXXX") || die "no directory for temporary files"
trap 'rm -rf "$work"' EXIT
trap 'echo >&2; exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# One archive of libraries and documents, cut at SIZE: real data, and the same from run to run.
gather() {
    set -- /usr/lib /usr/share
    if sysroot=$(rustc --print sysroot 2>/dev/null) && [ -d "$sysroot/lib" ]; then
        echo "Gathering $((SIZE / 1000000)) MB from the Rust toolchain in $sysroot"
        set -- "$sysroot/lib" "$@"
    else
        echo "Gathering $((SIZE / 1000000)) MB from $*"
    fi
    # tar ends by SIGPIPE when head has enough, and passes over what it may not read.
    { tar -cf - "$@" 2>/dev/null || true; } | head -c $SIZE >"$work/input" ||
        die "could not write $work/input"
    input=$work/input
}

if [ $# -eq 2 ] && [ -n "$2" ]; then
    input=$2
    [ -f "$input" ] && [ -r "$input" ] || die "$input: not a file that can be read"
    case $input in -*) input=./$input ;; esac
else
    gather
fi
size=$(wc -c <"$input")
[ "$size" -gt 0 ] || die "$input: is empty"
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)

now() { date +%s%N; }

# row NAME THREADS COMMAND...: runs it on the input, checks its output, prints a line of the table.
row() {
    name=$1 threads=$2
    shift 2
    start=$(now)
    "$@" <"$input" >"$work/output.gz" || die "$name: failed with exit status $?"
    elapsed=$(($(now) - start))
    gunzip -c <"$work/output.gz" | cmp - "$input" || die "$name: its output is not the input"
    [ "$name" != gzip ] || gzip_elapsed=$elapsed
    [ "$name" != pgz ] || pgz_elapsed=$elapsed
    awk -v name="$name" -v threads="$threads" -v size="$size" -v ns="$elapsed" \
        -v out="$(wc -c <"$work/output.gz")" -v base="$gzip_elapsed" 'BEGIN {
            ns += ns == 0
            printf "%-8s %7d ", name, threads
            printf "%9.1f %9.3f %9.2f\n", size * 1e3 / ns, size / out, base / ns
        }'
}

echo "Compressing $input: $size bytes, $cores cores; each output is checked by gunzip and cmp"
cat "$input" >/dev/null # into the page cache, the same for all
echo
printf '%-8s %7s %9s %9s %9s\n' program threads MB/s ratio speed-up
row gzip 1 gzip -c
row pgz 1 "$pgz" -p 1
[ "$cores" -eq 1 ] || row pgz "$cores" "$pgz" -p "$cores"
if command -v pigz >/dev/null; then
    row pigz 1 pigz -c -p 1
    [ "$cores" -eq 1 ] || row pigz "$cores" pigz -c -p "$cores"
else
    echo "(pigz is not installed)"
fi
echo
awk -v a="$gzip_elapsed" -v b="$pgz_elapsed" -v n="$cores" 'BEGIN {
    printf "gunzip gave every byte back; pgz -p %d was %.2f times as fast as gzip.\n", n, a / b
}'
