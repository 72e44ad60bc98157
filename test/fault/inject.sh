#!/bin/bash
# SPDX-License-Identifier: MIT
# Every system call the library makes is made to fail: the nth use of it, and the nth and all later ones.  The
# workload must end with status 0 each time: no crash, no hang, no damage.
set -u
program=$top_builddir/test/fault/workload
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
runs=0
ulimit -c 0
options=min-heap=64K:markers=2:stop-timeout=40:verify=1:retain=64K
export CGC_OPTIONS=$options

if ! CGC_FAIL=nonsense LD_PRELOAD=$CGC_LIB "$top_builddir/test/fault/probe" 2>&1 | grep -q nonsense; then
  echo "failures can be injected in builds with --enable-debug only"
  exit 77
fi

attempt() { # CALL:N: run the workload with that failure
  CGC_FAIL=$1 LD_PRELOAD=$CGC_LIB "$program" >"$dir/out" 2>&1
  local status=$?
  runs=$((runs + 1))
  if [ $status -ne 0 ]; then
    echo "FAIL: CGC_FAIL=$1: status $status"
    head -5 "$dir/out"
    failed=1
  fi
}

# All names of lib/base/fault.h, so that a new one is not forgotten.
calls=$(sed -n '/define FAULT_LIST/,/^$/p' "$srcdir/lib/base/fault.h" | grep -o '"[a-z-]*"' | tr -d '"')
for kind in dirty=stop dirty=uffd partial=2; do
  export CGC_OPTIONS=$options:$kind
  for call in $calls; do
    for n in 1 2 3 4 5 7 10 15 25 40; do
      attempt "$call:$n"
      attempt "$call:$n+"
    done
  done
done
echo "$runs runs"
[ "$(echo "$calls" | wc -w)" -ge 15 ] || failed=1
exit $failed
