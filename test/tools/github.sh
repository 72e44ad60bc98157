#!/bin/sh
# SPDX-License-Identifier: MIT
# Annotations of GitHub Actions, and the summary of the step.
# shellcheck source=test/tools/tools_common.sh
. "$srcdir/test/tools/tools_common.sh"
unset GITHUB_STEP_SUMMARY
build_program
line=$(line_of leaky.c 'line of leak_plainly')

echo leak:in_library >library.supp
leaks --suppressions library.supp --format github=- --source-root "$srcdir" -- plain library possible
expect_match error out "::error file=test/tools/leaky.c,line=$line,col=3,title=Direct leak::Direct leak of 20 byte(s) in 1 object(s), allocated by malloc in leak_plainly%0A    #0 0x[0-9a-f]* in malloc (libcgc.so+0x0)%0A    #1 .*"
[ "$(grep -c '^::' out)" -eq 1 ] || fail "more than one command"
leaks --format github=- --source-root "$dir" -- plain
expect_match "outside the tree" out "::error title=Direct leak::Direct leak of 20 byte(s) .*"
leaks --format github=- --
expect_not "no leak" out '^::'
leaks --format github=- -- failed-check
expect_match unchecked out "::warning title=Not checked for leaks::1 process(es) not checked; [0-9]* ($dir/leaky): threads could not be stopped"

# Escapes.
mkdir 'a,b:c%'
cp "$sources/leaky.c" 'a,b:c%'
build leaky -I "$sources" 'a,b:c%/leaky.c' -L. -lleaky "-Wl,-rpath,$dir"
leaks --format github=- --source-root . -- plain
expect_match escapes out "::error file=a%2Cb%3Ac%25/leaky.c,line=$line,.*::.* $dir/a,b:c%25/leaky.c:$line:3%0A.*"
build_program

# Ten errors of the largest, and the rest.
record kept plain
good=$(ls kept/*.jsonl)
many_leaks 13 many.jsonl
GITHUB_STEP_SUMMARY=summary.md run report --format github many.jsonl
[ "$(grep -c '^::error' out)" -eq 10 ] || fail "not ten errors"
expect_match "the largest" out "::error .*::Direct leak of 13 byte(s) .*"
expect_in "the rest" out "::notice title=More leaks::3 more leak(s) of 6 byte(s) together"

expect_in summary summary.md "### Memory leaks"
expect_in summary summary.md "91 byte(s) leaked in 13 allocation(s) at 13 place(s); 1 process(es) checked, 0 not"
expect_match summary summary.md "| 13 | 1 | direct | leak\\\\_plainly | .* |"
[ "$(grep -c '^| [0-9]' summary.md)" -eq 13 ] || fail "summary: not a row per leak"
export GITHUB_STEP_SUMMARY=summary.md
leaks --format github=- --
expect_in "second summary" summary.md "### No memory leaks"
expect_in "second summary" summary.md "### Memory leaks"
leaks --format github=- -- failed-check
expect_in "unchecked" summary.md "### Not checked for leaks"
leaks --format github=- --source-root "$srcdir" -- plain
expect_match "names in the summary" summary.md "| 20 | 1 | direct | leak\\\\_plainly | test/tools/leaky.c:$line | [0-9a-f]* |"
GITHUB_STEP_SUMMARY=no/such/file leaks --format github=- --
expect_status "unwritable summary" 2
exit $failed
