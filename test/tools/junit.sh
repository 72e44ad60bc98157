#!/bin/sh
# SPDX-License-Identifier: MIT
# JUnit's XML, as junitparser reads it.
# shellcheck source=test/tools/tools_common.sh
. "$srcdir/test/tools/tools_common.sh"
find_python junitparser
[ -n "$python" ] || missing "Python's junitparser"
build_program

is() { # EXPRESSION: of the suite, s, and its tests by class and name, t
  "$python" -c "
import sys
import junitparser as j
s = list(j.JUnitXml.fromfile('leaks.xml'))[0]
t = {(x.classname, x.name.split(' [')[0]): x for x in s}
kind = lambda x: [type(y).__name__ for y in x.result]
sys.exit(not ($1))" || fail "not so in the document: $1"
}

junit() { # [OPTION...] -- WORD...
  leaks --format junit=leaks.xml --source-root "$srcdir" "$@"
}

echo 'leak:in_lib*y' >library.supp
junit --baseline base.json --update-baseline -- inlined
junit --suppressions library.supp --baseline base.json -- plain inlined library indirect possible
expect_status junit 23
is "(s.tests, s.failures, s.errors, s.skipped) == (5, 2, 0, 2) and len(list(s)) == 5"
is "sorted(t) == [('cgc.direct-leak', 'in_library'), ('cgc.direct-leak', 'inlined'), ('cgc.direct-leak', 'leak_plainly'), ('cgc.indirect-leak', 'leak_indirectly'), ('cgc.process', 'leaky')]"
is "kind(t['cgc.process', 'leaky']) == []"
is "kind(t['cgc.direct-leak', 'leak_plainly']) == ['Failure']"
is "t['cgc.direct-leak', 'leak_plainly'].result[0].message == 'Direct leak of 20 byte(s) in 1 object(s), allocated by malloc in leak_plainly'"
is "'in leak_plainly $sources/leaky.c:$(line_of leaky.c 'line of leak_plainly'):3\n' in t['cgc.direct-leak', 'leak_plainly'].result[0].text"
is "t['cgc.direct-leak', 'leak_plainly']._elem.get('file') == 'test/tools/leaky.c'"
is "[x.message for x in t['cgc.direct-leak', 'inlined'].result] == ['known to the baseline']"
is "[(type(x).__name__, x.message) for x in t['cgc.direct-leak', 'in_library'].result] == [('Skipped', 'suppressed by in_lib*y')]"
cp leaks.xml first.xml

# Names are the same in the next run, and no two are.
junit --suppressions library.supp --baseline base.json -- plain inlined library indirect possible
[ "$(grep -o 'classname="[^"]*" name="[^"]*"' leaks.xml)" = "$(grep -o 'classname="[^"]*" name="[^"]*"' first.xml)" ] ||
  fail "other names in the next run"
record kept plain
sed 's/"frames":\[\[1,[0-9]*\]/"frames":[[0,4660]/' kept/*.jsonl >other.jsonl
sed 's/"frames":\[\[1,[0-9]*\]/"frames":[[0,4661]/' kept/*.jsonl >another.jsonl
run report --format junit=leaks.xml kept kept other.jsonl another.jsonl
is "len({(x.classname, x.name) for x in s}) == len(list(s)) == 4 + 3"

run leaks --library ./libcgc.so --format junit=leaks.xml -- sh -c './leaky; ./leaky failed-check'
is "s.errors == sum(kind(x) == ['Error'] for x in s) and sorted(kind(x) for x in s if x.name.startswith('leaky')) == [[], ['Error']]"
is "[y.message for x in s for y in x.result if x.name.startswith('leaky')] == ['threads could not be stopped']"

# What XML cannot hold.
sed 's/"exe":"[^"]*"/"exe":"\/x\/<a\&b>\\"\\u0001\\u00e9\\n"/' kept/*.jsonl >strange.jsonl
run report --format junit=leaks.xml strange.jsonl
is "('cgc.process', '<a&b>\"?\\u00e9\\n') in t"
exit $failed
