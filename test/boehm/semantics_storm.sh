#!/bin/sh
# SPDX-License-Identifier: MIT
# semantics_storm.sh [SECONDS [SEED]]
#
# Runs semantics_storm for so many seconds, 10 by default, shared by all configurations; a failure prints the seed, with
# which the same choices are made again, though threads interleave as they like.
set -u
seconds=${1:-10} seed=${2:-$(date +%s)}
output=$(mktemp)
trap 'rm -f "$output"' EXIT
failed=0
ulimit -c 0

# run OPTIONS ARGUMENT...
run() {
  options=$1
  shift
  limit=$((seconds * 10 + 60))
  CGC_OPTIONS=$options timeout -k 5 $limit "$top_builddir/test/boehm/semantics_storm" "$@" >"$output" 2>&1
  status=$?
  [ $status -ne 0 ] || return
  echo "FAIL: status $status: CGC_OPTIONS=$options semantics_storm $*"
  tail -20 "$output"
  failed=1
}

each=$(((seconds + 3) / 4))
run confirm=1 "$seed" $each
run verify=1:stress=50:dirty=uffd "$((seed + 1))" $each
run verify=1:stress=50:dirty=uffd "$((seed + 2))" $each beside
run verify=1:dirty=stop:min-heap=256K "$((seed + 3))" $each beside
exit $failed
