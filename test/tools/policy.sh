#!/bin/sh
# SPDX-License-Identifier: MIT
# Which leaks count: suppressions, baselines, sizes; and the exit status of cgc leaks.
# shellcheck source=test/tools/tools_common.sh
. "$srcdir/test/tools/tools_common.sh"
build_program

# ---- exit status ----

leaks -- check
expect_status "no leak" 0
expect_in "no leak" err "cgc: 1 process(es) checked, 0 leak(s)"
leaks -- exit=3
expect_status "status of the command" 3
leaks -- plain exit=3
expect_status "leaks, and the command failed" 3
leaks --exit-code-wins -- plain exit=3
expect_status "--exit-code-wins" 23
leaks --exit-code-wins -- exit=3
expect_status "--exit-code-wins without leaks" 3
leaks --exit-code 9 -- plain
expect_status "--exit-code" 9
leaks -- kill
expect_status "killed" 137
run leaks --library ./libcgc.so -- ./no-such-program
expect_status "no such program" 127
run leaks --library ./libcgc.so -- ./libleaky.c
expect_status "no such program" 127
: >not-executable
run leaks --library ./libcgc.so -- ./not-executable
expect_status "not executable" 126
run leaks --library ./no-such-library -- ./leaky
expect_status "no library" 2
run leaks --no-such-option -- ./leaky
expect_status "unknown option" 2
run leaks
expect_status "no command" 2
run nosuch
expect_status "unknown command" 2
for words in --help "run --help" "leaks --help" "report --help" "diff --help" --version; do
  # shellcheck disable=SC2086
  run $words
  expect_status "$words" 0
done

# ---- what was not checked ----

leaks -- failed-check
expect_status "failed check" 24
expect_match "failed check" err "cgc: not checked: process [0-9]* ($dir/leaky): threads could not be stopped"
leaks -- no-check
expect_status "no check" 24
expect_match "no check" err "cgc: not checked: process [0-9]* ($dir/leaky): it ended before it was checked"
leaks --allow-unchecked -- no-check
expect_status "--allow-unchecked with nothing checked" 24
expect_in "--allow-unchecked with nothing checked" err "cgc: nothing was checked"
run leaks --allow-unchecked --library ./libcgc.so -- sh -c './leaky no-check; ./leaky'
expect_status "--allow-unchecked" 0
expect_match "--allow-unchecked" err "cgc: not checked: .*"
run leaks --library ./libcgc.so -- sh -c './leaky plain; ./leaky failed-check'
expect_status "leaks, and a failed check" 23
leaks -- plain check failed-check
expect_status "a good check before a failed one" 23
expect_match "a good check before a failed one" err "cgc: not checked: .*: threads could not be stopped"
build still -static "$sources/leaky.c" "$sources/leaky_library.c"
run leaks --library ./libcgc.so -- ./still
expect_status "static program" 24
expect_match "static program" err "cgc: ./still left no report: .*"
run leaks --library ./libcgc.so -- sh -c './leaky wait & until ls "$TMPDIR"/*/*; do sleep 0.1; done; sleep 0.2; echo $! >pid; exit 0'
kill "$(cat pid)"
expect_status "still running" 24
expect_match "still running" err "cgc: not checked: process $(cat pid) ($dir/leaky): it is still running"

# ---- signals ----

"$cgc" leaks --library ./libcgc.so -- ./leaky wait >out 2>err &
pid=$!
until grep -q output out; do sleep 0.1; done
kill -TERM $pid
wait $pid
status=$?
expect_status "a signal is passed on" 143
expect_match "a signal is passed on" err "cgc: not checked: .*"

# ---- the environment of the command ----

CGC_MODE=off CGC_REPORT=/x CGC_EXIT_CODE=5 CGC_OPTIONS=percent=50 CGC_TRACE=1 run leaks --library ./libcgc.so -o confirm=1 -o trace=2 -o exit-code=4 \
  -o log=a:b -- env
for line in CGC_MODE=leak CGC_EXIT_CODE=0 CGC_OPTIONS=percent=50:confirm=1:trace=2:exit-code=4 CGC_LOG=a:b "LD_PRELOAD=$dir/./libcgc.so"; do
  expect_in environment out "$line"
