#!/bin/sh
# SPDX-License-Identifier: MIT
# GitLab's Code Quality: what its documentation asks for.
# shellcheck source=test/tools/tools_common.sh
. "$srcdir/test/tools/tools_common.sh"
command -v python3 >/dev/null || missing python3
build_program

is() { # EXPRESSION: of the entries, e
  python3 -c "
import json, sys
e = json.load(open('leaks.json'))
sys.exit(not ($1))" || fail "not so in the document: $1"
}

fits() { # WHAT
  is "all(type(x[n]) is str and x[n] for x in e for n in ('description', 'check_name', 'fingerprint', 'severity'))"
  is "all(x['severity'] in ('info', 'minor', 'major', 'critical', 'blocker') for x in e)"
  is "all(x['location']['path'][0] not in './' and x['location']['lines']['begin'] >= 1 for x in e)"
  is "len({x['fingerprint'] for x in e}) == len(e)"
}

echo leak:in_library >library.supp
leaks --suppressions library.supp --format gitlab=leaks.json --source-root "$srcdir" -- plain library indirect possible
fits
is "[x['location']['path'] for x in e] == ['test/tools/leaky.c'] * 2"
is "[x['check_name'] for x in e] == ['cgc/direct-leak', 'cgc/indirect-leak']"
is "e[0]['location']['lines']['begin'] == $(line_of leaky.c 'line of leak_plainly')"

# Outside the tree, without a file, without a stack, with one fingerprint.
leaks --format gitlab=leaks.json --source-root "$dir" -- plain
fits
is "'/' + e[0]['location']['path'] == '$sources/leaky.c'"
record kept plain
sed 's/\[1,[0-9]*\]/[0,4660]/g' kept/*.jsonl >unknown.jsonl
sed 's/\[1,[0-9]*\]/[0,4661]/g' kept/*.jsonl >another.jsonl
sed 's/"stack":1,/"stack":0,/' kept/*.jsonl >none.jsonl
run report --format gitlab=leaks.json kept unknown.jsonl another.jsonl none.jsonl
fits
is "len(e) == 4"
leaks --format gitlab=leaks.json --
is "e == []"
exit $failed
