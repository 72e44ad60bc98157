#!/bin/sh
# SPDX-License-Identifier: MIT
# semantics.sh [--with DIRECTORY] [PROGRAM | PROGRAM:CASE]...
#
# Runs each case of the programs semantics_*, in a process of its own, in several configurations of the collector.  With
# a directory that has another libgc.so.1, bdwgc's, it runs what is a promise of both libraries with that one.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0 other=
ulimit -c 0

# What each configuration is for: none; each cycle checked, pages watched or not; a cycle at every fiftieth slow path.
configurations='stress=0 verify=1:dirty=stop verify=1:dirty=uffd:stress=50'

if [ "${1-}" = --with ]; then
  other=$2 configurations=none
  shift 2
fi
[ $# -gt 0 ] || set -- alloc kinds finalizers links roots threads limits debug suspend

fail() {
  echo "FAIL: $*"
  failed=1
}

# Two libraries that cases load, by names in the environment.
for name in library second_library; do
  # shellcheck disable=SC2086  # CC may hold options
  $CC -shared -fPIC -O1 "$srcdir/test/boehm/semantics_library.c" -o "$dir/$name.so" || fail "$name.so is not built"
done
export SEMANTICS_LIBRARY="$dir/library.so" SEMANTICS_SECOND_LIBRARY="$dir/second_library.so"

# run PROGRAM CASE CONFIGURATION
run() {
  binary=$top_builddir/test/boehm/semantics_$1
  name="$1:$2, $3"
  if [ -n "$other" ]; then
    # The wrapper that libtool makes would find our own library.
    [ ! -x "${binary%/*}/.libs/${binary##*/}" ] || binary=${binary%/*}/.libs/${binary##*/}
    set -- "$2" "LD_LIBRARY_PATH=$other" BOEHM_SLACK=1
  else
    set -- "$2" "CGC_OPTIONS=$3"
  fi
  argument_of_case=$1
  shift
  timeout -k 5 120 env "$@" "$binary" "$argument_of_case" >"$dir/output" 2>&1 </dev/null
  status=$?
  [ $status -eq 0 ] && return
  fail "$name: status $status"
  tail -20 "$dir/output"
}

# Whether the case, described by the rest, can be run so.
is_wanted() { # CONFIGURATION PROMISE [counts]
  case $1:${3-} in *stress=[1-9]*:counts) return 1 ;; esac
  [ -z "$other" ] || [ "$2" = anyones ]
}

for argument; do
  program=${argument%%:*}
  "$top_builddir/test/boehm/semantics_$program" >"$dir/cases" || fail "$program lists no cases"
  while read -r case promise counts; do
    case $argument in *:*) [ "${argument#*:}" = "$case" ] || continue ;; esac
    for configuration in $configurations; do
      # shellcheck disable=SC2086  # empty or a word
      is_wanted "$configuration" "$promise" $counts && run "$program" "$case" "$configuration"
    done
  done <"$dir/cases"
done
exit $failed
