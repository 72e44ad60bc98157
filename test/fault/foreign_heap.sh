#!/bin/sh
# SPDX-License-Identifier: MIT
# Programs that bring an allocator of their own keep it if theirs comes first, and its heap is a root; else ours
# stands in for it.
set -u
program=$top_builddir/test/fault/foreign_heap
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
tried=0

run() { # NAME LIBRARIES...: all preloaded, malloc from NAME
  name=$1
  shift
  for options in '' stress-ms=2 verify=1:stress=1000:confirm=1; do
    CGC_OPTIONS=$options LD_PRELOAD="$*" timeout -k 5 100 "$program" "$name" >"$dir/out" 2>&1 && continue
    echo "FAIL: $name ($*), options \"$options\":"
    cat "$dir/out"
    failed=1
  done
}

for name in libjemalloc.so.2 libtcmalloc_minimal.so.4 libtcmalloc.so.4 libmimalloc.so.2; do
  LD_PRELOAD=$name "$program" 2>&1 | grep -q 'cannot be preloaded' && continue
  tried=$((tried + 1))
  run "$name" "$name" "$CGC_LIB"
  run libcgc.so "$CGC_LIB" "$name"
done
[ $tried -gt 0 ] || { echo "SKIP: none of jemalloc, tcmalloc, mimalloc is installed"; exit 77; }
exit $failed
