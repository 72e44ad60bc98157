#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What preloading LIB adds to the start and end of a program that does nothing.
#
# Usage: startup_compare.sh LIB [-n COUNT 500] [PROGRAM /bin/true]
#
# Runs PROGRAM COUNT times without a preloaded library, with LIB, and with the
# other allocators installed, in turn, and prints microseconds per run and the
# difference to no library.  Exit status: 0, 1 if any run failed, 2 if the
# arguments are wrong.
set -u
. "$(dirname "$0")/bench_common.sh"

count=500
library=
program=

while [ $# -gt 0 ]; do
  case $1 in
    -n) [ $# -ge 2 ] || die "-n wants a value"; count=$2; shift 2 ;;
    -h | --help) sed -n '3,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    -*) die "unknown option $1" ;;
    *) if [ -z "$library" ]; then library=$1; else program=$1; fi; shift ;;
  esac
done
[ -n "$library" ] || die "usage: startup_compare.sh LIB [-n COUNT] [PROGRAM]"
require_number -n "$count"
library=$(library_path "$library") || exit 2
build spawn_bench.c spawn_bench || die "spawn_bench.c does not build"
find_peers
libraries=("$library")
for peer in ${peers[@]+"${peers[@]}"}; do
  [ "${peer_path[$peer]}" -ef "$library" ] || libraries+=("${peer_path[$peer]}")
done

# Bounded: a program takes a millisecond, not a tenth of a second.
timeout $((timeout_seconds + count / 2)) "$work/spawn_bench" "$count" "${program:-/bin/true}" "${libraries[@]}" \
  >"$work/out" || { echo "FAILED: exit status $?"; exit 1; }
echo "${program:-/bin/true}, $count runs each, microseconds from spawn to end"
awk '
  BEGIN { printf "%-28s %9s %9s %12s %12s\n", "preloaded", "mean", "median", "mean diff", "median diff" }
  $1 == "-" { mean = $2; median = $3; printf "%-28s %9.1f %9.1f\n", "none", mean, median; next }
  { sub(".*/", "", $1); printf "%-28s %9.1f %9.1f %+12.1f %+12.1f\n", $1, $2, $3, $2 - mean, $3 - median }
' "$work/out"
