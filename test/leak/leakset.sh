#!/bin/sh
# SPDX-License-Identifier: MIT
# All leaks of test/hazards/leakset.c and no others, however it is compiled, and each time.
. "$srcdir/test/leak/leak.sh"
rounds=${CGC_TEST_ROUNDS:-5}
hazards=$srcdir/test/hazards

build() { # NAME FLAGS...
  name=$1
  shift
  mkdir "$dir/$name"
  cxx=
  if ${CXX:-c++} -O1 -g -fno-exceptions -fno-rtti -c "$hazards/leak_new.cc" -o "$dir/$name/leak_new.o" 2>/dev/null; then
    cxx="-DHZ_CXX=1 $dir/$name/leak_new.o -lstdc++"
  fi
  flags="-std=gnu11 -pthread -fno-builtin -fno-optimize-sibling-calls $*"
  # The flags are several words.
  $CC $flags -fPIC -shared "$hazards/lib_leak.c" -o "$dir/$name/libhz_leak.so" &&
    $CC $flags "$hazards/leakset.c" -o "$dir/$name/leakset" $cxx -ldl -lrt -lm && return
  fail "$name: not built"
  finish
}

expect_leaks() { # NAME [-s DIR]
  name=$1
  shift
  for round in $(seq "$rounds"); do
    run '' "$dir/$name/leakset"
    [ $status -eq 23 ] && grep -q '^PASS leakset' "$dir/out" || fail "$name: status $status"
    python3 "$scripts/leakset.py" "$@" "$dir/out" "$dir"/records/* || fail "$name, round $round of $rounds"
  done
}

build optimized -O2 -g -fomit-frame-pointer
expect_leaks optimized

build plain -O0 -g
rounds=1
expect_leaks plain

build framed -O2 -g -fno-omit-frame-pointer
expect_leaks framed

build fixed -O2 -g -fno-pie -no-pie
expect_leaks fixed

mkdir "$dir/stripped"
for file in leakset libhz_leak.so; do
  ${STRIP:-strip} -o "$dir/stripped/$file" "$dir/optimized/$file" || fail "strip"
done
expect_leaks stripped -s "$dir/optimized"

finish
