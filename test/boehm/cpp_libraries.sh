#!/bin/sh
# SPDX-License-Identifier: MIT
# libgccpp.so.1 and libgctba.so.1: what they are called and define, as bdwgc's do, and that programs run with them.
set -u
include=$srcdir/include/cgc-boehm
libraries=$top_builddir/.libs
cxx=${CXX:-c++}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

if [ ! -f "$libraries/libgccpp.so" ]; then
  echo "This test is MISSING from the run: configure found no C++ compiler, so that libgccpp was not built."
  exit 77
fi

fail() {
  echo "FAIL: $*"
  failed=1
}

# expect LIBRARY NAME...
expect() {
  library=$1
  shift
  soname=$(objdump -p "$libraries/$library.so" | awk '$1 == "SONAME" { print $2 }')
  [ "$soname" = "$library.so.1" ] || fail "$library: its SONAME is $soname"
  printf '%s\n' "$@" | sort >"$dir/expected"
  "${NM:-nm}" -D --defined-only "$libraries/$library.so" | sed -n 's/^[0-9a-f]* T //p' | sort >"$dir/defined"
  diff "$dir/expected" "$dir/defined" >"$dir/differences" || fail "$library defines other names:
$(cat "$dir/differences")"
}

expect libgccpp _Znwm _Znam _ZdlPv _ZdaPv _ZdlPvm _ZdaPvm _Z18GC_throw_bad_allocv
expect libgctba _Z18GC_throw_bad_allocv

for standard in c++11 c++17; do
  "$cxx" -std=$standard -O2 -Wall -Wextra -I"$include" -o "$dir/new" "$srcdir/test/boehm/new.cc" \
    -L"$libraries" -lgccpp -lgc "-Wl,-rpath,$libraries" || fail "new.cc does not compile: $standard"
  "$dir/new" || fail "new.cc, $standard: status $?"
done
exit $failed
