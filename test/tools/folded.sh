#!/bin/sh
# SPDX-License-Identifier: MIT
# Folded stacks, and the profile for pprof, which pprof itself reads.
# shellcheck source=test/tools/tools_common.sh
. "$srcdir/test/tools/tools_common.sh"
build_program
record kept plain inlined indirect possible

run report --format folded kept
expect_match folded out "_start;.*;main;act;leak_plainly;malloc 20"
expect_match folded out "_start;.*;main;act;leak_by_inlined;inlined;malloc 10"
[ "$(wc -l <out)" -eq 3 ] || fail "folded: not a line per leak"
run report --show possible --format folded kept
expect_match "folded --show" out ".*;leak_possibly;malloc 6"

command -v go >/dev/null || missing "go, for its pprof"
run report --show possible --format pprof=leaks.pb.gz kept
go tool pprof -raw leaks.pb.gz >raw 2>err || fail "pprof cannot read the profile"
expect_match "sample types" raw "leaked_objects/count leaked_space/bytes\[dflt\]"
expect_match "sample" raw " *1  *20: [0-9 ]*"
for kind in direct indirect possible; do
  expect_match "label" raw " *kind:\[$kind\]"
done
expect_match "location" raw " *[0-9]*: 0x[0-9a-f]* M=[0-9]* leak_plainly $sources/leaky.c:$(line_of leaky.c 'line of leak_plainly').*"
expect_match "mapping" raw "[0-9]*: 0x0/0x[0-9a-f]*/0x0 $dir/leaky [0-9a-f]* \[FN\]\[FL\]\[LN\]\[IN\]"
go tool pprof -top leaks.pb.gz >top 2>err
expect_match "top" top " *20B 48.78% 48.78% .* leak_plainly"
expect_match "inlined" top " *10B .* inlined (inline)"
go tool pprof -top -sample_index=leaked_objects leaks.pb.gz >top 2>err
expect_match "objects" top ".* of 4 total"
run report --show possible --format pprof=again.pb.gz kept kept
go tool pprof -top -diff_base leaks.pb.gz again.pb.gz >top 2>err
expect_match "difference" top " *20B .* leak_plainly"

# Nothing.
leaks --format pprof=leaks.pb.gz --
go tool pprof -raw leaks.pb.gz >raw 2>err || fail "pprof cannot read an empty profile"
exit $failed
