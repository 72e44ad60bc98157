#!/bin/sh
# SPDX-License-Identifier: MIT
# cgc diff: of documents, and of records.
# shellcheck source=test/tools/tools_common.sh
. "$srcdir/test/tools/tools_common.sh"
build_program
record old plain inlined
record new plain plain library
run report --format json=old.json old
run report --format json=new.json new

for ending in '' .json; do
  run diff old$ending new$ending
  expect_status "new leaks$ending" 1
  expect_match "new leaks$ending" out "new   [0-9a-f]* direct 30 byte(s) in 1 object(s): in_library < leaky_library < act"
  expect_match "gone leaks$ending" out "gone  [0-9a-f]* direct 10 byte(s) in 1 object(s): inlined < leak_by_inlined < act"
  expect_match "grown leaks$ending" out "grown [0-9a-f]* direct 20 byte(s) in 1 object(s): leak_plainly < act < main"
  [ "$(wc -l <out)" -eq 3 ] || fail "more than three changes$ending"
  run diff old$ending old$ending
  expect_status "the same$ending" 0
  [ ! -s out ] || fail "the same$ending: changes"
done

run diff old
expect_status "one" 2
run diff old new new
expect_status "three" 2
run diff old no.such.file
expect_status "no file" 2
echo '{"version": 9, "leaks": []}' >future.json
run diff old future.json
expect_status "unknown version" 2
record unchecked no-check
run diff old unchecked
expect_status "unchecked" 2
run report --format json=unchecked.json unchecked
run diff old.json unchecked.json
expect_status "unchecked, by its document" 2
expect_match "unchecked, by its document" err "cgc: unchecked.json: process [0-9]* was not checked: it ended .*"
exit $failed
