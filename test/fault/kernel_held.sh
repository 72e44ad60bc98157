#!/bin/sh
# SPDX-License-Identifier: MIT
# Pointers that only the kernel holds, through the functions of libc as programs call them.
set -eu
for options in '' stress=50 min-heap=64K:verify=1; do
  CGC_OPTIONS=$options LD_PRELOAD=$CGC_LIB "$top_builddir/test/fault/kernel_held"
done
