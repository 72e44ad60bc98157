# SPDX-License-Identifier: MIT
# What the tests of mode=leak share; sourced.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
ulimit -c 0
scripts=$srcdir/test/leak
record="python3 $scripts/record.py"

if ! python3 -c '' 2>/dev/null; then
  echo "The tests of mode=leak are MISSING from this run: they need python3 to read what the library records."
  exit 77
fi

# Also in a pipeline, which is a process of its own.
fail() {
  echo "FAIL: $*"
  : >"$dir/failed"
}

# The last command of a test.
finish() {
  [ ! -e "$dir/failed" ]
  exit
}

# Runs a program in mode=leak; what it has recorded is in $dir/records, what that tells in $dir/got.
run() { # OPTIONS COMMAND...
  options=$1
  shift
  rm -rf "$dir/records"
  mkdir "$dir/records"
  timeout -k 5 300 env CGC_OPTIONS="mode=leak:report=$dir/records/%p:$options" LD_PRELOAD="$CGC_LIB" "$@" \
    >"$dir/out" 2>"$dir/err" </dev/null
  status=$?
  sleep "${settle:-0}"
  $record "$dir"/records/* >"$dir/got" || fail "$*: the record cannot be read"
}

expect_silence() {
  [ ! -s "$dir/err" ] && return
  fail "$command: on standard error"
  head -20 "$dir/err"
}

# Runs and compares what is told with the standard input.
check() { # STATUS OPTIONS COMMAND...
  expected_status=$1
  shift
  options=$1
  shift
  command="${*##*/} ($options)"
  cat >"$dir/expected"
  run "$options" "$@"
  [ $status -eq "$expected_status" ] || fail "$command: status $status, not $expected_status"
  expect_silence
  diff -u "$dir/expected" "$dir/got" >"$dir/diff" && return
  fail "$command"
  tail -n +3 "$dir/diff"
}
