#!/bin/sh
# SPDX-License-Identifier: MIT
# spin on the models of cycles beside the program and of partial ones: all states of those as the library has it, in which
# nothing may be wrong, and of mutants, each of which must violate an assertion.
set -u
top=${srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}

for program in spin gcc timeout; do
  command -v "$program" >/dev/null 2>&1 || { echo "$program is missing: the models are not checked"; exit 77; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/cgc-spin.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
cd "$work" || exit 1

surprises=0

# check MODEL [DEFINITIONS]: leaves what spin found in pan.log
check() {
  model=$1
  shift
  rm -f pan pan.*
  spin "$@" -a "$top/test/model/$model.pml" >spin.log 2>&1 &&
    gcc -O2 -w -DSAFETY -DCOLLAPSE -DMEMLIM=1024 -o pan pan.c >>spin.log 2>&1 &&
    timeout 120 nice ./pan -m100000 >pan.log 2>&1
  grep -q '^State-vector.*errors: [0-9]' pan.log 2>/dev/null && return
  cat spin.log pan.log 2>/dev/null
  echo 'spin has not come to an end'
  return 1
}

states() {
  sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1 states/p' pan.log
}

surprise() {
  echo "$1"
  surprises=$((surprises + 1))
}

# verified MODEL [DEFINITIONS]
verified() {
  if ! check "$@"; then
    surprise "FAILED: $*"
  elif grep -q 'max search depth too small\|Search not completed\|out of memory' pan.log; then
    surprise "NOT ALL STATES: $*"
  elif ! grep -q 'errors: 0$' pan.log; then
    surprise "WRONG: $*: $(sed -n 's/^pan:1: //p' pan.log)"
  else
    echo "verified: $*, $(states)"
  fi
}

# refuted MODEL DEFINITIONS
refuted() {
  if ! check "$@"; then
    surprise "FAILED: $*"
  elif ! grep -q '^pan:1: assertion violated' pan.log; then
    surprise "NOT REFUTED: $*"
  else
    echo "refuted: $*, $(states)"
  fi
}

verified concurrent -DSTEPS=5
verified concurrent -DSTEPS=5 -DLARGE
verified concurrent -DSTEPS=4 -DROUNDS=2
verified concurrent -DSTEPS=4 -DCYCLES=2
verified concurrent -DSTEPS=4 -DCYCLES=2 -DLARGE
verified concurrent -DSTEPS=2 -DTHREADS=2
verified concurrent -DSTEPS=4 -DROUNDS=2 -DOPEN
verified concurrent -DSTEPS=4 -DCYCLES=2 -DOPEN
verified concurrent -DSTEPS=4 -DFREE_BIT_FIRST
verified concurrent -DSTEPS=4 -DBLACK
verified reuse
verified reuse -DMANY
verified partial
verified partial -DSTEPS=4 -DCYCLES=3
verified partial -DARM_LATE

for mutant in ARM_AFTER_SCAN COLLECT_WITHOUT_REARM RESCAN_BEFORE_COLLECT NO_RESCAN NO_FINAL_ROOTS LATE_TURN \
  SWEEP_WITHOUT_CLAIM MOVE_UNSWEPT JUDGE_WINDOW; do
  refuted concurrent -DSTEPS=4 -D$mutant
done
refuted concurrent -DSTEPS=4 -DLARGE -DSWEEP_NEW
refuted concurrent -DSTEPS=4 -DCYCLES=2 -DKEEP_SCANNED
refuted concurrent -DSTEPS=4 -DOPEN -DKEEP_OPEN
refuted concurrent -DSTEPS=4 -DBLACK -DBLACK_LATE
refuted concurrent -DSTEPS=4 -DBLACK -DBLACK_STOPPABLE
refuted reuse -DREUSE_WHILE_MARKING
for mutant in REUSE_WHILE_MARKING NO_WAIT NOT_HIDDEN; do
  refuted reuse -DMANY -D$mutant
done

for mutant in NO_LOOK SKIP_OPEN NO_ROOTS; do
  refuted partial -D$mutant
done

[ $surprises -eq 0 ]