done
expect_not environment out '^CGC_TRACE='
LD_PRELOAD=$dir/libleaky.so run run --library ./libcgc.so -o trace=1 -- env
for line in CGC_MODE=collect CGC_OPTIONS=trace=1 "LD_PRELOAD=$dir/./libcgc.so:$dir/libleaky.so"; do
  expect_in "cgc run" out "$line"
done
run run --library ./libcgc.so -- sh -c 'exit 7'
expect_status "cgc run" 7
CGC_LIBRARY=$dir/libcgc.so run leaks -- ./leaky plain
expect_status CGC_LIBRARY 23

# ---- --fail-on, --min-bytes ----

leaks --fail-on none -- plain
expect_status "--fail-on none" 0
leaks --fail-on direct -- indirect
expect_status "--fail-on direct" 0
leaks --fail-on direct -- plain indirect
expect_status "--fail-on direct" 23
leaks --fail-on growth -- grow
expect_status "--fail-on growth" 23
leaks --fail-on sometimes -- plain
expect_status "--fail-on sometimes" 2
leaks --min-bytes 21 -- plain
expect_status "--min-bytes above" 0
expect_in "--min-bytes above" err "cgc: too small to count: 20 byte(s) in 1 allocation(s)"
leaks --min-bytes 20 -- plain
expect_status "--min-bytes" 23
leaks -- possible
expect_status "possible leaks" 0

# ---- LeakSanitizer's suppressions ----

suppressed() { # STATUS PATTERN [OPTION...]
  expected=$1
  printf '# a comment\n\nleak:%s\n' "$2" >patterns.supp
  pattern=$2
  shift 2
  leaks --suppressions patterns.supp "$@" -- plain
  expect_status "leak:$pattern" "$expected"
}
for pattern in leak_plainly plain '^leak_pl' 'ainly$' '^leak_plainly$' 'le*in' '*' leaky.c /leaky malloc '^*plain*$' 'p*n*y$'; do
  suppressed 0 "$pattern"
done
for pattern in '^plain' 'plain$' Plain 'pl*le' '^leak$' 'leak_plainly?' '^leak_plainlyy$'; do
  suppressed 23 "$pattern"
done
suppressed 0 leak_plainly
expect_in "table of suppressions" err "Suppressions used:"
expect_in "table of suppressions" err "      1         20 leak_plainly"
leaks --suppressions patterns.supp -- plain library
expect_status "one of two" 23
expect_not "one of two" err "^Direct leak of 20 "
CGC_SUPPRESSIONS=patterns.supp leaks -- plain
expect_status CGC_SUPPRESSIONS 0
LSAN_OPTIONS=print_suppressions=0:suppressions=patterns.supp leaks -- plain
expect_status LSAN_OPTIONS 0
leaks --suppressions patterns.supp -- plain indirect
expect_status "what hangs off a suppressed leak" 23
leaks --suppressions patterns.supp --suppress-indirect -- plain indirect
expect_status "--suppress-indirect" 0
leaks --suppressions patterns.supp --suppress-indirect -- plain library indirect
expect_status "--suppress-indirect, and another leak" 23
expect_in "--suppress-indirect, and another leak" err "Indirect leak of 5 byte(s) in 1 object(s) allocated from:"

# ---- what hangs off suppressed leaks, where the record tells that ----

