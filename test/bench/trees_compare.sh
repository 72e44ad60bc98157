#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Compares the collecting of LIB with bdwgc and with manual freeing, over trees.c.
#
# Usage: trees_compare.sh LIB [-r ROUNDS 5] [-j "1 2"] [-d DEPTH 18]
#
# bdwgc        trees.c through gc.h and -lgc
# LIB confirm=1, LIB percent=75, LIB default
#              trees.c that never frees, with LIB preloaded: CGC_OPTIONS=confirm=1, the same with
#              percent=75, which takes as much memory as bdwgc, and no options
# glibc free   trees.c that frees by hand
#
# Prints medians of wall seconds and peak RSS, and the ratios to bdwgc and to
# glibc free.  Exit status: 0, 1 if any run failed or counted other nodes than
# the rest, 2 if the arguments are wrong.  BENCH_TIMEOUT: seconds per run (60).
set -u
. "$(dirname "$0")/bench_common.sh"

rounds=5
thread_counts="1 2"
depth=18
library=
failures=0

parse_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      -r | -j | -d) [ $# -ge 2 ] || die "$1 wants a value" ;;&
      -r) rounds=$2; shift 2 ;;
      -j) thread_counts=$2; shift 2 ;;
      -d) depth=$2; shift 2 ;;
      -h | --help) sed -n '3,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
      -*) die "unknown option $1" ;;
      *) [ -z "$library" ] || die "one library at a time"; library=$1; shift ;;
    esac
  done
  [ -n "$library" ] || die "usage: trees_compare.sh LIB [-r ROUNDS] [-j THREADS] [-d DEPTH]"
  require_number -r "$rounds"
  # shellcheck disable=SC2086  # a list
  require_number -j $thread_counts
  require_number -d "$depth"
}

# The user's own CGC_OPTIONS would make "default" something else.
run_variant() {
  local variant=$1 threads=$2
  case $variant in
    bdwgc) set -- "$work/trees_gc" ;;
    confirm1) set -- env CGC_OPTIONS=confirm=1 LD_PRELOAD="$library" "$work/trees_plain" ;;
    percent75) set -- env CGC_OPTIONS=confirm=1:percent=75 LD_PRELOAD="$library" "$work/trees_plain" ;;
    default) set -- env -u CGC_OPTIONS LD_PRELOAD="$library" "$work/trees_plain" ;;
    free) set -- "$work/trees_free" ;;
  esac
  timeout "$timeout_seconds" "$@" "$depth" "$threads" >"$work/out" 2>"$work/err"
}

label_of() {
  case $1 in
    confirm1) echo "$own confirm=1" ;;
    percent75) echo "$own confirm=1 percent=75" ;;
    default) echo "$own default" ;;
    free) echo "glibc free" ;;
    *) echo "$1" ;;
  esac
}

# A line "variant wall_seconds rss_mib" on success.
run_once() {
  local status line
  run_variant "$1" "$2"
  status=$?
  line=$(awk -v label="$1" '$1 == "nodes" { sub(",", "", $2); print label, $3, $10, $2 }' "$work/out")
  if [ $status -ne 0 ] || [ -z "$line" ]; then
    report_failure "$1" "$2" "exit status $status"
    return 1
  fi
  nodes=${nodes:-${line##* }}
  if [ "${line##* }" != "$nodes" ]; then
    report_failure "$1" "$2" "${line##* } nodes instead of $nodes"
    return 1
  fi
  printf '%s\n' "$line" >>"$work/rows"
}

report_failure() {
  echo "FAILED: $(label_of "$1") with $2 threads: $3"
  cat "$work/err" "$work/out" | head -n 10 | sed "s/^/    /"
  failures=$((failures + 1))
}

measure() {
  local round variant
  local -A failed=()
  : >"$work/rows"
  nodes=
  for ((round = 0; round < rounds; round++)); do
    for variant in "${variants[@]}"; do
      [ -z "${failed[$variant]:-}" ] || continue
      run_once "$variant" "$1" 2>/dev/null || failed[$variant]=1
    done
  done
}

# "variant seconds mib" for each variant that ran.
row_medians() {
  awk "$awk_median"'
    { count[$1]++; wall[$1, count[$1]] = $2; mib[$1, count[$1]] = $3 }
    END {
      for (label in count) {
        for (i = 1; i <= count[label]; i++) { a[i] = wall[label, i]; b[i] = mib[label, i] }
        print label, median(a, count[label]), median(b, count[label])
      }
    }' "$work/rows"
}

print_rows() {
  local variant
  row_medians >"$work/medians"
  for variant in "${variants[@]}"; do
    awk -v threads="$1" -v variant="$variant" -v label="$(label_of "$variant")" '
      function ratio(of, to) { return of > 0 && to > 0 ? sprintf("%.2f", of / to) : "-" }
      { wall[$1] = $2; mib[$1] = $3; ran[$1] = 1 }
      END {
        if (!ran[variant]) { printf "%-27s %2d %9s\n", label, threads, "FAILED"; exit }
        printf "%-27s %2d %9.2f %9.0f %11s %11s %11s %11s\n", label, threads, wall[variant], mib[variant],
          ratio(wall[variant], wall["bdwgc"]), ratio(wall[variant], wall["free"]),
          ratio(mib[variant], mib["bdwgc"]), ratio(mib[variant], mib["free"])
      }' "$work/medians"
  done
}

parse_arguments "$@"
library=$(library_path "$library") || exit 2
own=$(basename "$library" | sed 's/^lib//; s/\.so.*//')
build trees.c trees_plain || die "trees.c does not build"
build trees.c trees_free -DFREE || die "trees.c does not build"
variants=(confirm1 percent75 default free)
if build trees.c trees_gc -DUSE_GC -lgc 2>"$work/err"; then
  variants=(bdwgc "${variants[@]}")
else
  echo "missing: bdwgc (gc.h and libgc) is not installed"
fi

echo "trees $depth, medians of $rounds rounds"
printf '%-27s %2s %9s %9s %11s %11s %11s %11s\n' variant j "wall s" "rss MiB" "wall/bdwgc" "wall/free" "rss/bdwgc" "rss/free"
for threads in $thread_counts; do
  measure "$threads"
  print_rows "$threads"
done
[ "$failures" -eq 0 ] || exit 1
