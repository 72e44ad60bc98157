#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How fast unmodified clients of libgc.so.1 run, and in how much memory, with the library of DIR instead of the installed one.
#
# Usage: boehm_compare.sh DIR [-r ROUNDS 5] [-j "1 2"] [-s SECONDS 5] [-m MIB 64] [-d DEPTH 18] [-o OPTIONS ""] [ROW...]
#
#   -j  threads of trees and pausebench      -s, -m  seconds and live MiB of pausebench      -d  depth of trees
#   -o  CGC_OPTIONS for DIR's library
#
# guile_data, guile_threads, ecl_data, ecl_threads
#              the programs of test/boehm/in
# trees        trees.c, built with the installed gc.h and linked with the installed libgc.so.1, as all of these
# pausebench   pausebench.c, built so: for a fixed time, hence its steps instead of seconds, and its longest step
#
# Each round runs a row with the installed library, then with DIR's.  Prints the medians of both and the median of the rounds'
# ratios, DIR's to the installed one's.  A program that is not installed is left out.
# Exit status: 0, 1 if a run failed or printed other things than the first, 2 if the arguments are wrong.
# BENCH_TIMEOUT: seconds per run (60).
set -u
. "$(dirname "$0")/bench_common.sh"

rounds=5 thread_counts="1 2" seconds=5 mib=64 depth=18 options='' dir='' failures=0 rows=()
while [ $# -gt 0 ]; do
  case $1 in
    -r | -j | -s | -m | -d | -o) [ $# -ge 2 ] || die "$1 wants a value" ;;&
    -r) rounds=$2; shift 2 ;;
    -j) thread_counts=$2; shift 2 ;;
    -s) seconds=$2; shift 2 ;;
    -m) mib=$2; shift 2 ;;
    -d) depth=$2; shift 2 ;;
    -o) options=$2; shift 2 ;;
    -h | --help) sed -n '3,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    -*) die "unknown option $1" ;;
    *) if [ -z "$dir" ]; then dir=$1; else rows+=("$1"); fi; shift ;;
  esac
done
[ -n "$dir" ] || die "usage: boehm_compare.sh DIR [-r ROUNDS] [-j THREADS] [-s SECONDS] [-m MIB] [-d DEPTH] [-o OPTIONS] [ROW...]"
[ -r "$dir/libgc.so.1" ] || die "no libgc.so.1 in $dir"
dir=$(realpath "$dir")
# shellcheck disable=SC2086  # a list
require_number -j $thread_counts
require_number -r "$rounds"
require_number -s "$seconds"
require_number -m "$mib"
require_number -d "$depth"
[ -x /usr/bin/time ] || die "GNU time is not installed"
for name in "${!CGC_@}" "${!GC_@}" LD_LIBRARY_PATH LD_PRELOAD; do
  unset "$name"
done
in=$here/../boehm/in

build trees.c trees -DUSE_GC -lgc || die "trees.c does not build with the installed gc.h"
build pausebench.c pausebench -DUSE_GC -lgc || die "pausebench.c does not build with the installed gc.h"

# command_of ROW THREADS: sets the array command
command_of() {
  local guile=(guile --no-auto-compile -q -s) ecl=(ecl --norc --eval)
  case $1 in
    guile_data) command=("${guile[@]}" "$in/data.scm") ;;
    guile_threads) command=("${guile[@]}" "$in/threads.scm") ;;
    ecl_data) command=("${ecl[@]}" "(load \"$in/data.lisp\" :verbose nil)" --eval '(work 30)' --eval '(ext:quit 0)') ;;
    ecl_threads)
      command=("${ecl[@]}" "(load \"$in/threads.lisp\" :verbose nil)" --eval '(work-threads)' --eval '(ext:quit 0)')
      ;;
    trees) command=("$work/trees" "$depth" "$2") ;;
    pausebench) command=("$work/pausebench" "$mib" "$2" "$seconds") ;;
    *) die "no row called $1" ;;
  esac
}

installed=()
with_dir=(LD_LIBRARY_PATH="$dir" CGC_OPTIONS="$options")

