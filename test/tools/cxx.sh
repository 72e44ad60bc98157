#!/bin/sh
# SPDX-License-Identifier: MIT
# Names of C++ in reports.
# shellcheck source=test/tools/tools_common.sh
. "$srcdir/test/tools/tools_common.sh"
command -v c++ >/dev/null || { echo "This test is MISSING from the run: it needs a C++ compiler, c++."; exit 77; }
build_program
$CC -g -O2 -c -o leaky.o "$sources/leaky.c" && c++ -g -O2 -c -o leaky_cxx.o "$sources/leaky_cxx.cc" &&
  c++ -o leaky leaky.o leaky_cxx.o -L. -lleaky "-Wl,-rpath,$dir" || exit 1

leaks -- cxx
expect_match "demangled" err "    #1 0x[0-9a-f]* in shop::basket<int>::fill(int) $sources/leaky_cxx.cc:[0-9]*:[0-9]*"
printf '{\n  basket\n  Memcheck:Leak\n  fun:malloc\n  fun:_ZN4shop6basketIiE4fillEi\n}\n' >mangled.supp
leaks --suppressions mangled.supp -- cxx
expect_status "mangled name in a suppression" 0
exit $failed
