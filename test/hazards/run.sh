#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh [-v] LIB [name...]
#
# Runs the programs of the suite with LIB preloaded ("" for none), one row each: verdict, seconds, last
# line. The full output of each goes to build/log/NAME.txt; -v shows it too. Exit status 1 if any
# program fails, crashes or hangs.
#
#   HZ_TIMEOUT  seconds a program may take (150)
#   HZ_SLOW     factor for the limits inside the programs, for slow machines (1)
#   O           where the programs are built (build)

here=$(cd "$(dirname "$0")" && pwd) || exit 2
out=${O:-build}
case $out in /*) ;; *) out=$here/$out ;; esac

verbose=
if [ "${1-}" = -v ]; then
  verbose=1
  shift
fi
if [ $# -lt 1 ]; then
  echo "usage: run.sh [-v] LIB [name...]    (LIB may be \"\")" >&2
  exit 2
fi
lib=$1
shift
case $lib in
  "" | /*) ;;
  */*) lib=$PWD/$lib ;;
esac
if [ -n "$lib" ] && [ "${lib#/}" != "$lib" ] && [ ! -e "$lib" ]; then
  echo "run.sh: $lib does not exist" >&2
  exit 2
fi
if [ $# -eq 0 ]; then
  set -- semantics roots_static roots_stack roots_kernel eintr spawn forkstorm threadstorm signals \
    transparency dlmix reclaim leakset mutate
fi

limit=${HZ_TIMEOUT:-150}
# Builds what is missing or old; beside the sources if they may be written to, else in a folder of its own.
if ! { mkdir -p "$out/log" 2>/dev/null && [ -w "$out" ]; }; then
  out=$(mktemp -d) && mkdir -p "$out/log" || exit 2
fi
if ! make -s -C "$here" O="$out" >"$out/log/make.txt" 2>&1; then
  echo "run.sh: the programs do not build:" >&2
  tail -n 5 "$out/log/make.txt" >&2
  exit 2
fi
bad=0

# The name of the signal in an exit status above 128.
signal_name() {
  name=$(kill -l "$(($1 - 128))" 2>/dev/null) && echo "SIG$name" || echo "status $1"
}

for name; do
  program=$out/$name
  log=$out/log/$name.txt
  if [ ! -x "$program" ]; then
    printf '%-8s %-13s %8s  %s\n' MISSING "$name" - "not built"
    bad=1
    continue
  fi
  start=$(date +%s.%N)
  if [ -n "$lib" ]; then
    timeout -k 5 "$limit" env LD_PRELOAD="$lib" "$program" >"$log" 2>&1 </dev/null
  else
    timeout -k 5 "$limit" "$program" >"$log" 2>&1 </dev/null
  fi
  status=$?
  end=$(date +%s.%N)
  seconds=$(echo "$start $end" | awk '{ printf "%.2f", $2 - $1 }')
  last=$(tail -n 1 "$log" | cut -c 1-200)
  case $status:$last in
    0:PASS*) verdict=PASS ;;
    77:SKIP*) verdict=SKIP ;;
    124:* | 137:*) verdict=TIMEOUT bad=1 ;;
    *) if [ "$status" -gt 128 ]; then verdict=$(signal_name "$status"); else verdict=FAIL; fi; bad=1 ;;
  esac
  printf '%-8s %-13s %8s  %s\n' "$verdict" "$name" "$seconds" "$last"
  if [ -n "$verbose" ]; then
    sed 's/^/    | /' "$log"
  fi
done
exit $bad
