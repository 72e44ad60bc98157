#!/bin/sh
# SPDX-License-Identifier: MIT
# Programs that put a deadly filter of system calls on themselves live on, with the same output.
set -u
program=$top_builddir/test/fault/sandboxed
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
ulimit -c 0

for how in none prctl seccomp tsync listener strict vfork; do
  timeout -k 5 100 "$program" $how >"$dir/without" 2>&1
  without=$?
  if [ $how = strict ] && grep -q '^Seccomp:.*2$' /proc/self/status; then
    echo "sandboxed: there is no strict mode under another filter"
    continue
  fi
  [ $without -eq 0 ] || { echo "FAIL: $how without the library: status $without"; cat "$dir/without"; failed=1; }
  for options in confirm=1 stress=50:confirm=1; do
    CGC_OPTIONS=$options LD_PRELOAD=$CGC_LIB timeout -k 5 100 "$program" $how >"$dir/with" 2>&1
    status=$?
    [ $status -eq $without ] && cmp -s "$dir/without" "$dir/with" && continue
    echo "FAIL: $how, $options: status $status"
    head -5 "$dir/with"
    failed=1
  done
done
exit $failed
