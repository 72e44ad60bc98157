#!/bin/sh
# SPDX-License-Identifier: MIT
# The committed table of size classes is what its generator prints.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
${CC:-cc} -o "$dir/size_classes" "$srcdir/tools/size_classes.c"
"$dir/size_classes" >"$dir/table.h"
diff -u "$srcdir/lib/heap/size_class_table.h" "$dir/table.h"