record kept plain library indirect
stacks=$(sed -n 's/.*"type":"leak".*"kind":"direct".*"stack":\([0-9]*\),.*/\1/p' kept/*.jsonl | tr '\n' ' ')
plain_stack=${stacks%% *}
other_stack=$(echo "$stacks" | cut -d' ' -f2)

owned() { # STATUS OWNERS [OPTION...]
  sed "s/\"kind\":\"indirect\",/&\"owners\":[$2],/" kept/*.jsonl >"owned.jsonl"
  expected=$1
  owners=$2
  shift 2
  run report owned.jsonl "$@"
  expect_status "owners $owners, $*" "$expected"
}

owned 23 "$plain_stack" --suppressions patterns.supp
expect_not "it hangs off a suppressed leak" out "^Indirect leak"
expect_in "it hangs off a suppressed leak" out "cgc: suppressed: 25 byte(s) in 2 allocation(s)"
owned 23 "$plain_stack, $other_stack" --suppressions patterns.supp
expect_in "it hangs off another leak, too" out "Indirect leak of 5 byte(s) in 1 object(s) allocated from:"
owned 23 "$plain_stack,0" --suppressions patterns.supp
expect_in "it hangs off unknown leaks, too" out "Indirect leak of 5 byte(s) in 1 object(s) allocated from:"
printf 'leak:leak_plainly\nleak:in_library\n' >both.supp
owned 0 "$plain_stack,$other_stack" --suppressions both.supp
expect_in "both are suppressed" out "cgc: 1 process(es) checked, 0 leak(s)"

# Of two, of which one hangs off a suppressed leak.
sed "s/\"kind\":\"indirect\",/&\"owners\":[$plain_stack],/
     /\"kind\":\"indirect\"/{p; s/\"owners\":\[$plain_stack\]/\"owners\":[$other_stack]/; s/\"bytes\":5/\"bytes\":7/}" \
  kept/*.jsonl >owned.jsonl
run report owned.jsonl
expect_in "two that hang off different leaks" out "Indirect leak of 12 byte(s) in 2 object(s) allocated from:"
run report owned.jsonl --suppressions patterns.supp
expect_in "one of two" out "Indirect leak of 7 byte(s) in 1 object(s) allocated from:"

# ---- what is no suppression ----

echo nonsense >bad.supp
leaks --suppressions bad.supp -- plain
expect_status "bad suppressions" 2
expect_in "bad suppressions" err "cgc: bad.supp:1: neither leak:PATTERN nor a suppression in braces"
expect_not "bad suppressions" out "output of the program"
leaks --suppressions no.such.file -- plain
expect_status "no suppressions" 2

# ---- Valgrind's ----

rule() { # STATUS LINE...: status and rule
  expected=$1
  shift
  { printf '{\n   a name\n   Memcheck:Leak\n'; printf '   %s\n' "$@"; echo '}'; } >rule.supp
  leaks --suppressions rule.supp -- plain
  expect_status "rule $*" "$expected"
}
rule 0 fun:malloc fun:leak_plainly
rule 0 fun:leak_plainly
rule 0 'fun:m*c' 'fun:leak_pl?inly' fun:act fun:main
rule 0 ... fun:main
rule 0 ... fun:main ...
rule 0 'obj:*/leaky'
rule 0 'src:*leaky.c'
rule 0 'match-leak-kinds: definite,possible' fun:malloc ... fun:main
rule 23 'match-leak-kinds: indirect,reachable' fun:malloc ... fun:main
rule 23 fun:malloc fun:main
rule 23 fun:plain
rule 23 ... fun:nowhere
rule 2 nonsense
rule 2
printf '{\n  name\n  Memcheck:Cond\n  fun:leak_plainly\n}\nleak:in_library\n' >mixed.supp
leaks --suppressions mixed.supp -- library
expect_status "mixed syntax" 0
leaks --suppressions mixed.supp -- plain
expect_status "other errors' rules" 23
printf '{\n  name\n  Memcheck:Leak\n  fun:x\n' >open.supp
leaks --suppressions open.supp -- plain
expect_status "open rule" 2

# ---- baseline ----

leaks --baseline base.json -- plain
expect_status "no baseline" 2
leaks --baseline base.json --update-baseline -- plain inlined
expect_status "--update-baseline" 0
[ "$(grep -c '^{"fingerprint": "[0-9a-f]\{16\}", "kind": "direct", "functions": \[".*"\]},\?$' base.json)" -eq 2 ] ||
  fail "the baseline has not one line per leak"
leaks --baseline base.json -- plain inlined
expect_status "known leaks" 0
expect_in "known leaks" err "cgc: known by the baseline: 30 byte(s) in 2 allocation(s)"
leaks --baseline base.json -- plain library
expect_status "a new leak" 23
expect_not "a new leak" err "^Direct leak of 20 "
leaks --update-baseline -- plain
expect_status "--update-baseline alone" 2

# Fingerprints do not depend on lines, addresses and optimisation of the rest.
{ printf '\n\n\n'; cat "$sources/leaky.c"; } >moved.c
build leaky -I "$sources" -no-pie moved.c -L. -lleaky "-Wl,-rpath,$dir"
leaks --baseline base.json -- plain inlined
expect_status "moved lines and addresses" 0

exit $failed
