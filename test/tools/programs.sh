#!/bin/sh
# SPDX-License-Identifier: MIT
# Whose leaks are told: --only and --skip.
# shellcheck source=test/tools/tools_common.sh
. "$srcdir/test/tools/tools_common.sh"
build_program
library=$dir/libcgc.so
cat >driver.c <<'EOF'
#include <sys/wait.h>
#include <unistd.h>
int
main(int argc, char **argv) {
  for (int i = 1; i + 1 < argc; i += 2) {
    if (fork() == 0)
      return execl(argv[i], argv[i], argv[i + 1], (char *)0), 1;
    wait(0);
  }
  return 0;
}
EOF
build driver driver.c
mkdir -p work/test/deep 'work/odd[dir]' work/te
for program in one test/one test/deep/two 'odd[dir]/three' other; do
  cp leaky "work/$program"
done
cd work || exit 1

check() { # OPTION... -- PROGRAM WORD...: run by a program outside the directory
  options=''
  set -f
  while [ "$1" != -- ]; do
    options="$options $1"
    shift
  done
  shift
  # shellcheck disable=SC2086
  run leaks --library "$library" $options -- "$dir/driver" "$@"
  set +f
}

told() { # STATUS CHECKED LEFT-OUT LEAKS OPTION...
  expected=$1
  line="cgc: $2 process(es) checked, $3 left out, $4 leak(s)"
  shift 4
  check "$@" -- test/one plain test/deep/two plain ./other library
  expect_status "$*" "$expected"
  expect_in "$*" err "$line"
}

check -- test/one plain test/deep/two plain ./other library
expect_in "all" err "cgc: 4 process(es) checked, 3 leak(s)"
told 23 3 1 3 --only './*'
told 23 2 2 2 --only './test/*'
told 23 2 2 2 --only 'test/*'
told 23 2 2 2 --only './/test/*'
told 23 1 3 1 --only 'test/o?e'
told 23 1 3 1 --only one
told 23 2 2 2 --only one --only other
told 23 2 2 2 --only '[t]wo' --only "$dir/work/oth*"
told 23 2 2 2 --only "$dir/work/test/*"
told 23 2 2 2 --only './*' --skip other
told 23 1 3 1 --only './*' --skip test/deep/two --skip '*/one'
told 0 1 3 0 --only driver
told 0 1 3 0 --skip './*'
told 0 1 3 0 --skip one --skip two --skip other
expect_not "--skip" err "Direct leak"
told 24 0 4 0 --only './te/*'
expect_in "nothing matches" err "cgc: nothing was checked: no program matches --only and --skip"
told 24 0 4 0 --only one --skip one
told 24 0 4 0 --only TEST/one
told 24 0 4 0 --only /one

(cd te && run leaks --library "$library" --only '../test/*' -- "$dir/driver" ../test/one plain ../other library
  mv out err .. && exit $status)
status=$?
expect_status "a directory above" 23
expect_in "a directory above" err "cgc: 1 process(es) checked, 2 left out, 1 leak(s)"

# The working directory's name is no pattern.
(cd 'odd[dir]' && run leaks --library "$library" --only './*' -- ./three plain; mv out err .. && exit $status)
status=$?
expect_status "a name with brackets" 23

# ---- what need not be checked ----

check --only test/one -- test/one '' ./other failed-check ./one no-check
expect_status "unchecked, but left out" 0
[ "$(cat err)" = "cgc: 1 process(es) checked, 3 left out, 0 leak(s)" ] || fail "unchecked, but left out: messages"
check --only other -- test/one '' ./other failed-check
expect_status "unchecked, and not left out" 24
expect_match "unchecked, and not left out" err \
  "cgc: not checked: process [0-9]* ($dir/work/other): threads could not be stopped"
run leaks --library "$library" --only other -- test/one plain exit=3
expect_status "the command's own status" 3

# ---- files ----

check --keep kept -- test/one plain test/deep/two plain ./other library
run report --only './test/*' kept
expect_status "report --only" 23
expect_in "report --only" out "cgc: 2 process(es) checked, 2 left out, 2 leak(s)"
run report --skip '*' kept
expect_status "report --skip" 24
run report --only one --format json kept
expect_match "json" out '  "left_out": 3,'
mkdir spoilt
: >spoilt/1.jsonl
cp kept/* spoilt
run report --only one spoilt
expect_match "a file that tells of no process" err "cgc: not checked: .*: spoilt/1.jsonl tells of no process"

# After exec of a program without the library only what it was called by is known.
for file in kept/*; do
  if grep -q '"exe":"[^"]*/test/one"' "$file"; then
    { sed -n '1s/"cwd":"[^"]*"/"cwd":"\/work"/p' "$file"; echo '{"type":"exec","path":"sub/tool"}'; } >exec.jsonl
  fi
done
run report --only '/work/sub/*' exec.jsonl
expect_status "a program after exec" 24
expect_match "a program after exec" err "cgc: not checked: process [0-9]* (sub/tool): .*"
run report --only one --skip tool exec.jsonl
expect_not "a program after exec, left out" err "sub/tool"

exit $failed
