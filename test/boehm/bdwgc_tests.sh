#!/bin/bash
# SPDX-License-Identifier: MIT
# bdwgc's own tests, built against our headers and linked with our libraries.
#
# usage: BDWGC_SOURCE=DIR bdwgc_tests.sh [test...]
#
# DIR is an unpacked source of bdwgc 8.2.x.  What a test includes of DIR/include/private it gets from there; all else are our
# headers.  A test passes if it builds, ends with status 0 within BDWGC_TIMEOUT seconds (default 300), and its output has the
# words of the table below.  Each is run with each of the words of BDWGC_OPTIONS (default: stress=0 and stress=500) as its
# CGC_OPTIONS.
# Exit status: 0, 1 if a test failed, 77 without a source.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 2
top=${srcdir:-$here/../..}
libraries=$(realpath -e -- "${top_builddir:-.}/.libs") || exit 2
source=${BDWGC_SOURCE:-}
if [ -z "$source" ]; then
  echo "BDWGC_SOURCE names no unpacked source of bdwgc"
  exit 77
fi
if ! source=$(realpath -e -- "$source") || ! [ -r "$source/tests/test.c" ]; then
  echo "BDWGC_SOURCE=$BDWGC_SOURCE is no source of bdwgc"
  exit 77
fi
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
ulimit -c 0
limit=${BDWGC_TIMEOUT:-300}
options=${BDWGC_OPTIONS:-stress=0 stress=500}

# name | source | libraries | arguments | what its output must have | options beside the others: disclaim_weakmap allocates
# less than cgc's smallest heap goal
table='gctest|tests/test.c|-lgc||Collector appears to work
huge|tests/huge_test.c|-lgc||
leak|tests/leak_test.c|-lgc||leak_test.c:19
middle|tests/middle.c|-lgc||Final heap size is
realloc|tests/realloc_test.c|-lgc||Heap size
smash|tests/smash_test.c|-lgc||smashed
staticroots|tests/staticrootstest.c|-lstaticroots1 -lstaticroots2 -lgc||
disclaim_bench|tests/disclaim_bench.c|-lgc||no finalization
disclaim|tests/disclaim_test.c|-lgc||disclaim test
disclaim_weakmap|tests/disclaim_weakmap_test.c|-lgc||[1-9][0-9]* removed|stress=500
initsecondarythread|tests/initsecondarythread.c|-lgc||
subthread_create|tests/subthread_create.c|-lgc||created
thread_leak|tests/thread_leak_test.c|-lgc||thread_leak_test.c:35
threadkey|tests/threadkey_test.c|-lgc||
cpp|tests/test_cpp.cc|-lgccpp -lgc|10|appears to have succeeded
cord|cord/tests/cordtest.c|-lcord -lgc||SUCCEEDED'

# What a configured bdwgc of Debian defines, as far as its tests and private headers look at it.
defines=(-DALL_INTERIOR_POINTERS -DENABLE_DISCLAIM -DGC_ATOMIC_UNCOLLECTABLE -DGC_BUILTIN_ATOMIC -DGC_DLL
  -DGC_ENABLE_SUSPEND_THREAD -DGC_GCJ_SUPPORT -DGC_THREADS -DHANDLE_FORK -DJAVA_FINALIZATION -DPARALLEL_MARK
  -DTHREAD_LOCAL_ALLOC -DUSE_MMAP -DUSE_MUNMAP -DMUNMAP_THRESHOLD=6 -D_REENTRANT)
headers=(-I"$top/include/cgc-boehm" -I"$top/include/cgc-boehm/gc" -I"$source/include")

compile() { # SOURCE OUTPUT ARGUMENTS...
  local compiler=${CC:-cc} from=$1 to=$2
  shift 2
  case $from in *.cc) compiler=${CXX:-c++} ;; esac
  # shellcheck disable=SC2086  # CC may hold options
  $compiler -w -O2 -g -pthread "${defines[@]}" "${headers[@]}" "$source/$from" -o "$to" -L"$work" -L"$libraries" "$@"
}

passed=0 failed=0
verdict() { # NAME [WHAT IS WRONG]
  if [ $# -eq 1 ]; then
    echo "PASS    $1"
    passed=$((passed + 1))
  else
    echo "FAIL    $1  $2"
    tail -n 20 "$work/out" | sed 's/^/    /'
    failed=$((failed + 1))
  fi
}

build_test() { # NAME SOURCE LIBRARIES
  local more=()
  [ "$1" != staticroots ] || more=(-DSTATICROOTSLIB2)
  # shellcheck disable=SC2086  # words
  compile "$2" "$work/$1" $3 "${more[@]}" >"$work/out" 2>&1
}

run_test() { # NAME ARGUMENTS WORDS OPTIONS
  local status label="$1 $4"
  # shellcheck disable=SC2086  # words
  (cd "$work" && LD_LIBRARY_PATH=$libraries:$work CGC_OPTIONS=$4 LD_DEBUG=libs LD_DEBUG_OUTPUT=$work/ld \
    timeout -k 5 "$limit" "$work/$1" $2) >"$work/out" 2>&1 </dev/null
  status=$?
  if [ $status -eq 124 ] || [ $status -eq 137 ]; then
    verdict "$label" "took over $limit s"
  elif [ $status -ne 0 ]; then
    verdict "$label" "exit status $status"
  elif ! cat "$work"/ld.* | grep -qF "calling init: $libraries/libgc.so.1"; then
    verdict "$label" "loaded another libgc.so.1"
  elif [ -n "$3" ] && ! grep -q "$3" "$work/out"; then
    verdict "$label" "did not print \"$3\""
  else
    verdict "$label"
  fi
  rm -f "$work"/ld.*
}

compile tests/staticrootslib.c "$work/libstaticroots1.so" -shared -fPIC -lgc || exit 1
compile tests/staticrootslib.c "$work/libstaticroots2.so" -shared -fPIC -DSTATICROOTSLIB2 -lgc || exit 1
while IFS='|' read -r name from libs arguments words more <&3; do
  [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
  if ! build_test "$name" "$from" "$libs"; then
    verdict "$name" "does not build"
    continue
  fi
  for option in $options; do
    run_test "$name" "$arguments" "$words" "$option${more:+:$more}"
  done
done 3<<<"$table"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
