# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# For tests that compare our headers with bdwgc's own: sets theirs and ours, two include directories, or ends the test.
# shellcheck disable=SC2034
theirs=${BDWGC_INCLUDE:-/usr/include}
ours=$srcdir/include/cgc-boehm

missing() {
  echo "This test is MISSING from the run: $*."
  exit 77
}

[ -f "$theirs/gc/gc_version.h" ] || missing "it needs bdwgc's headers, $theirs/gc/gc.h (install libgc-dev)"
their_version=$(awk '$1 == "#define" && $2 ~ /^GC_TMP_VERSION_/ { printf "%s%s", dot, $3; dot = "." }' \
  "$theirs/gc/gc_version.h")
[ "$their_version" = 8.2.2 ] ||
  missing "it needs bdwgc's headers of version 8.2.2, and these are of ${their_version:-none}"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

fail() {
  echo "FAIL: $*"
  failed=1
}
