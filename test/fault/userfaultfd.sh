#!/bin/sh
# SPDX-License-Identifier: MIT
# A program that watches memory itself begins to do so in the middle of a cycle that does too.
set -u
program=$top_builddir/test/fault/userfaultfd
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$program" || exit
for i in 1 2 3 4 5 6 7 8 9 10; do
  if ! CGC_OPTIONS=dirty=uffd:trace=1 LD_PRELOAD="$CGC_LIB" timeout -k 5 100 "$program" 2>"$dir/trace"; then
    grep -v '^cgc ' "$dir/trace"
    exit 1
  fi
  grep -q 'dirty=uffd' "$dir/trace" && sort -k 2,2n "$dir/trace" | tail -n 1 | grep -q 'dirty=stop' && continue
  echo "FAIL: the first cycle was to be beside the program, the last one not"
  sed -n '1p;$p' "$dir/trace"
  exit 1
done
