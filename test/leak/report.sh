#!/bin/sh
# SPDX-License-Identifier: MIT
# The report for people, where no record is asked for: as LeakSanitizer's, but for names.
. "$srcdir/test/leak/leak.sh"
leaker=$top_builddir/test/leak/leaker

tell() { # OPTIONS CASE: standard error in $dir/err
  command="$2 ($1)"
  timeout -k 5 300 env CGC_OPTIONS="mode=leak:$1" LD_PRELOAD="$CGC_LIB" "$leaker" "$2" >"$dir/out" 2>"$dir/err"
  status=$?
}

tell '' cycle
[ $status -eq 23 ] || fail "$command: status $status"
place='\(/[^ ]+\+0x[0-9a-f]+\)( \(BuildId: [0-9a-f]+\))?'
cat >"$dir/forms" <<END
^$
^={65}$
^==[0-9]+==ERROR: LeakSanitizer: detected memory leaks$
^(Direct|Indirect) leak of [0-9]+ byte\(s\) in [0-9]+ object\(s\) allocated from:$
^    #0 0x[0-9a-f]+ in malloc $place$
^    #[1-9][0-9]* 0x[0-9a-f]+  $place$
^SUMMARY: LeakSanitizer: 288 byte\(s\) leaked in 4 allocation\(s\)\.$
END
grep -Evf "$dir/forms" "$dir/err" && fail "$command: lines of other forms"
sed 's/ leak of .*//; s/^==[0-9]*==.*/head/; s/^=*$/rule/; s/^SUMMARY.*/summary/
  s/^    #0 .*/called/; s/^    #.*/frame/' "$dir/err" | uniq | tr '\n' ' ' >"$dir/order"
stack='called frame rule'
indirect="Indirect $stack"
[ "$(cat "$dir/order")" = "rule head rule Direct $stack $indirect $indirect $indirect summary " ] ||
  fail "$command: another order of lines: $(cat "$dir/order")"

grep '^Direct' "$dir/err" >"$dir/direct"
echo 'Direct leak of 72 byte(s) in 1 object(s) allocated from:' | diff - "$dir/direct" || fail "$command: direct leaks"
grep '^Indirect' "$dir/err" | sort >"$dir/indirect"
diff - "$dir/indirect" <<END || fail "$command: indirect leaks"
Indirect leak of 40 byte(s) in 1 object(s) allocated from:
Indirect leak of 88 byte(s) in 1 object(s) allocated from:
Indirect leak of 88 byte(s) in 1 object(s) allocated from:
END

# A symbolizer makes names of "(MODULE+OFFSET)".
tell '' end_by_exit
grep -q '^    #1 ' "$dir/err" || fail "$command: no frame"
if command -v addr2line >/dev/null; then
  offset=$(sed -n 's/^    #1 .*+\(0x[0-9a-f]*\)).*/\1/p' "$dir/err")
  [ "$(addr2line -f -e "$leaker" "$offset" | head -1)" = leak_a ] || fail "$command: the first frame is not in leak_a"
fi

# Of one stack, whatever they hang off.
tell '' owned
grep '^Indirect' "$dir/err" >"$dir/indirect"
echo 'Indirect leak of 120 byte(s) in 3 object(s) allocated from:' | diff - "$dir/indirect" ||
  fail "$command: indirect leaks of one stack"

# Where each group is compared with all others this takes more than ten minutes.  TERM waits for the end of a check.
timeout -s KILL 120 env CGC_OPTIONS=mode=leak:depth=4 LD_PRELOAD="$CGC_LIB" "$leaker" many_stacks 2>&1 </dev/null |
  awk '/ leak of / { groups[$1]++; bytes += $4; blocks += $7 } /^SUMMARY/ { summary = $0 }
       END { print groups["Direct"], groups["Indirect"], bytes, blocks; print summary }' >"$dir/got"
diff - "$dir/got" <<END || fail "many_stacks: not all leaks"
1 299999 7200000 300000
SUMMARY: LeakSanitizer: 7200000 byte(s) leaked in 300000 allocation(s).
END

# Only leaks are told.
for case in end_without_leaks possible doubtful reachable; do
  tell '' $case
  [ $status -eq 0 ] && [ ! -s "$dir/err" ] || { fail "$command: status $status"; cat "$dir/err"; }
done

# To the log, and by each process.
tell "log=$dir/log.%p" fork_leaks_in_both
[ ! -s "$dir/err" ] || fail "$command: on standard error"
[ "$(grep -l '^==[0-9]*==ERROR: LeakSanitizer' "$dir"/log.* | wc -l)" -eq 2 ] || fail "$command: not two logs"
for log in "$dir"/log.*; do
  grep -q "^==${log##*.}==ERROR" "$log" || fail "$command: the log of another process"
done

# ---- a record that cannot be written: one line, and the program goes on ----

for path in /no/such/directory/record /dev/full "$dir"; do
  tell "report=$path" tree
  [ $status -eq 23 ] || fail "report=$path: status $status"
  line="^cgc: the record of leak checks, $path, cannot be written: E[A-Z]*\$"
  [ "$(wc -l <"$dir/err")" -eq 1 ] && grep -q "$line" "$dir/err" ||
    { fail "report=$path: not the line expected"; cat "$dir/err"; }
done
finish
