#!/bin/sh
# SPDX-License-Identifier: MIT
# What a program closes is closed at once, in whichever way it is collected.
set -u
program=$top_builddir/test/fault/closed
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

run() { # MODE OPTIONS
  CGC_OPTIONS=$2:confirm=1:min-heap=64K:trace=1 CGC_LOG=$dir/trace LD_PRELOAD=$CGC_LIB timeout -k 5 100 "$program" "$1"
  status=$?
  cycles=$(grep -c '^cgc ' "$dir/trace")
  rm -f "$dir/trace"
  [ $status -eq 0 ] && [ "$cycles" -ge 10 ] && return
  echo "FAIL: $1, $2: status $status, $cycles cycles"
  failed=1
}

"$program" alone || exit
for options in dirty=uffd dirty=stop dirty=uffd:stress-ms=1; do
  run alone $options
  run threads $options
done
exit $failed
