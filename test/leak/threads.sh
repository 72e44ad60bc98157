#!/bin/sh
# SPDX-License-Identifier: MIT
# Eight threads that leak at the same time: none of their blocks is lost or taken for another's.
. "$srcdir/test/leak/leak.sh"
rounds=${CGC_TEST_ROUNDS:-5}

# Of the ith thread i + 1 hundred blocks of 40 + i bytes.  One of them may be kept by what the thread has left on its stack
# as it ended, which libc keeps for another thread.
cat >"$dir/expect.awk" <<'END'
/^direct leak_thread_[0-7] malloc / {
  i = substr($2, length($2)); count = (i + 1) * 100; told++
  if ($4 > count || $4 < count - 1 || $5 != $4 * (40 + i)) bad = bad " " $2
  blocks += $4; bytes += $5
  next
}
/^check / { if ($0 != "check exit leaked " blocks " " bytes " last") bad = bad " check"; next }
$0 != "process" && $0 != "end 23" { bad = bad " " $1 }
END { if (told != 8) bad = bad " " told " threads"; if (bad) print "wrong:" bad; exit bad != "" }
END

for round in $(seq "$rounds"); do
  run '' "$top_builddir/test/leak/threads"
  [ $status -eq 23 ] || fail "round $round: status $status"
  awk -f "$dir/expect.awk" "$dir/got" || { fail "round $round"; cat "$dir/got"; }
  grep -h '"type":"leak".*"kind":"direct"' "$dir"/records/* | sed 's/.*"threads":\[\([^]]*\)\].*/\1/' | sort >"$dir/threads"
  ! grep , "$dir/threads" || fail "round $round: leaks of several threads"
  [ -z "$(uniq -d "$dir/threads")" ] || fail "round $round: leaks of two functions in one thread"
done
finish
