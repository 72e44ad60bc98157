#!/bin/sh
# SPDX-License-Identifier: MIT
# What the macros and inline functions of the Boehm interface do is what those of bdwgc's own headers do:
# - every macro of theirs is defined here, too, and used by one of these:
# - macros.c and cord_macros.c compile to the same code with both;
# - inline.c and cpp.cc, run with stand-ins of the library's functions, make the same calls with both.
set -u
# shellcheck source=test/boehm/bdwgc_headers.sh
. "$srcdir/test/boehm/bdwgc_headers.sh"
sources=$srcdir/test/boehm
cxx=${CXX:-c++}
command -v "$cxx" >/dev/null || missing "it needs a C++ compiler, $cxx"

# ---- every macro is there, and tried ----

# Of theirs only within their headers; of GC_INIT, which macros.c uses with and without each of them; of the C++
# headers, which cpp.cc uses through the classes.
internal_here='GC_TMP_VERSION_MAJOR GC_TMP_VERSION_MINOR GC_TMP_VERSION_MICRO'
internal_init='GC_INIT_CONF_[A-Z_]*'
internal_cxx='GC_CPP_H GC_ALLOCATOR_H GC_ALLOCATOR_THROW_OR_ABORT GC_ATTR_EXPLICIT GC_DECLARE_PTRFREE GC_NOEXCEPT
  GC_NS_QUALIFY GC_OP_NEW_OOM_CHECK GC_PLACEMENT_DELETE GC_cdecl'
# shellcheck disable=SC2086  # lists
printf '%s\n' $internal_init $internal_cxx >"$dir/untried"
# shellcheck disable=SC2086  # a list
printf '%s\n' $internal_here >"$dir/undefined"

# Names of macros that a file's headers define, those of system headers included.
macros_of() { # COMPILER FILE ARGUMENT...
  compiler=$1 file=$2
  shift 2
  # shellcheck disable=SC2086  # CC may hold options
  $compiler -D_GNU_SOURCE -E -dM "$@" "$sources/$file" | awk '{ sub(/\(.*/, "", $2); print $2 }' | sort -u
}

every_macro() { # COMPILER FILE DEFINE...
  macros_of "$@" -I"$theirs" >"$dir/theirs"
  macros_of "$@" -I"$ours" >"$dir/ours"
  for name in $(comm -23 "$dir/theirs" "$dir/ours" | grep -v -x -f "$dir/undefined"); do
    fail "$name is not defined: $*"
  done
  # shellcheck disable=SC2013  # names are words
  for name in $(grep -E '^_*(GC|CORD)(_|$)' "$dir/theirs" | grep -v -x -f "$dir/untried" -f "$dir/undefined"); do
    (cd "$sources" && grep -q -w "$name" macros.c cord_macros.c inline.c cpp.cc) || fail "$name is used by no test: $*"
  done
}

every_macro "$CC" macros.c -DGC_THREADS
every_macro "$CC" macros.c -DGC_DEBUG -DI_HIDE_POINTERS
every_macro "$CC" cord_macros.c
every_macro "$cxx" cpp.cc -DGC_THREADS

# ---- the same code ----

code_of() { # FILE ARGUMENT...
  file=$1
  shift
  # shellcheck disable=SC2086  # CC may hold options
  $CC -std=gnu11 -w -D_GNU_SOURCE -O2 "$@" -S -o - "$sources/$file"
}

same_code() { # FILE DEFINE...
  { code_of "$@" -I"$theirs" >"$dir/theirs" && code_of "$@" -I"$ours" >"$dir/ours"; } || fail "does not compile: $*"
  diff "$dir/theirs" "$dir/ours" >"$dir/differences" || fail "code differs, theirs (<) and ours (>): $*
$(head -n 40 "$dir/differences")"
}

