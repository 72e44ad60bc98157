#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How long LIB stops a program that changes a large live heap, and how fast that goes on, against bdwgc: pausebench.c.
#
# Usage: pause_compare.sh LIB [-r ROUNDS 3] [-m "64 512 2048"] [-j 1] [-s SECONDS 10] [-o OPTIONS confirm=1]
#
#   -m  MiB alive     -j  threads that change them     -o  CGC_OPTIONS
#
# Each round runs bdwgc (through gc.h), LIB, LIB with mode=off (which collects nothing, so that its longest step is the
# machine's own doing), in turn.  Prints for each its steps per second and longest step; for LIB the stops, by its own
# trace: their number, median and longest, and how long marking went on beside the program in the median cycle; and the
# peak RSS.  At the end the median ratios to bdwgc.  Exit status: 0, 1 if a run failed, 2 if the arguments are wrong.
set -u
. "$(dirname "$0")/bench_common.sh"

rounds=3 sizes="64 512 2048" threads=1 seconds=10 options=confirm=1 library='' failures=0
while [ $# -gt 0 ]; do
  case $1 in
    -r | -m | -j | -s | -o) [ $# -ge 2 ] || die "$1 wants a value" ;;&
    -r) rounds=$2; shift 2 ;;
    -m) sizes=$2; shift 2 ;;
    -j) threads=$2; shift 2 ;;
    -s) seconds=$2; shift 2 ;;
    -o) options=$2; shift 2 ;;
    -h | --help) sed -n '3,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    -*) die "unknown option $1" ;;
    *) [ -z "$library" ] || die "one library at a time"; library=$1; shift ;;
  esac
done
[ -n "$library" ] || die "usage: pause_compare.sh LIB [-r ROUNDS] [-m SIZES] [-j THREADS] [-s SECONDS] [-o OPTIONS]"
# shellcheck disable=SC2086  # a list
require_number -m $sizes
require_number -r "$rounds"
require_number -j "$threads"
require_number -s "$seconds"
library=$(library_path "$library") || exit 2

build pausebench.c plain || die "pausebench.c does not build"
build pausebench.c gc -DUSE_GC -lgc || die "pausebench.c does not build with bdwgc"

# All milliseconds that the world was stopped, one stop a line, out of a trace.
stops_of() {
  awk '/dirty=uffd/ { rest = $0
         while (match(rest, / stop [0-9.]+ \(/)) {
           print substr(rest, RSTART + 6, RLENGTH - 8)
           rest = substr(rest, RSTART + RLENGTH)
         } }
       /dirty=stop/ { sub(/,.*/, ""); sum = 0   # behind the times come sizes
         for (i = 1; i < NF; i++)
           if ($i ~ /^(stop|roots|mark|sweep|run)$/ && $(i + 1) ~ /^[0-9.]+$/) sum += $(i + 1)
         print sum }' "$1"
}

marks_of() { # the time between the first and the last stop
  awk '/dirty=uffd/ { sum = 0
         for (i = 1; i < NF; i++) if ($i == "mark") sum += $(i + 1)
         print sum }' "$1"
}

summary() { # NUMBERS...: how many, median, largest
  sort -n | awk '{ v[NR] = $1 } END { if (NR) print NR, v[int((NR + 1) / 2)], v[NR]; else print 0, "-", "-" }'
}

# run NAME MIB COMMAND...: appends "steps longest-us rss" to NAME.MIB, and prints a row
run() {
  local name=$1 mib=$2
  shift 2
  rm -f "$work/trace"
  if ! timeout $((timeout_seconds + seconds)) "$@" "$mib" "$threads" "$seconds" >"$work/out" 2>"$work/err"; then
    echo "FAILED: $name with $mib MiB: $(head -n 1 "$work/err")"
    failures=$((failures + 1))
    return
  fi
  sed -n 's/.* \([0-9]*\) steps.*max \([0-9]*\), rss \([0-9]*\).*/\1 \2 \3/p' "$work/out" >>"$work/$name.$mib"
  read -r steps longest rss < <(tail -n 1 "$work/$name.$mib")
  read -r count median worst < <(stops_of "$work/trace" 2>/dev/null | summary)
  read -r _ mark _ < <(marks_of "$work/trace" 2>/dev/null | summary)
  printf '%6s %-8s %10s %12s %8s %10s %10s %10s %8s\n' "$mib" "$name" "$steps" "$longest" \
    "$count" "$median" "$worst" "$mark" "$rss"
}

echo "$threads threads, $seconds s, CGC_OPTIONS=$options"
printf '%6s %-8s %10s %12s %8s %10s %10s %10s %8s\n' MiB '' steps/s longest/us stops median/ms longest/ms mark/ms RSS/MiB
for mib in $sizes; do
  for ((round = 0; round < rounds; round++)); do
    run bdwgc "$mib" "$work/gc"
    run cgc "$mib" env CGC_LOG="$work/trace" CGC_OPTIONS="$options:trace=1" LD_PRELOAD="$library" "$work/plain"
    # It keeps all: as long as memory lasts.
    [ "$mib" -gt 512 ] || run off "$mib" env CGC_OPTIONS=mode=off LD_PRELOAD="$library" "$work/plain"
  done
done

echo
printf '%6s %14s %14s %14s\n' MiB 'steps/bdwgc' 'longest/bdwgc' 'RSS/bdwgc'
for mib in $sizes; do
  paste "$work/cgc.$mib" "$work/bdwgc.$mib" | awk -v mib="$mib" "$awk_median"'
    NF == 6 { n++; s[n] = $1 / $4; l[n] = $2 / $5; r[n] = $3 / $6 }
    END { if (n) printf "%6s %14.2f %14.3f %14.2f\n", mib, median(s, n), median(l, n), median(r, n) }'
done
[ $failures -eq 0 ]
