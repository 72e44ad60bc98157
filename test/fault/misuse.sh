#!/bin/sh
# SPDX-License-Identifier: MIT
# Each misuse of test/fault/misuse.c gives exactly the line announced, the program goes on, and with
# abort-on-bad-free=1 it is aborted.
set -u
program=$top_builddir/test/fault/misuse
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
ulimit -c 0

fail() {
  echo "FAIL: $name: $*"
  sed 's/^/  stdout: /' "$dir/out"
  sed 's/^/  stderr: /' "$dir/err"
  failed=1
}

run() { # OPTIONS: run the misuse, stderr without the caller's address
  CGC_OPTIONS=$1 LD_PRELOAD=$CGC_LIB "$program" "$name" >"$dir/out" 2>"$dir/err"
  status=$?
  grep -v '^Aborted' "$dir/err" | sed 's/called from 0x[0-9a-f]* (program+0x[0-9a-f]*)$/called from/' >"$dir/line"
}

names=$(LD_PRELOAD=$CGC_LIB "$program") || exit 1
count=0
for name in $names; do
  run ''
  [ $status -eq 0 ] || fail "status $status"
  cmp -s "$dir/out" "$dir/line" || fail "not the line announced"
  run abort-on-bad-free=1
  if grep -q '^cgc: ' "$dir/out"; then
    [ $status -eq 134 ] || fail "status $status, not that of SIGABRT"
    cmp -s "$dir/out" "$dir/line" || fail "not the line announced before the abort"
  else
    [ $status -eq 0 ] && [ "$(cat "$dir/err")" = "went on" ] || fail "status $status without a misuse"
  fi
  count=$((count + 1))
done
echo "$count misuses"
[ $count -ge 25 ] || failed=1
exit $failed
