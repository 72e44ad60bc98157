#!/bin/sh
# SPDX-License-Identifier: MIT
# The document of --format json, against its schema.
# shellcheck source=test/tools/tools_common.sh
. "$srcdir/test/tools/tools_common.sh"
command -v python3 >/dev/null || { echo "This test is MISSING from the run: it needs python3."; exit 77; }
build_program

is() { # EXPRESSION: of the document, d
  python3 -c "
import json, sys
d = json.load(open('leaks.json'))
sys.exit(not ($1))" || fail "not so in the document: $1"
}

validate() { # WHAT
  python3 "$sources/validate.py" "$srcdir/doc/leaks.schema.json" leaks.json >out
  case $? in
    0) ;;
    77) cat out; exit 77 ;;
    *) fail "$1: the document does not match its schema" ;;
  esac
}

echo leak:in_library >library.supp
leaks --suppressions library.supp --format json=leaks.json --format text=- -- plain inlined library indirect possible grow
expect_status json 23
expect_in "two formats" out "Direct leak of 20 byte(s) in 1 object(s) allocated from:"
validate json
is "[leak['kind'] for leak in d['leaks']] == ['direct'] * 3 + ['indirect', 'possible', 'doubtful']"
is "[leak['bytes'] for leak in d['leaks']] == [30, 20, 10, 5, 6, 7]"
is "d['leaks'][0]['suppressed_by'] == 'in_library' and d['leaks'][0]['verdict'] == 'suppressed'"
is "[frame['function'] for frame in d['leaks'][2]['stack'][:2]] == ['inlined', 'leak_by_inlined']"
is "[frame['inlined'] for frame in d['leaks'][2]['stack'][:2]] == [True, False]"
is "d['leaks'][1]['stack'][0]['line'] == $(line_of leaky.c 'line of leak_plainly')"
is "d['leaks'][1]['reach'] == {'blocks': 2, 'bytes': 21} and d['leaks'][3]['reach'] is None"
is "[g['stack'][0]['function'] for g in d['growth']] == ['keep_more']"
is "d['command'][0] == './leaky' and d['processes'][0]['exe'] == '$dir/leaky'"
is "d['totals']['new'] == {'leaks': 3, 'blocks': 3, 'bytes': 35}"
is "len({leak['fingerprint'] for leak in d['leaks']}) == 6"

leaks --format json=leaks.json -- no-check
expect_status "unchecked" 24
validate "unchecked"
is "not d['processes'][0]['checked'] and d['processes'][0]['error']"

# Two processes and a stack in generated code.
record kept plain
sed 's/\[0,[0-9]*\]/&/; s/"frames":\[/"frames":[[0,4660],/' kept/*.jsonl >generated.jsonl
run report --format json=leaks.json kept generated.jsonl
validate "generated code"
is "['0x1233'] == [leak['stack'][0]['offset'] for leak in d['leaks'] if leak['stack'][0]['module'] is None]"

# Where the allocating function is.
sed 's/"by":"malloc",/&"by_frame":[1,4660],/' kept/*.jsonl >by_frame.jsonl
is "d['leaks'][0]['by_frame'] is None"
run report --format json=leaks.json by_frame.jsonl
validate "by_frame"
is "d['leaks'][0]['by_frame']['offset'] == '0x1234'"

# Names that are not UTF-8.
printf '\303\050' >bytes
run leaks --library ./libcgc.so --format json=leaks.json -- ./leaky "$(cat bytes)"
validate "not UTF-8"
is "d['command'][1] == '\\u00c3('"

# The schema says no to what it should.
leaks --format json=leaks.json -- plain
sed -i 's/"bytes": 20/"bytes": "20"/' leaks.json
python3 "$sources/validate.py" "$srcdir/doc/leaks.schema.json" leaks.json >out && fail "the schema accepts everything"
exit $failed
