#!/bin/sh
# SPDX-License-Identifier: MIT
# While a library is loaded that hides references nothing is reclaimed, and until then it is.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

fail() {
  echo "FAIL: $1"
  cat "$dir/out" "$dir/log"
  failed=1
}

build() { # NAME: a library that exports it
  echo "void $1(void); void $1(void) {}" | ${CC:-cc} -x c -shared -fPIC - -o "$dir/lib$1.so" || exit 1
}

run() { # NAME OPTIONS
  rm -f "$dir/log"
  timeout -k 5 100 env CGC_OPTIONS=confirm=1:trace=1:log=$dir/log${2:+:$2} LD_PRELOAD="$CGC_LIB" \
    "$top_builddir/test/fault/hidden" "$dir/lib$1.so" >"$dir/out" 2>&1
}

told() {
  grep -c 'a library is loaded that hides references' "$dir/log"
}

for name in PL_initialise Sscheme_init luaJIT_setmode; do
  build $name
  run $name '' || fail "$name: blocks lost"
  [ "$(told)" = 1 ] || fail "$name: not told once"
done

for options in verify=1:min-heap=1M dirty=stop partial=2:verify=1 dirty=uffd:min-heap=1M \
               dirty=uffd:min-heap=1M:verify=1:markers=3 stress-ms=3; do
  run PL_initialise $options || fail "$options: blocks lost"
  [ "$(told)" = 1 ] || fail "$options: not told once"
  grep -q ' reclaimed [1-9]' "$dir/log" || fail "$options: nothing was reclaimed before"
  last=$(sed -n 's/^cgc \([0-9]*\) .*hides references.*/\1/p' "$dir/log")
  awk -v last="$last" '$2 > last + 0 { exit 1 }' "$dir/log" || fail "$options: a cycle afterwards"
done

# Such blocks are lost elsewhere.
build initialise
run initialise '' && fail "another library: no block lost"
[ "$(told)" = 0 ] || fail "another library: told"
run PL_initialise hidden=0 && fail "hidden=0: no block lost"
[ "$(told)" = 0 ] || fail "hidden=0: told"
exit $failed
