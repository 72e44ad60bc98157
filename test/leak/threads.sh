#!/bin/sh
# SPDX-License-Identifier: MIT
# Eight threads that leak at the same time: none of their blocks is lost or taken for another's.
. "$srcdir/test/leak/leak.sh"
rounds=${CGC_TEST_ROUNDS:-5}

# Of the ith thread i + 1 hundred blocks of 40 + i bytes.
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
  grep -h '"type":"leak".*"kind":"direct"' "$dir"/records/* |
    sed 's/.*"threads":\[\([^]]*\)\].*/\1/' | sort >"$dir/threads"
  ! grep , "$dir/threads" || fail "round $round: leaks of several threads"
  [ -z "$(uniq -d "$dir/threads")" ] || fail "round $round: leaks of two functions in one thread"
done
finish
