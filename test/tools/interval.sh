#!/bin/sh
# SPDX-License-Identifier: MIT
# --interval, and growth as the library itself sees it.
# shellcheck source=test/tools/tools_common.sh
. "$srcdir/test/tools/tools_common.sh"
build_program

run leaks --library ./libcgc.so --interval 7 -o sites=0 -- env
expect_in "--interval" out "CGC_LEAK_INTERVAL=7"
expect_in "--interval" out "CGC_SITES=1"
run leaks --library ./libcgc.so --fail-on growth -- env
expect_in "--fail-on growth" out "CGC_LEAK_INTERVAL=1"
expect_in "--fail-on growth" out "CGC_SITES=1"
run leaks --library ./libcgc.so --fail-on growth -o leak-interval=5 -- env
expect_not "an interval of the user's" out "^CGC_LEAK_INTERVAL"
expect_match "an interval of the user's" out "CGC_OPTIONS=.*leak-interval=5"
run leaks --library ./libcgc.so -- env
expect_not "neither" out "^CGC_LEAK_INTERVAL"
for seconds in 0 x 5x 86401; do
  run leaks --interval $seconds -- env
  expect_status "--interval $seconds" 2
done

[ -f "$top_builddir/.libs/libcgc.so" ] || missing "the library"
cat >grow.c <<'EOF'
#include <stdlib.h>
#include <unistd.h>
static void *volatile kept[100];
static __attribute__((noinline)) void keep_more(int i) { kept[i] = malloc(10000); __asm__ volatile(""); }
static __attribute__((noinline)) void keep_less(int i) { kept[50 + i] = malloc(100); __asm__ volatile(""); }
int
main(int argc, char **argv) {
  (void)argv;
  keep_more(0);
  for (int i = 1; i < 45; i++) {
    if (argc > 1) {
      keep_less(i);
      keep_more(i);
    }
    usleep(100000);
  }
}
EOF
build grow grow.c
run leaks --library "$top_builddir/.libs/libcgc.so" --fail-on growth -- ./grow more
expect_status "growth" 23
grep -A 3 -m 1 '^Growth by' err | grep -q 'in keep_more ' || fail "growth: the steepest is not first"
run leaks --library "$top_builddir/.libs/libcgc.so" --fail-on growth -- ./grow
expect_status "a constant amount" 0
expect_not "a constant amount" err "^Growth"

exit $failed