# ld.so's word for it that the program, run so, has its libgc.so.1 from DIR.
loads_from_dir() {
  env "${with_dir[@]}" LD_TRACE_LOADED_OBJECTS=1 "$(command -v "$1")" 2>&1 | grep -qF "libgc.so.1 => $dir/libgc.so.1"
}

# run LABEL VARIABLES...: appends "wall user rss-mib steps longest" to rows.LABEL
run() {
  local label=$1
  shift
  if ! timeout $((timeout_seconds + seconds)) /usr/bin/time -q -o "$work/time" -f '%e %U %S %M' \
    env "$@" "${command[@]}" >"$work/out.$label" 2>"$work/err" </dev/null; then
    return 1
  fi
  awk -v steps="$(sed -n 's/.* \([0-9]*\) steps.*/\1/p' "$work/out.$label")" \
    -v longest="$(sed -n 's/.* max \([0-9]*\),.*/\1/p' "$work/out.$label")" \
    '{ print $1, $2 + $3, $4 / 1024, steps + 0, longest + 0 }' "$work/time" >>"$work/rows.$label"
}

# The lines that do not tell of time or memory.
same_output() {
  cmp -s <(grep -v ' rss ' "$work/out.installed") <(grep -v ' rss ' "$work/out.dir")
}

report_failure() { # ROW THREADS WHAT
  echo "FAILED: $1 with $2 threads: $3"
  head -n 5 "$work/err" | sed 's/^/    /'
  failures=$((failures + 1))
}

measure() { # ROW THREADS
  local round
  rm -f "$work"/rows.*
  for ((round = 0; round < rounds; round++)); do
    run installed "${installed[@]}" || { report_failure "$1" "$2" "with the installed library"; return 1; }
    run dir "${with_dir[@]}" || { report_failure "$1" "$2" "with $dir/libgc.so.1"; return 1; }
    same_output || { report_failure "$1" "$2" "the outputs differ"; return 1; }
  done
}

print_row() { # ROW THREADS
  paste "$work/rows.installed" "$work/rows.dir" | awk -v row="$1" -v threads="$2" "$awk_median"'
    function column(i, digits,    k, a, b, r) {
      for (k = 1; k <= n; k++) { a[k] = value[k, i]; b[k] = value[k, i + 5]; r[k] = a[k] > 0 ? b[k] / a[k] : 0 }
      return sprintf(" %8." digits "f %8." digits "f %6.2f", median(a, n), median(b, n), median(r, n))
    }
    { n++; for (i = 1; i <= NF; i++) value[n, i] = $i }
    END {
      if (row == "pausebench") print sprintf("%-14s %2s", row, threads) column(4, 0) column(5, 0) column(3, 0)
      else print sprintf("%-14s %2s", row, threads) column(1, 2) column(2, 2) column(3, 0)
    }'
}

header() { # NAMES...: of three groups
  printf '%-17s' ''
  printf ' %-24s' "$@"
  printf '\n%-14s %2s' row j
  printf ' %8s %8s %6s' installed DIR ratio installed DIR ratio installed DIR ratio
  printf '\n'
}

rows_of() { # those asked for, of the given
  local row
  for row; do
    [ ${#rows[@]} -gt 0 ] && [[ " ${rows[*]} " != *" $row "* ]] && continue
    command_of "$row" 1
    if ! command -v "${command[0]}" >/dev/null; then
      echo "missing: ${command[0]} is not installed, $row is left out" >&2
    elif ! loads_from_dir "${command[0]}"; then
      die "$row does not load $dir/libgc.so.1"
    else
      echo "$row"
    fi
  done
}

measure_rows() { # "THREADS..." ROW...
  local threads row
  for threads in $1; do
    for row in $(rows_of "${@:2}"); do
      command_of "$row" "$threads"
      measure "$row" "$threads" && print_row "$row" "$threads"
    done
  done
}

for row in "${rows[@]}"; do
  command_of "$row" 1
done
echo "medians of $rounds rounds, CGC_OPTIONS=$options"
header "wall s" "CPU s" "peak RSS MiB"
measure_rows - guile_data guile_threads ecl_data ecl_threads
measure_rows "$thread_counts" trees
echo
header "steps/s" "longest step us" "peak RSS MiB"
measure_rows "$thread_counts" pausebench
[ "$failures" -eq 0 ]
