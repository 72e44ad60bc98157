#!/bin/sh
# SPDX-License-Identifier: MIT
# The text of cgc leaks: LeakSanitizer's, with functions, files and lines.
# shellcheck source=test/tools/tools_common.sh
. "$srcdir/test/tools/tools_common.sh"
build_program
source=$sources/leaky.c
address='0x[0-9a-f]\{12\}'

leaks -- plain inlined library indirect possible
expect_status text 23
[ "$(cat out)" = "output of the program" ] || fail "text: standard output is not the program's"
expect_in text err "================================================================="
expect_match text err "==[0-9]*==ERROR: LeakSanitizer: detected memory leaks"
expect_in text err "Direct leak of 20 byte(s) in 1 object(s) allocated from:"
expect_in text err "Indirect leak of 5 byte(s) in 1 object(s) allocated from:"
expect_match text err "    #0 $address in malloc (libcgc.so+0x0)"
expect_match "plain call" err "    #1 $address in leak_plainly $source:$(line_of leaky.c 'line of leak_plainly'):3"
expect_match "inlined function" err "    #1 $address in inlined $source:$(line_of leaky.c 'line of inlined'):3"
expect_match "caller of an inlined function" err "    #2 $address in leak_by_inlined $source:$(line_of leaky.c 'line of leak_by_inlined'):3"
expect_match "shared library" err "    #1 $address in in_library $sources/leaky_library.c:7:3"
expect_in text err "SUMMARY: LeakSanitizer: 65 byte(s) leaked in 4 allocation(s)."
expect_not "possible leaks" err "^Possible leak"
expect_in "possible leaks" err "cgc: possible leaks (--show possible): 6 byte(s) in 1 allocation(s)"
[ "$(grep -c '^SUMMARY' err)" -eq 1 ] || fail "text: more than one summary"
[ -z "$(ls "$TMPDIR")" ] || fail "the directory for reports was left behind"

leaks --show possible,doubtful -- plain possible
expect_in "--show" err "Possible leak of 6 byte(s) in 1 object(s) allocated from:"
expect_in "--show" err "Doubtful leak of 7 byte(s) in 1 object(s) allocated from:"
expect_in "--show" err "SUMMARY: LeakSanitizer: 20 byte(s) leaked in 1 allocation(s)."

leaks --source -- plain
expect_match "--source" err "    leaky.c:[0-9]*:   recorder_leak(\"direct\", bytes);   /\* line of leak_plainly \*/"

leaks --color always -- plain
expect_in "--color" err "$(printf '\033[1;34mDirect leak of 20 byte(s) in 1 object(s) allocated from:\033[0m')"

leaks -O leaks.txt -- plain
expect_in "-O" leaks.txt "Direct leak of 20 byte(s) in 1 object(s) allocated from:"
[ ! -s err ] || fail "-O: something on standard error"

leaks -O no/such/directory -- plain
expect_status "unwritable output" 2

"$cgc" report --format json /dev/null >/dev/full 2>err
status=$?
expect_status "full output" 2
expect_match "full output" err "cgc: standard output: No space left on device"

# One entry for the same place in two processes and at two calls.
run leaks --library ./libcgc.so -- sh -c './leaky plain plain; ./leaky plain'
expect_in "merged" err "Direct leak of 60 byte(s) in 3 object(s) allocated from:"

# Where the allocating function is, and the library in the middle of a stack.
record placed plain
library=$(sed -n 's/^{"type":"module","id":\([0-9]*\),"path":"[^"]*libcgc.so".*/\1/p' placed/*.jsonl)
caller=$(sed -n 's/.*"frames":\[\[[0-9,]*\],\[\([0-9,]*\)\],.*/\1/p' placed/*.jsonl)
run report --details placed
fingerprint=$(sed -n 's/^Direct leak \([0-9a-f]\{16\}\):.*/\1/p' out)
sed "s/\"by\":\"malloc\",/&\"by_frame\":[$library,4660],/; s/\\[$caller\\],/[$library,5000],&/" placed/*.jsonl >changed.jsonl
run report --details changed.jsonl
expect_match "place of malloc" out "    #0 $address in malloc ($dir/./libcgc.so+0x1234) (BuildId: [0-9a-f]*)"
expect_match "frames of the library" out "    #2 $address in act .*"
[ "$(grep -c libcgc out)" -eq 1 ] || fail "a frame of the library is shown"
expect_match "frames of the library" out "Direct leak $fingerprint: 20 byte(s) .*"

# Without debugging information: function, module and offset; with nothing: module and offset.
record kept plain rust
objcopy --strip-debug leaky
run report kept
expect_match "stripped of lines" out "    #1 $address in leak_plainly[a-z.0-9]* ($dir/leaky+0x[0-9a-f]*) (BuildId: [0-9a-f]*)"
expect_match "name of Rust" out "    #1 $address in mycrate::leak ($dir/leaky+0x[0-9a-f]*) (BuildId: [0-9a-f]*)"
strip leaky
run report kept
expect_match "stripped of symbols" out "    #1 $address  ($dir/leaky+0x[0-9a-f]*) (BuildId: [0-9a-f]*)"
cp -f /bin/true leaky
run report kept
expect_match "file has changed" out "    #1 $address  ($dir/leaky+0x[0-9a-f]*) (BuildId: [0-9a-f]*) (file has changed)"
rm leaky
run report kept
expect_match "file is gone" out "    #1 $address  ($dir/leaky+0x[0-9a-f]*) (BuildId: [0-9a-f]*) (file cannot be read)"

# What objcopy put into a file of its own is found by the link.
build_program
record linked plain
objcopy --only-keep-debug leaky leaky.debug
strip leaky
objcopy --add-gnu-debuglink=leaky.debug leaky
run report linked
expect_match "debug link" out "    #1 $address in leak_plainly $source:[0-9]*:3"

build_program
leaks -- grow
expect_status growth 0
expect_match growth err "Growth by 190 byte(s) per second, from 100 to 900 byte(s) in 5 checks, allocated from:"
expect_match growth err "    #1 $address in keep_more $source:[0-9]*:3"
expect_not growth err keep_level

exit $failed
