#!/bin/sh
# SPDX-License-Identifier: MIT
# The page of --format html, in a browser.  CGC_SCREENSHOTS=PREFIX keeps what it looks like.
# shellcheck source=test/tools/tools_common.sh
. "$srcdir/test/tools/tools_common.sh"
build_program

leaks --format html=leaks.html --source-root "$srcdir" -- plain inlined indirect possible
expect_status html 23
expect_not "the page is for itself" leaks.html 'https\?:\|src=\|@import'
[ "$(grep -c '</script>' leaks.html)" -eq 2 ] || fail "not two scripts"

# What would end the data.
run leaks --library ./libcgc.so --format html=strange.html -- ./leaky '</script><b>' plain
[ "$(grep -c '</script>' strange.html)" -eq 2 ] || fail "the data ends too early"
expect_match "the data" strange.html '.*\\u003c/script>.*'

command -v python3 >/dev/null || missing python3
for browser in chromium chromium-browser google-chrome chrome; do
  command -v $browser >/dev/null && break
  browser=''
done
[ -n "$browser" ] || missing "a browser, chromium"
mkdir profile
timeout -k 5 120 python3 "$sources/browser.py" "$browser" "$dir/leaks.html" "$dir/profile" \
  ${CGC_SCREENSHOTS+"$CGC_SCREENSHOTS"} >out 2>err
case $? in
  0) ;;
  77) cat out; [ $failed -eq 0 ] && exit 77 ;;
  *) fail "in the browser" ;;
esac
exit $failed