same_code macros.c -DPLAIN
same_code macros.c -DGC_DEBUG
same_code macros.c -DGC_DEBUG_REPLACEMENT
same_code macros.c -DGC_THREADS
same_code macros.c -DGC_THREADS -DGC_DEBUG
same_code macros.c -DGC_THREADS -DGC_NO_PTHREAD_SIGMASK -DGC_NO_PTHREAD_CANCEL -DGC_NO_DLOPEN
same_code macros.c -DLINUX_THREADS -DGC_NO_THREAD_REDIRECTS -DNDEBUG -DGC_I_HIDE_POINTERS
same_code macros.c -DGC_LINUX_THREADS -DUSE_LD_WRAP -DI_HIDE_POINTERS -DGC_NO_PREFETCH_FOR_WRITE -DGC_MISSING_EXECINFO_H
same_code macros.c -DGC_THREADS -DGC_HAVE_PTHREAD_EXIT -DGC_PTHREAD_EXIT_ATTRIBUTE= -DGC_SUSPEND_THREAD_ID=long
same_code macros.c -DGC_DEBUG -DGC_REQUIRE_WCSDUP
same_code macros.c -DGC_REQUIRE_WCSDUP -DGC_OOM_FUNC_RETURNS_ALIAS
same_code macros.c -DGC_API=extern -DGC_CALL= -DGC_CALLBACK= -DGC_ATTR_DEPRECATED= -DGC_ATTR_MALLOC=
same_code macros.c -DGC_DONT_GC -DGC_MAX_RETRIES=3 -DGC_MARKERS=8 -DGC_SIG_SUSPEND=9 -DGC_SIG_THR_RESTART=10
same_code macros.c -DGC_THREADS -DGC_DONT_EXPAND -DGC_FORCE_UNMAP_ON_GCOLLECT -DGC_MAX_RETRIES=3 -DGC_FULL_FREQ=6 \
  -DGC_ALLOCD_BYTES_PER_FINALIZER=4 -DGC_FREE_SPACE_DIVISOR=5 -DGC_TIME_LIMIT=7 -DGC_MARKERS=8 -DGC_SIG_SUSPEND=9 \
  -DGC_SIG_THR_RESTART=10 -DGC_MAXIMUM_HEAP_SIZE=11 -DGC_IGNORE_WARN -DGC_INITIAL_HEAP_SIZE=12
same_code cord_macros.c

# ---- the same calls ----

# shellcheck disable=SC2086  # CC may hold options
$CC -std=gnu11 -O2 -fno-builtin -c -o "$dir/stubs.o" "$sources/stubs.c" || fail "stubs.c does not compile"

output_of() { # COMPILER FILE ARGUMENT...: to stdout
  compiler=$1 file=$2
  shift 2
  # shellcheck disable=SC2086  # CC may hold options
  $compiler -w -O2 "$@" -o "$dir/program" "$sources/$file" "$dir/stubs.o" && "$dir/program"
}

same_calls() { # COMPILER FILE ARGUMENT...
  { output_of "$@" -I"$theirs" >"$dir/theirs" && output_of "$@" -I"$ours" >"$dir/ours"; } || fail "does not run: $*"
  [ "$(wc -l <"$dir/theirs")" -gt 100 ] || fail "hardly any calls: $*"
  diff "$dir/theirs" "$dir/ours" >"$dir/differences" || fail "calls differ, theirs (<) and ours (>): $*
$(head -n 40 "$dir/differences")"
}

same_calls "$CC" inline.c -DPLAIN
same_calls "$CC" inline.c -DGC_THREADS -DNDEBUG
same_calls "$CC" inline.c -DGC_DEBUG

same_calls "$cxx" cpp.cc -std=c++11
same_calls "$cxx" cpp.cc -std=c++17
same_calls "$cxx" cpp.cc -std=c++17 -DGC_DEBUG -DGC_NAMESPACE
same_calls "$cxx" cpp.cc -std=c++17 -DGC_THREADS -DGC_NAME_CONFLICT -DGC_ATOMIC_UNCOLLECTABLE
same_calls "$cxx" cpp.cc -std=c++11 -DGC_NO_OPERATOR_NEW_ARRAY -DGC_INCLUDE_NEW
same_calls "$cxx" cpp.cc -std=c++17 -DGC_NO_FINALIZATION -DGC_NEW_ABORTS_ON_OOM
exit $failed
