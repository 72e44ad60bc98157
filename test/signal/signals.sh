#!/bin/sh
# SPDX-License-Identifier: MIT
# signals.sh [case...]: each case prints the same without the library, with it, and with stress.
set -u
program=$top_builddir/test/signal/signals
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
ulimit -c 0

run() { # NAME OUTPUT [VARIABLE=VALUE...]
  name=$1 output=$2
  shift 2
  timeout -k 5 100 env "$@" "$program" "$name" >"$output" 2>&1 </dev/null
  echo "status $?" >>"$output"
}

[ $# -gt 0 ] || set -- $("$program")
for name; do
  run "$name" "$dir/without" CGC_NONE=
  grep -q '^status 0$' "$dir/without" || { echo "FAIL: $name without the library"; cat "$dir/without"; failed=1; }
  for options in stress=0 stress=1:confirm=1; do
    run "$name" "$dir/with" LD_PRELOAD="$CGC_LIB" CGC_OPTIONS=$options:stop-timeout=5000
    if ! diff -u "$dir/without" "$dir/with" >"$dir/diff"; then
      echo "FAIL: $name, $options"
      head -40 "$dir/diff"
      failed=1
    fi
  done
done
exit $failed
