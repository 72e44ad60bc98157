#!/bin/sh
# SPDX-License-Identifier: MIT
# --pid: a process that goes on is asked for a check.
# shellcheck source=test/tools/tools_common.sh
. "$srcdir/test/tools/tools_common.sh"

[ -f "$top_builddir/.libs/libcgc.so" ] || missing "the library"
real_library=$top_builddir/.libs/libcgc.so
cat >wait.c <<'EOF'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void *volatile lost;
static __attribute__((noinline)) void leak_here(void) { lost = malloc(321); lost = NULL; }
int
main(void) {
  leak_here();
  puts("ready");
  fflush(stdout);
  for (int i = 0; i < 100; i++)
    sleep(1);   /* which the request ends */
}
EOF
build wait wait.c

start() { # COMMAND...: in the background, as $process; returns when it has begun
  : >ready
  "$@" >ready 2>messages &
  process=$!
  turns=0
  while ! grep -q ready ready && [ $turns -lt 300 ]; do
    sleep 0.1
    turns=$((turns + 1))
  done
}

by_hand() { # OPTIONS
  start env LD_PRELOAD="$real_library" CGC_OPTIONS="mode=leak:report=here-%p$1" ./wait
}

end() {
  kill -KILL "$1"
  wait "$process" 2>messages
}

# By cgc leaks, which runs it as a child.
start "$cgc" leaks --library "$real_library" -- ./wait
child=$(tr -d ' ' <"/proc/$process/task/$process/children")
for turn in 1 2; do
  run leaks --pid "$child"
  expect_status "turn $turn" 23
  grep -A 2 'Direct leak of 321 byte(s) in 1 object(s)' err | grep -q 'in leak_here ' || fail "turn $turn: the leak"
done
run leaks --pid "$child" --fail-on none
expect_status "--fail-on" 0
end "$child"

# With a path of its own.
by_hand :leak-signal=60
run leaks --pid "$process"
expect_status "by hand" 23
[ -f "here-$process" ] || fail "by hand: the report"
end "$process"

# What cannot be asked.
run leaks --pid "$process"
expect_status "no process" 2
expect_match "no process" err "cgc: there is no process $process"
start ./wait
run leaks --pid "$process"
expect_status "no library" 2
expect_match "no library" err "cgc: process $process was not started with mode=leak .*"
end "$process"
by_hand ''
run leaks --pid "$process"
expect_status "no signal" 2
expect_match "no signal" err "cgc: process $process does not listen .*"
end "$process"
by_hand :leak-signal=60
kill -STOP "$process"
run leaks --pid "$process" --timeout 1
expect_status "no answer" 24
expect_match "no answer" err "cgc: process $process has not made a check in 1 s"
end "$process"
run leaks --pid x
expect_status "no number" 2
run leaks --pid 1 -- ./wait
expect_status "a command too" 2

exit $failed
