#!/bin/sh
# SPDX-License-Identifier: MIT
# fontconfig, whose blocks hold no addresses of each other, loaded in the middle of cycles.
set -u
program=$top_builddir/test/fault/fontconfig
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

"$program" || exit   # without the library

for options in "" confirm=1 confirm=1:verify=1:min-heap=1M confirm=1:dirty=stop confirm=1:partial=2:verify=1 \
               confirm=1:dirty=uffd:min-heap=1M confirm=1:dirty=uffd:min-heap=1M:verify=1:markers=3 \
               confirm=1:stress-ms=3:verify=1 confirm=1:relative=1; do
  CGC_OPTIONS=$options LD_PRELOAD="$CGC_LIB" timeout -k 5 100 "$program" >"$dir/out" 2>&1 && continue
  echo "FAIL: with options \"$options\""
  cat "$dir/out"
  failed=1
done

# The patterns are no leaks, but for those of them that nothing refers to any more: none.
CGC_OPTIONS=mode=leak:sample=64K:depth=8 LD_PRELOAD="$CGC_LIB" timeout -k 5 100 "$program" >"$dir/out" 2>&1
if grep -q libfontconfig "$dir/out"; then
  echo "FAIL: mode=leak reports blocks of fontconfig"
  grep -B 8 -A 8 libfontconfig "$dir/out" | head -n 60
  failed=1
fi
exit $failed
