#!/bin/sh
# SPDX-License-Identifier: MIT
# Each header of the Boehm interface compiles alone, without warnings, in C and C++, with and without threads and
# debugging; and each is installed.
set -u
include=$srcdir/include/cgc-boehm
cxx=${CXX:-c++}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

fail() {
  echo "FAIL: $*"
  failed=1
}

# One header, and again, as when another one includes it.
compile() { # COMPILER LANGUAGE HEADER ARGUMENT...
  compiler=$1 language=$2 header=$3
  shift 3
  printf '#include <%s>\n#include <%s>\ntypedef int not_empty;\n' "$header" "$header" >"$dir/source"
  # shellcheck disable=SC2086  # CC may hold options
  $compiler "$@" -Wall -Wextra -pedantic -Werror -fsyntax-only -x "$language" "$dir/source" ||
    fail "$compiler $header $*"
}

# With each combination of what programs define.
compile_alone() { # COMPILER LANGUAGE HEADER ARGUMENT...
  for defines in '' -DGC_THREADS -DGC_DEBUG '-DGC_THREADS -DGC_DEBUG' \
    '-DGC_THREADS -DGC_NO_THREAD_REDIRECTS' -DGC_BUILD; do
    # shellcheck disable=SC2086  # a list
    compile "$@" $defines -I"$include"
  done
}

is_cxx() {
  case $1 in *gc_cpp.h | *gc_allocator.h) true ;; *) false ;; esac
}

cd "$include" || exit 1
headers=$(find . -name '*.h' | sed 's|^\./||' | sort)

for name in gc.h gc_cpp.h gc/cord.h gc/cord_pos.h gc/ec.h gc/gc.h gc/gc_allocator.h gc/gc_backptr.h \
  gc/gc_config_macros.h gc/gc_cpp.h gc/gc_disclaim.h gc/gc_gcj.h gc/gc_inline.h gc/gc_mark.h \
  gc/gc_pthread_redirects.h gc/gc_tiny_fl.h gc/gc_typed.h gc/gc_version.h gc/javaxfc.h gc/leak_detector.h; do
  [ -f "$name" ] || fail "$name is missing"
done

for name in $headers; do
  grep -q "[ /]cgc-boehm/$name\( \|\$\)" Makefile.inc || fail "$name is not installed: Makefile.inc does not name it"
done

for name in $headers; do
  is_cxx "$name" && continue
  for standard in gnu11 c99; do
    compile_alone "$CC" c "$name" -std=$standard -Wstrict-prototypes
  done
done

# As programs do that were written for headers right in the include directory.
compile "$CC" c leak_detector.h -std=gnu11 -I"$include/gc"

if ! command -v "$cxx" >/dev/null; then
  [ $failed -eq 0 ] || exit 1
  echo "The C++ half of this test is MISSING from the run: it needs a C++ compiler, $cxx."
  exit 77
fi

for name in $headers; do
  for standard in c++11 c++17; do compile_alone "$cxx" c++ "$name" -std=$standard; done
done
for defines in -DGC_NAMESPACE -DGC_NAME_CONFLICT -DGC_ATOMIC_UNCOLLECTABLE -DGC_NO_OPERATOR_NEW_ARRAY \
  -DGC_NO_FINALIZATION -DGC_INCLUDE_NEW -DGC_NEW_ABORTS_ON_OOM; do
  compile "$cxx" c++ gc_cpp.h -std=c++17 $defines -I"$include"
  compile "$cxx" c++ gc/gc_allocator.h -std=c++17 $defines -I"$include"
done
exit $failed
