#!/bin/sh
# SPDX-License-Identifier: MIT
# Records that are cut short, spoilt, or strange: nothing of them passes for checked.
# shellcheck source=test/tools/tools_common.sh
. "$srcdir/test/tools/tools_common.sh"
build_program
record kept plain library
good=$(ls kept/*.jsonl)

report() { # STATUS WHAT: of the file "changed"
  run report changed
  expect_status "$2" "$1"
}

told() { # LINE PROBLEM
  expect_match "line $1" err "cgc: changed:$1: this line cannot be read: $2"
  expect_match "line $1" err "cgc: not checked: process [0-9]* (.*): line $1 of changed cannot be read"
}

line_number() { # PATTERN: of the first such line
  grep -n -m 1 -e "$1" "$good" | cut -d: -f1
}

cp "$good" changed
report 23 "unchanged"
run report "$good" changed
expect_in "two files" out "Direct leak of 40 byte(s) in 2 object(s) allocated from:"
run report no/such/file
expect_status "no file" 2
run report kept --format nonsense
expect_status "no format" 2
mkdir empty
run report empty
expect_status "empty directory" 24
expect_in "empty directory" err "cgc: nothing was checked"

# ---- the end ----

{ cat "$good"; printf '{"type":"che'; } >changed
report 23 "cut after the last check"
[ ! -s err ] || fail "cut after the last check: a message"
check=$(line_number '"type":"check"')
head -n $((check - 1)) "$good" >changed
report 24 "cut before the check"
{ head -n $((check - 1)) "$good"; sed -n "${check}p" "$good" | cut -c 1-40 | tr -d '\n'; } >changed
report 24 "cut within the check"
expect_match "cut within the check" err "cgc: not checked: process [0-9]* ($dir/leaky): it ended before it was checked"
expect_not "cut within the check" out "^Direct leak"
: >changed
report 24 "empty file"
expect_match "empty file" err "cgc: not checked: .*: changed tells of no process"

# ---- lines that cannot be read; the leaks of the others are told ----

spoil() { # PATTERN SED-SCRIPT PROBLEM
  number=$(line_number "$1")
  sed "$number$2" "$good" >changed
  report 23 "spoilt $1, $2"
  told "$number" "$3"
}
spoil '"type":"leak"' 's/.*/nonsense/' "'\[' or '{' expected near 'nonsense'"
spoil '"type":"leak"' 's/.*/[1]/' 'no object'
spoil '"type":"leak"' 's/"kind":"direct"/"kind":"other"/' 'unknown "kind"'
spoil '"type":"leak"' 's/"bytes":[0-9]*/"bytes":"x"/' 'no number in member "bytes"'
spoil '"type":"leak"' 's/"bytes":[0-9]*/"bytes":-1/' 'no number in member "bytes"'
spoil '"type":"leak"' 's/"stack":[0-9]*/"stack":99/' 'unknown stack in member "stack"'
spoil '"type":"stack"' 's/"frames":\[\[[0-9]*/"frames":[[77/' 'unknown module in member "frames"'
spoil '"type":"module"' 's/"id":[0-9]*/"id":0/' 'no id in member "id"'
spoil '"type":"module"' 's/"path":"[^"]*",//' 'no string in member "path"'
spoil '"type":"check"' 's/"number":[0-9]*,//' 'no member "number"'
spoil '"type":"process"' 's/"version":1/"version":2/' 'unknown "version"'
sed "${check}s/\"error\":null,//" "$good" >changed
report 24 "check without error"
told "$check" 'no string or null in member "error"'
sed 1d "$good" >changed
report 23 "no process line"
expect_match "no process line" err 'cgc: changed:1: this line cannot be read: no process line before type "module"'

# Ids of stacks are any numbers.
sed 's/\("type":"stack","id":\|"stack":\)/&400000000/' "$good" >changed
report 23 "large ids"
[ ! -s err ] || fail "large ids: a message"
expect_in "large ids" out "SUMMARY: LeakSanitizer: 50 byte(s) leaked in 2 allocation(s)."

# ---- what is to be ignored ----

sed '2s/^/{"type":"novelty","x":1}\n/; s/"kind"/"colour":"blue","kind"/' "$good" >changed
report 23 "unknown types and members"
[ ! -s err ] || fail "unknown types and members: a message"

# ---- several images and checks ----

{ head -n $((check - 3)) "$good"; echo '{"type":"exec","path":"/bin/other"}'; cat "$good"; } >changed
report 23 "exec"
[ ! -s err ] || fail "exec: a message"
expect_in "exec" out "SUMMARY: LeakSanitizer: 50 byte(s) leaked in 2 allocation(s)."
{ head -n $((check - 3)) "$good"; echo '{"type":"exec","path":"/bin/other"}'; } >changed
report 24 "exec of a program without the library"
expect_match "exec of a program without the library" err "cgc: not checked: process [0-9]* (/bin/other): the library was not loaded by this program after exec"
{ cat "$good"; sed "${check}s/\"error\":null/\"error\":\"no memory\"/" "$good"; } >changed
report 23 "a reused process id"
expect_match "a reused process id" err "cgc: not checked: .*: no memory"
expect_in "a reused process id" out "SUMMARY: LeakSanitizer: 50 byte(s) leaked in 2 allocation(s)."

# The leaks of an earlier check count once.
record twice plain check
run report twice
expect_in "two checks" out "SUMMARY: LeakSanitizer: 20 byte(s) leaked in 1 allocation(s)."

# A program's own suppressions.
sed '2s/^/{"type":"suppressions","text":"leak:leak_plainly\\nleak:in_library\\n"}\n/' "$good" >changed
report 0 "__lsan_default_suppressions"

exit $failed
