#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks where other tools cannot look: without ptrace, under a tracer, beside a thread that hears no signal.
. "$srcdir/test/leak/leak.sh"
leaker=$top_builddir/test/leak/leaker
caged=$top_builddir/test/leak/caged

leaks_of() { # FUNCTION
  printf 'process\ndirect %s malloc 1 100\ncheck exit leaked 1 100 last\nend 23\n' "$1"
}

expect_line() { # WHAT STATUS PATTERN: on standard error nothing but that line
  [ $status -eq "$2" ] && [ "$(wc -l <"$dir/err")" -eq 1 ] && grep -q "$3" "$dir/err" && return
  fail "$1: status $status"
  cat "$dir/err"
}

leaks_of leak_a | check 23 '' "$leaker" deaf_thread

run '' "$caged" ptrace
if [ $status -eq 77 ]; then
  echo "The tests under a filter of system calls are MISSING from this run: the kernel takes none."
else
  leaks_of leak_caged | check 23 '' "$caged" ptrace

  # Nothing can be looked at, or written: that is said once, and the program ends as it wanted to.
  run '' "$caged" files
  expect_line "caged files" 0 '^cgc: the record of leak checks, .*: EPERM$'
  CGC_OPTIONS=mode=leak LD_PRELOAD=$CGC_LIB "$caged" files 2>"$dir/err"
  status=$?
  expect_line "caged files without a record" 0 '^cgc: leaks could not be looked for: E[A-Z]*$'
fi

# ---- under tracers, which are not to have the library themselves ----

expect_traced() { # TRACER COMMAND...
  tracer=$1
  shift
  if ! command -v "$tracer" >/dev/null || ! "$tracer" ${probe:-} true >/dev/null 2>&1; then
    echo "The test under $tracer is MISSING from this run: it is not installed, or may not trace."
    return
  fi
  rm -f "$dir/record"
  timeout -k 5 300 "$@" >"$dir/out" 2>&1 </dev/null
  leaks_of leak_a >"$dir/expected"
  $record "$dir/record" >"$dir/got"
  diff -u "$dir/expected" "$dir/got" || { fail "under $tracer"; tail -5 "$dir/out"; }
}

options=mode=leak:report=$dir/record
probe="-o /dev/null" expect_traced strace strace -f -o /dev/null -E "LD_PRELOAD=$CGC_LIB" -E "CGC_OPTIONS=$options" \
  "$leaker" deaf_thread
probe="-batch -nx -ex run" expect_traced gdb gdb -batch -nx -ex "set startup-with-shell off" \
  -ex "set environment LD_PRELOAD $CGC_LIB" -ex "set environment CGC_OPTIONS $options" \
  -ex run --args "$leaker" deaf_thread

finish
