#!/bin/sh
# SPDX-License-Identifier: MIT
# Eight threads that leak at the same time: none of their blocks is lost or taken for another's.
. "$srcdir/test/leak/leak.sh"
rounds=${CGC_TEST_ROUNDS:-5}

expected=process
blocks=0 bytes=0
for i in 0 1 2 3 4 5 6 7; do
  count=$(((i + 1) * 100)) size=$((40 + i))
  expected="$expected
direct leak_thread_$i malloc $count $((count * size))"
  blocks=$((blocks + count)) bytes=$((bytes + count * size))
done
expected="$expected
check exit leaked $blocks $bytes last
end 23"

for round in $(seq "$rounds"); do
  echo "$expected" | check 23 '' "$top_builddir/test/leak/threads"
  threads=$(grep -h '"type":"leak".*"kind":"direct"' "$dir"/records/* | grep -o '"threads":\[[^]]*\]' | sort -u | wc -l)
  [ "$threads" -eq 8 ] || fail "round $round: leaks of $threads threads, not 8"
  ! grep -h '"type":"leak".*"kind":"direct"' "$dir"/records/* | grep '"threads":\[[0-9]*,' ||
    fail "round $round: a leak of several threads"
done
finish
