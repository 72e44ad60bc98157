#!/bin/sh
# SPDX-License-Identifier: MIT
# The model with a few seeds: linked with the library and with it preloaded, with one thread and several, as
# it is and with collections everywhere.  Seeds are fixed, but for the last run of each; a failure
# prints the seed, and `model --seed N --threads N` repeats it (several threads: as far as they do).
set -eu
linked=$top_builddir/test/model/model
preloaded=$top_builddir/test/model/model_preloaded

run() { # OPTIONS ARGUMENTS...
  options=$1
  shift
  echo "--- CGC_OPTIONS=$options $*"
  CGC_OPTIONS=$options "$linked" "$@"
  CGC_OPTIONS=$options LD_PRELOAD=$CGC_LIB "$preloaded" "$@"
}

"$preloaded" --without-cgc --steps 20000   # the test itself
for threads in 1 4; do
  run '' --threads "$threads" --seed 1 --steps 100000
  run '' --threads "$threads" --steps 100000
  run stress=20:verify=1 --threads "$threads" --seed 2 --steps 12000
  run stress=20:verify=1 --threads "$threads" --steps 12000
  run percent=10:min-heap=64K:confirm=1:retain=0:retain-ms=0 --threads "$threads" --steps 30000
done
