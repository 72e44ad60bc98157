#!/bin/sh
# SPDX-License-Identifier: MIT
# Options as the environment gives them.
set -u
program=$top_builddir/test/fault/probe
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
lists="CGC_OPTIONS=help=1 lists them"

run() { # NAME=VALUE...: run the probe in that environment
  env "$@" LD_PRELOAD="$CGC_LIB" "$program" >out 2>err
  status=$?
}

fail() {
  echo "FAIL: $*"
  sed 's/^/  stdout: /' out
  sed 's/^/  stderr: /' err
  failed=1
}

expect_result() { # WHAT TEXT
  [ $status -eq 0 ] || fail "$1: status $status"
  [ "$(cat out)" = "$2" ] || fail "$1: the result is not \"$2\""
}

expect() { # WHAT STDERR: which must be that, and the collection have worked
  expect_result "$1" "collect 0"
  [ "$(cat err)" = "$2" ] || fail "$1: stderr is not \"$2\""
}

run A=b
expect "no option" ""

run CGC_OPTIONS=nosuch=1
expect "unknown option" "cgc: unknown option \"nosuch=1\" ignored; $lists"

run CGC_OPTIONS=trace
expect "no value" "cgc: unknown option \"trace\" ignored; $lists"

run CGC_OPTIONS=percent=0
expect "bad value" "cgc: option percent=0 is not 1 to 1000000; using 100"

run CGC_OPTIONS=::confirm=1::
expect "empty items" ""

run CGC_OPTIONS=percent=50:nosuch=1:mode=maybe:confirm=1
expect "several errors" "cgc: unknown option \"nosuch=1\" ignored; $lists
cgc: option mode=maybe is not off or collect or leak; using collect"

run CGC_STOP_TIMEOUT=0
expect "bad value of a variable" "cgc: option stop-timeout=0 is not 1 to 60000; using 500"

run CGC_NO_SUCH=1
expect "unknown variable" ""   # other programs' variables may begin with CGC_

run CGC_OPTIONS=mode=off
expect_result "mode=off" "collect 1"   # EPERM

run CGC_MODE=off CGC_OPTIONS=mode=collect
expect_result "the variable wins" "collect 1"

trace='^cgc 1 @0\.000s forced: stop [0-9.]* roots [0-9.]* mark [0-9.]* sweep [0-9.]* run [0-9.]* ms'
run CGC_OPTIONS=trace=1:dirty=stop
expect_result "trace" "collect 0"
[ "$(grep -c "$trace" err)" -eq 1 ] && [ "$(wc -l <err)" -eq 1 ] || fail "trace: not one line of that form"

beside='^cgc 1 @0\.000s forced: stop [0-9.]* (stopping [0-9.]*) arm [0-9.]* stop [0-9.]* (stopping [0-9.]*) mark [0-9.]* stop [0-9.]* (stopping'
run CGC_OPTIONS=trace=1:dirty=uffd
expect_result "dirty=uffd" "collect 0"
grep -q "$beside" err || grep -q 'dirty=stop, .*instead: .*stop' err || fail "trace: no line of a cycle beside the program"

run CGC_OPTIONS=trace=2:dirty=stop
grep -q "$trace" err || fail "trace=2: no line for the cycle"
grep -q '^cgc 1 stop 1: stopping [0-9.]* roots [0-9.]* mark [0-9.]* rest [0-9.]* ms$' err || fail "trace=2: no line for its stop"
grep -q '^cgc 1 pace: live .*, percent 100 x 1 / 2 cycles, goal .*, next count after [0-9.]* [KM]iB$' err || fail "trace=2: no line for the pace"
[ "$(wc -l <err)" -eq 3 ] || fail "trace=2: more than three lines for a cycle of one stop"

run CGC_OPTIONS=trace=0:dirty=stop CGC_TRACE=1
[ "$(grep -c "$trace" err)" -eq 1 ] || fail "the variable of trace does not win"

run CGC_OPTIONS=help=1
expect_result "help" "collect 0"
for name in $(sed -n '/OPTION_LIST(X)/,/^enum option/s/^  X([A-Z_]*, "\([a-z-]*\)".*/\1/p' "$srcdir/lib/base/options.h") log; do
  grep -q "^$name  (" err || fail "help does not tell of $name"
done
grep -q '^percent  (1 to 1000000, default 100)$' err || fail "help does not tell of percent's range"
grep -q '^mode  (off or collect or leak, default collect)$' err || fail "help does not tell of the modes"

run "CGC_OPTIONS=log=$dir/a.%p.log:trace=1:dirty=stop:nosuch=1"
expect "log" ""
[ "$(ls a.*.log | grep -c '^a\.[0-9]*\.log$')" -eq 1 ] || fail "log: no file named after the process"
grep -q "$trace" a.*.log || fail "log: the file has no trace"

run "CGC_OPTIONS=log=$dir/b.log:trace=1" "CGC_LOG=$dir/c.log"
expect "CGC_LOG" ""
[ -s c.log ] && [ ! -e b.log ] || fail "CGC_LOG does not win over the list"

run "CGC_OPTIONS=log=$dir/no/such/dir/x:trace=1:dirty=stop"
expect_result "log that cannot be written" "collect 0"
grep -q "$trace" err || fail "log that cannot be written: not on standard error"

CGC_OPTIONS=trace=1:dirty=uffd LD_PRELOAD="$CGC_LIB" "$program" socket >out 2>err
grep -q '^cgc 1 @' out || fail "trace to a socket: not there"

# What a program started from one with the library gets of LD_PRELOAD.
child_preload() { # LD_PRELOAD [NAME=VALUE...]
  preload=$1
  shift
  env "$@" LD_PRELOAD="$preload" sh -c 'env | sed -n "s/^LD_PRELOAD=//p"' >out 2>err
}
other=$(ldd "$program" | sed -n 's/.*=> \(.*libc\.so\.6\) .*/\1/p')
for row in "$CGC_LIB|" "$CGC_LIB:$other|:$other" "$other $CGC_LIB|$other" "$other:$CGC_LIB:$other|$other:$other"; do
  child_preload "${row%|*}" CGC_CHILDREN=0
  [ "$(cat out)" = "${row#*|}" ] || fail "children=0: LD_PRELOAD=${row%|*} has become \"$(cat out)\""
done
child_preload "$CGC_LIB:$other"
[ "$(cat out)" = "$CGC_LIB:$other" ] || fail "children: LD_PRELOAD has changed"

# Cycles without the program's doing, in a process that forks, and in its children.
for i in 1 2 3 4 5; do
  for pause in 0.05 0.5 5; do   # a busy machine takes longer
    CGC_OPTIONS=trace=1:stress-ms=1 LD_PRELOAD="$CGC_LIB" timeout 60 sh -c "(sleep $pause; echo child); (sleep $pause; echo child)
      echo parent" >out 2>err
    [ "$(tr '\n' ' ' <out)" = "child child parent " ] || fail "stress-ms: wrong output"
    count=$(grep -c ' stress: ' err)
    [ "$count" -lt 20 ] || break
  done
  [ "$count" -ge 20 ] || fail "stress-ms: too few cycles"
  ! grep -v '^cgc [0-9]* @' err || fail "stress-ms: something is wrong"
done

exit $failed
