#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Compares LIB with glibc, mimalloc, jemalloc and tcmalloc over malloc_bench.
#
# Usage: malloc_compare.sh LIB [-r ROUNDS 5] [-j "1 2"] [-s SCALE 1] [NAME...]
#
# LIB  the library to preload
# -r   runs of each program under each allocator; the median counts
# -j   thread counts
# -s   factor on the work of each run
#
# The allocators take turns, run by run, so that a noisy machine is noisy for
# all of them.  Exit status: 0, 1 if any run crashed or found a wrong value,
# 2 if the arguments are wrong.  The whole set takes about five minutes.
# Peers elsewhere than in the loader's path: MIMALLOC_LIB, JEMALLOC_LIB,
# TCMALLOC_LIB.  BENCH_TIMEOUT: seconds that one run may take (60).
set -u
. "$(dirname "$0")/bench_common.sh"

rounds=5
thread_counts="1 2"
scale=1
library=
names=()
failures=0

parse_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      -r | -j | -s) [ $# -ge 2 ] || die "$1 wants a value" ;;&
      -r) rounds=$2; shift 2 ;;
      -j) thread_counts=$2; shift 2 ;;
      -s) scale=$2; shift 2 ;;
      -h | --help) sed -n '3,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
      -*) die "unknown option $1" ;;
      *) add_word "$1"; shift ;;
    esac
  done
  [ -n "$library" ] || die "usage: malloc_compare.sh LIB [-r ROUNDS] [-j THREADS] [-s SCALE] [NAME...]"
  require_number -r "$rounds"
  # shellcheck disable=SC2086  # a list
  require_number -j $thread_counts
}

add_word() {
  if [ -z "$library" ]; then
    library=$1
  else
    names+=("$1")
  fi
}

choose_names() {
  local name known
  known=$("$work/malloc_bench" --list)
  for name in ${names[@]+"${names[@]}"}; do
    grep -qx "$name" <<<"$known" || die "no sub-benchmark $name; there are: ${known//$'\n'/ }"
  done
  [ ${#names[@]} -gt 0 ] || mapfile -t names <<<"$known"
}

# run_once NAME THREADS ALLOCATOR: a line "allocator ns_per_op rss_kib" on success.
run_once() {
  local status line
  timeout "$timeout_seconds" env LD_PRELOAD="${path[$3]}" "$work/malloc_bench" "$1" "$2" "$scale" \
    >"$work/out" 2>"$work/err"
  status=$?
  line=$(awk -v name="$1" -v threads="$2" -v label="$3" \
    '$1 == name && $2 == threads && NF == 6 && $5 > 0 && $6 > 0 { print label, $5, $6 }' "$work/out")
  if [ $status -ne 0 ] || [ -z "$line" ]; then
    report_failure "$1" "$2" "$3" $status
    return 1
  fi
  printf '%s\n' "$line" >>"$work/row"
}

report_failure() {
  local why="exit status $4"
  [ "$4" -eq 124 ] && why="no end after $timeout_seconds s"
  [ "$4" -gt 128 ] && why="killed by signal $(($4 - 128))"
  echo "FAILED: $1 with $2 threads under $3: $why"
  cat "$work/err" "$work/out" | head -n 10 | sed "s/^/    /"
  failures=$((failures + 1))
}

# One failure is enough for a verdict: an allocator that failed sits out the row's other rounds.
measure() {
  local round label
  local -A failed=()
  : >"$work/row"
  for ((round = 0; round < rounds; round++)); do
    for label in "${labels[@]}"; do
      [ -z "${failed[$label]:-}" ] || continue
      run_once "$1" "$2" "$label" 2>/dev/null || failed[$label]=1
    done
  done
  for label in "${!failed[@]}"; do
    sed -i "/^$label /d" "$work/row"
  done
  row_medians "$1" "$2" >"$work/row_medians"
  cat "$work/row_medians" >>"$work/medians"
}

row_medians() {
  awk -v name="$1" -v threads="$2" "$awk_median"'
    { count[$1]++; ns[$1, count[$1]] = $2; kib[$1, count[$1]] = $3 }
    END {
      for (label in count) {
        for (i = 1; i <= count[label]; i++) { a[i] = ns[label, i]; b[i] = kib[label, i] }
        print name, threads, label, median(a, count[label]), median(b, count[label])
      }
    }' "$work/row"
}

print_row() {
  awk -v name="$1" -v threads="$2" -v labels="${columns[*]}" -v own="$own" '
    function ratio(of, to) { return of > 0 && to > 0 ? sprintf("%.2f", of / to) : "-" }
    { ns[$3] = $4; kib[$3] = $5 }
    END {
      printf "%-16s %2d", name, threads
      count = split(labels, label, " ")
      for (i = 1; i <= count; i++)
        printf " %10s", ns[label[i]] ? sprintf("%.1f", ns[label[i]]) : "-"
      printf " %9s %9s\n", ratio(ns[own], ns["mimalloc"]), ratio(kib[own], kib["mimalloc"])
    }' "$work/row_medians"
}

print_heading() {
  local label
  echo
  echo "wall ns per operation, median of $rounds; the last two columns are $own/mimalloc, time and peak RSS"
  printf '%-16s %2s' name j
  for label in "${columns[@]}"; do
    printf ' %10s' "$label"
  done
  printf ' %9s %9s\n' time rss
}

print_means() {
  echo
  echo "geometric means of the ratios, below 1: $own is faster or smaller"
  printf '%-24s %8s %8s %6s\n' "" time rss rows
  awk -v own="$own" '
    { row = $1 " " $2; rows[row]; ns[row, $3] = $4; kib[row, $3] = $5 }
    END {
      count = split("mimalloc glibc jemalloc tcmalloc", peer, " ")
      for (i = 1; i <= count; i++) {
        n = time = rss = 0
        for (row in rows)
          if (ns[row, own] && ns[row, peer[i]]) {
            time += log(ns[row, own] / ns[row, peer[i]])
            rss += log(kib[row, own] / kib[row, peer[i]])
            n++
          }
        if (n)
          printf "%-24s %8.3f %8.3f %6d\n", own "/" peer[i], exp(time / n), exp(rss / n), n
        else
          printf "%-24s %8s %8s %6d\n", own "/" peer[i], "-", "-", 0
      }
    }' "$work/medians"
}

parse_arguments "$@"
library=$(library_path "$library") || exit 2
build malloc_bench.c malloc_bench || die "malloc_bench.c does not build"
choose_names
find_peers

# The library's own column is named after its file: libcgc.so is cgc.  A peer
# that is compared with itself, to see the noise, must not share a column.
own=$(basename "$library" | sed 's/^lib//; s/\.so.*//')
case $own in
  glibc | mimalloc | jemalloc | tcmalloc) own=LIB ;;
esac
declare -A path=([glibc]="" [$own]=$library)
labels=(glibc ${peers[@]+"${peers[@]}"} "$own")
for label in ${peers[@]+"${peers[@]}"}; do
  path[$label]=${peer_path[$label]}
done
columns=(glibc mimalloc jemalloc tcmalloc "$own")

: >"$work/medians"
print_heading
for name in "${names[@]}"; do
  for threads in $thread_counts; do
    measure "$name" "$threads"
    print_row "$name" "$threads"
  done
done
print_means
if [ "$failures" -gt 0 ]; then
  echo
  echo "$failures failed runs"
  exit 1
fi
