#!/bin/sh
# SPDX-License-Identifier: MIT
# What the headers of the Boehm interface declare in C, with types, attributes, members and enumerators, is what bdwgc's
# own declare: clang prints the declarations of both in one form.
set -u
# shellcheck source=test/boehm/bdwgc_headers.sh
. "$srcdir/test/boehm/bdwgc_headers.sh"
command -v clang >/dev/null || missing "it needs clang"

# Theirs that are not declared here, and ours that are only here, with the reason.
cat >"$dir/known" <<'END'
- extern void GC_win32_free_heap();
+ extern void GC_noop1(GC_word);
- void CORD_ec_append_cord(CORD_ec, CORD);
+ extern void CORD_ec_append_cord(CORD_ec, CORD);
- void CORD_ec_flush_buf(CORD_ec);
+ extern void CORD_ec_flush_buf(CORD_ec);
END
# No library on this system has the first.  Theirs declare the second for other compilers only.  The rest is the same.

# Every header in C: headers.sh sees to it that none is missing.  Not leak_detector.h, which redirects names and
# declares nothing.
source_of_all() {
  echo '#include <gc/gc.h>'
  (cd "$ours/gc" && ls ./*.h) | sed 's|^\./||' | grep -v -x -e gc.h -e gc_cpp.h -e gc_allocator.h -e leak_detector.h |
    sed 's|.*|#include <gc/&>|'
}

# What parameters are called, where they are.
names='x|y|i|n|c|s|f|p|fn|f1|f2|len|leny|start|x_start|y_start|out|args|format|client_data'

# One line for each declaration, without what does not matter to a program: the names of parameters, and visibility.
declarations() { # INCLUDE DEFINE...
  include=$1
  shift
  source_of_all >"$dir/all.c"
  clang -w -std=gnu11 -D_GNU_SOURCE "$@" -I"$include" -Xclang -ast-print -fsyntax-only "$dir/all.c" >"$dir/printed" ||
    return
  awk '/^[^ }]/ { if (line != "") print line; line = "" } { sub(/^ +/, " "); line = line $0 } END { print line }' \
    "$dir/printed" | grep -E 'GC_|CORD' |
    sed -E "s/([ *])($names)([,)])/\\1\\3/g; s/ ([,)])/\\1/g" |
    sed -E 's/ __attribute__\(\(visibility\("default"\)\)\)//' | sort -u
}

compare() { # DEFINE...
  { declarations "$theirs" "$@" >"$dir/theirs" && declarations "$ours" "$@" >"$dir/ours"; } ||
    fail "does not compile: $*"
  [ "$(wc -l <"$dir/theirs")" -gt 250 ] || fail "only $(wc -l <"$dir/theirs") declarations of theirs: $*"
  diff "$dir/theirs" "$dir/ours" | sed -n 's/^</-/p; s/^>/+/p' | grep -v -x -F -f "$dir/known" >"$dir/differences"
  [ ! -s "$dir/differences" ] || fail "with '$*' theirs (-) and ours (+) differ:
$(cat "$dir/differences")"
}

compare -DPLAIN
compare -DGC_THREADS
compare -DGC_DEBUG -DGC_THREADS
compare -DGC_THREADS -DGC_NO_PTHREAD_SIGMASK -DGC_NO_PTHREAD_CANCEL -DGC_NO_DLOPEN
compare -DGC_DONT_GC -DGC_REQUIRE_WCSDUP -DGC_OOM_FUNC_RETURNS_ALIAS
exit $failed
