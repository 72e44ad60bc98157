#!/bin/bash
# SPDX-License-Identifier: MIT
# Run modules of CPython's own test suite without and with the library, and compare what each test came to.
#
# usage: cpython.sh [-k DIR] LIB [module...]
#
#   -k DIR   keep the outputs in DIR
#
# Each row is PASS|FAIL|TIMEOUT module tests; below a FAIL are the tests that differ.  Needs the test suite (Debian:
# libpython3.11-testsuite) of /usr/bin/python3.  CGC_OPTIONS reach the preloaded run.  CPYTHON_TIMEOUT is the seconds for
# a module (600).  Exit status: 0 if nothing differed, 1 if something did, 2 if the arguments are wrong.
set -u
modules=(test_threading test_thread test_signal test_threadsignals test_subprocess test_multiprocessing_fork
  test_multiprocessing_spawn test_multiprocessing_forkserver test_socket test_socketserver test_selectors
  test_asyncio test_os test_posix test_select test_poll test_epoll test_fork1 test_wait3 test_wait4 test_eintr
  test_faulthandler test_concurrent_futures test_queue test_pty test_io test_mmap test_ctypes test_ssl test_fcntl
  test_time test_resource test_gc test_weakref)
python=/usr/bin/python3

usage() { sed -n '5s/^# //p' "$0" >&2; exit 2; }

keep=
while getopts k: opt; do
  case $opt in
    k) keep=$OPTARG ;;
    *) usage ;;
  esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] && [ -r "$1" ] || usage
lib=$(realpath "$1")
shift
[ $# -gt 0 ] && modules=("$@")
"$python" -c 'import test.test_queue' 2>/dev/null || { echo "cpython.sh: $python has no test suite" >&2; exit 2; }

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
options=${CGC_OPTIONS-}
unset CGC_OPTIONS LD_PRELOAD

# Sockets between virtual machines wait for ever where there are none.
run() { # MODULE OUTPUT [VARIABLE=VALUE...]
  local module=$1 output=$2
  shift 2
  mkdir "$work/dir"
  local resources=all,-gui,-largefile,-urlfetch,-network
  [ "$module" = test_socketserver ] && resources=$resources,network   # its own servers on this machine
  (cd "$work/dir" && env "$@" timeout -k 5 "${CPYTHON_TIMEOUT:-600}" "$python" -m test -v -i '*VSOCK*' \
    -u "$resources" --tempdir "$work/dir" "$module") >"$output" 2>&1 </dev/null
  local status=$?
  rm -rf "$work/dir"
  return $status
}

# "test_x (test.module.Class.test_x) ... " and, perhaps after the test's description and lines of its own, its outcome.
outcomes() { # OUTPUT
  awk '
    /^test[A-Za-z_0-9]* \([A-Za-z_0-9.]+\)/ { name = $1 " " $2; sub(/^test[A-Za-z_0-9]* \([A-Za-z_0-9.]+\)/, "") }
    name != "" && /(^|[^a-z])(ok|FAIL|ERROR|skipped .*|expected failure|unexpected success)$/ {
      match($0, /(ok|FAIL|ERROR|skipped|expected failure|unexpected success)/)
      print name, substr($0, RSTART, RLENGTH)
      name = ""
    }' "$1" | sort
}

status=0
for module in "${modules[@]}"; do
  run "$module" "$work/without"
  without=$?
  run "$module" "$work/with" LD_PRELOAD="$lib" CGC_OPTIONS="$options"
  with=$?
  outcomes "$work/without" >"$work/outcomes.without"
  outcomes "$work/with" >"$work/outcomes.with"
  tests=$(wc -l <"$work/outcomes.with")
  if [ $with -eq 124 ] || [ $with -eq 137 ]; then
    verdict=TIMEOUT status=1
  elif [ $with -eq $without ] && [ "$tests" -gt 0 ] && cmp -s "$work/outcomes.without" "$work/outcomes.with"; then
    verdict=PASS
  else
    verdict=FAIL status=1
  fi
  printf '%-7s %-36s %5d tests\n' $verdict "$module" "$tests"
  [ $verdict = PASS ] || diff "$work/outcomes.without" "$work/outcomes.with" | grep '^[<>]' | head -20
  if [ -n "$keep" ]; then
    mkdir -p "$keep" && cp "$work/without" "$keep/$module.without" && cp "$work/with" "$keep/$module.with"
  fi
done
exit $status
