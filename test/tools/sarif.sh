#!/bin/sh
# SPDX-License-Identifier: MIT
# SARIF: against its schema, and within what GitHub takes.
# The schema is $SARIF_SCHEMA, or that of the npm package @microsoft/jest-sarif, if it is installed for all.
# shellcheck source=test/tools/tools_common.sh
. "$srcdir/test/tools/tools_common.sh"
find_python jsonschema
[ -n "$python" ] || missing "Python's jsonschema"
build_program

is() { # EXPRESSION: of the run, r, and its results by function, f
  "$python" -c "
import json, sys
r = json.load(open('leaks.sarif'))['runs'][0]
f = {x['message']['text'].split()[-1]: x for x in r['results']}
place = lambda x: x['locations'][0]['physicalLocation']
sys.exit(not ($1))" || fail "not so in the document: $1"
}

find_schema() {
  schema=${SARIF_SCHEMA-}
  for file in "$(npm root -g 2>/dev/null)"/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0*.json; do
    [ -n "$schema" ] || [ ! -f "$file" ] || schema=$file
  done
}

validate() { # WHAT
  [ -n "$schema" ] || return
  "$python" "$sources/validate.py" "$schema" leaks.sarif >out || fail "$1: the document does not match the schema"
}

find_schema
echo leak:in_library >library.supp
sarif() { # [OPTION...] -- WORD...
  leaks --format sarif=leaks.sarif --source-root "$srcdir" "$@"
}

sarif --suppressions library.supp -- plain inlined library indirect possible
expect_status sarif 23
validate sarif
is "sorted(f) == ['in_library', 'inlined', 'leak_indirectly', 'leak_plainly'] and len(r['results']) == 4"
is "[x['id'] for x in r['tool']['driver']['rules']] == ['cgc/direct-leak', 'cgc/indirect-leak']"
is "f['leak_plainly']['ruleId'] == 'cgc/direct-leak' and f['leak_indirectly']['ruleId'] == 'cgc/indirect-leak'"
is "all(r['tool']['driver']['rules'][x['ruleIndex']]['id'] == x['ruleId'] for x in r['results'])"
is "place(f['leak_plainly'])['artifactLocation'] == {'uri': 'test/tools/leaky.c', 'uriBaseId': '%SRCROOT%'}"
is "place(f['leak_plainly'])['region'] == {'startLine': $(line_of leaky.c 'line of leak_plainly'), 'startColumn': 3}"
is "len(f['leak_plainly']['partialFingerprints']['cgcLeak/v1']) == 16"
is "[x['location']['message']['text'] for x in f['inlined']['stacks'][0]['frames']][:4] == ['inlined', 'leak_by_inlined', 'act', 'main']"
is "[x['location']['message']['text'] for x in f['inlined']['codeFlows'][0]['threadFlows'][0]['locations']][-4:] == ['main', 'act', 'leak_by_inlined', 'inlined']"
is "f['in_library']['suppressions'][0]['justification'] == 'in_library' and f['leak_plainly']['suppressions'] == []"
is "all('baselineState' not in x for x in r['results'])"
is "r['invocations'][0]['executionSuccessful'] and r['invocations'][0]['toolExecutionNotifications'] == []"

sarif --baseline base.json --update-baseline -- plain indirect
is "{x['baselineState'] for x in r['results']} == {'unchanged'}"
sarif --baseline base.json -- plain inlined
validate "--baseline"
is "f['leak_plainly']['baselineState'] == 'unchanged' and f['inlined']['baselineState'] == 'new'"
is "[(x['ruleId'], x['level'], place(x)['artifactLocation']['uri']) for x in r['results'] if x['baselineState'] == 'absent'] == [('cgc/indirect-leak', 'none', 'file://$dir/base.json')]"
leaks --format sarif=leaks.sarif --source-root "${dir%/*}" --baseline base.json -- plain
is "[place(x)['artifactLocation'].get('uri') for x in r['results'] if x['baselineState'] == 'absent'] == ['${dir##*/}/base.json']"

# Nothing of the stack is in the tree; its name has a space, a colon and a percent sign.
leaks --format sarif=leaks.sarif --source-root "$dir" -- plain
validate "no file in the tree"
is "place(f['leak_plainly'])['artifactLocation'] == {'uri': 'file://$(cd "$sources" && pwd)/leaky.c'}"
mkdir 'a b:c%'
cp "$sources/leaky.c" 'a b:c%'
build leaky -I "$sources" 'a b:c%/leaky.c' -L. -lleaky "-Wl,-rpath,$dir"
leaks --format sarif=leaks.sarif -- plain
validate "strange path"
is "place(f['leak_plainly'])['artifactLocation']['uri'] == 'a%20b%3Ac%25/leaky.c'"
mkdir -p 'a b:c%/deep/.git'
(cd 'a b:c%/deep' && "$cgc" leaks --library "$dir/libcgc.so" -f sarif=../../leaks.sarif -- ../../leaky plain >/dev/null 2>&1)
is "place(f['leak_plainly'])['artifactLocation']['uri'].startswith('file://')"
mv 'a b:c%/deep/.git' 'a b:c%'
(cd 'a b:c%/deep' && "$cgc" leaks --library "$dir/libcgc.so" -f sarif=../../leaks.sarif -- ../../leaky plain >/dev/null 2>&1)
is "place(f['leak_plainly'])['artifactLocation']['uri'] == 'leaky.c'"

# Paths that the compiler made relative are of this tree only if it has such a file.
build leaky -ffile-prefix-map="$dir=." -I "$sources" 'a b:c%/leaky.c' -L. -lleaky "-Wl,-rpath,$dir"
leaks --format sarif=leaks.sarif --source-root . -- plain
is "place(f['leak_plainly'])['artifactLocation']['uri'] == 'a%20b%3Ac%25/leaky.c'"
leaks --format sarif=leaks.sarif --source-root tmp -- plain
is "place(f['leak_plainly'])['artifactLocation']['uri'] == 'file://$dir/leaky'"
validate "relative path"

sarif -- plain failed-check
validate "unchecked"
is "not r['invocations'][0]['executionSuccessful']"
is "'threads could not be stopped' in r['invocations'][0]['toolExecutionNotifications'][0]['message']['text']"

# The largest of more than GitHub takes.
record kept plain
good=$(ls kept/*.jsonl)
many_leaks 25010 many.jsonl
run report --format sarif=leaks.sarif many.jsonl
is "len(r['results']) == 25000 and min(x['properties']['bytes'] for x in r['results']) == 11"
is "'the first 25000 of 25010' in r['invocations'][0]['toolExecutionNotifications'][0]['message']['text']"
[ "$(gzip -c leaks.sarif | wc -c)" -lt 10000000 ] || fail "more than 10 MB"

if [ -n "$schema" ]; then
  build_program
  sarif -- plain
  sed -i 's/"startLine":[0-9]*/"startLine":"x"/' leaks.sarif
  "$python" "$sources/validate.py" "$schema" leaks.sarif >out && fail "the schema accepts everything"
else
  missing "the schema of SARIF 2.1.0: \$SARIF_SCHEMA, or npm install -g @microsoft/jest-sarif"
fi
exit $failed
