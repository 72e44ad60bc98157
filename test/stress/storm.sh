#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs storm.c, which changes and checks graphs of objects by many threads, under LIB, in turns and in several
# configurations, until the time is over.
#
# Usage: storm.sh LIB [-t SECONDS 60] [-s SEED] [NAME...]
#
#   -t  for how long; every configuration has at least one turn     -s  of the first turn; others derive from it
#
# NAME is one of the rows of the table below; without any, all of them take turns.  Prints a row per turn:
#
#   PASS|FAIL name seed seconds counts
#
# and for one that failed its exit status, the end of its messages, and the command that repeats it.  The choices of a
# turn depend on its seed, how its threads interleave does not: it may take several attempts.  A turn that takes twenty
# times its time hangs, and has failed.
#
# Exit status: 0 if all passed, 1 if not, 2 if the arguments are wrong, LIB cannot be preloaded or storm.c does not
# build.
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=''

# Name, seconds of a turn, threads, MiB alive, CPUs (- for all), CGC_OPTIONS.
configurations='
plain    6 3  32 - confirm=1
uffd     6 3  16 - confirm=1:dirty=uffd:verify=1:min-heap=256K
stop     6 3  16 - confirm=1:dirty=stop:verify=1:min-heap=64K
partial  6 3  16 - confirm=1:partial=2:verify=1:min-heap=64K
partials 6 3   4 - confirm=1:partial=2:verify=1:stress=200
confirms 6 3  16 - confirm=2:partial=2:verify=1:min-heap=64K
stress   6 3   4 - confirm=1:dirty=uffd:verify=1:stress=200
often    6 3  16 - confirm=1:dirty=uffd:verify=1:stress-ms=5
confirm  6 3  16 - confirm=2:dirty=uffd:verify=1:min-heap=256K
onecpu   6 3  16 0 confirm=1:dirty=uffd:verify=1:min-heap=256K
big     10 2 200 - confirm=1:verify=1
'
hang_factor=20

die() {
  echo "${0##*/}: $*" >&2
  exit 2
}

usage() {
  sed -n '/^# Runs/,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "$0"
}

require_number() { # OPTION VALUE
  case $2 in
    '' | *[!0-9]*) die "$1 wants a number, not '$2'" ;;
  esac
}

configuration() { # NAME: its row of the table
  awk -v name="$1" '$1 == name { print; found = 1 } END { exit !found }' <<<"$configurations"
}

next_seed() { # SEED
  echo $((($1 * 1103515245 + 12345) % 2147483648))
}

# What a turn runs, as it can be given to a shell.
command_of() { # CONFIGURATION SEED
  local seconds threads live_mib cpus options
  read -r _ seconds threads live_mib cpus options <<<"$1"
  [ "$cpus" = - ] || printf 'taskset -c %s ' "$cpus"
  printf 'env LD_PRELOAD=%q CGC_OPTIONS=%s %q %s %s %s %s\n' "$library" "$options" "$work/storm" "$seconds" "$2" \
    "$threads" "$live_mib"
}

turn() { # NAME SEED: one row; false if it failed
  local name=$1 seed=$2 row command status begun_s seconds
  row=$(configuration "$name")
  command=$(command_of "$row" "$seed")
  read -r _ seconds _ <<<"$row"
  begun_s=$SECONDS
  eval "timeout -s KILL $((seconds * hang_factor)) $command" >"$work/out" 2>"$work/err"
  status=$?
  seconds=$((SECONDS - begun_s))
  # What the library reports is a failure as well, such as verify=1's findings that do not end the program.
  if [ $status -eq 0 ] && [ ! -s "$work/err" ]; then
    printf 'PASS %-8s %10s %4s %s\n' "$name" "$seed" "$seconds" "$(sed 's/^seed [0-9]*: //' "$work/out")"
    return 0
  fi
  printf 'FAIL %-8s %10s %4s %s\n' "$name" "$seed" "$seconds" "$(why_of $status)"
  tail -n 20 "$work/err" | sed 's/^/    /'
  keep "$command"
  return 1
}

why_of() { # STATUS
  case $1 in
    0) echo "messages, though exit status 0" ;;
    137) echo "hangs, or was killed" ;;
    *) echo "exit status $1" ;;
  esac
}

# The program stays, so that the command that is printed can be run.
keep() { # COMMAND
  trap - EXIT
  echo "    again: $1"
}

names=() library='' run_seconds=60 seed=''
while [ $# -gt 0 ]; do
  case $1 in
    -t | -s) [ $# -ge 2 ] || die "$1 wants a value"; require_number "$1" "$2" ;;&
    -t) run_seconds=$2; shift 2 ;;
    -s) seed=$(($2 % 2147483648)); shift 2 ;;
    -h | --help) usage; exit 0 ;;
    -*) die "unknown option $1" ;;
    *)
      if [ -z "$library" ]; then
        library=$1
      else
        configuration "$1" >/dev/null || die "no configuration named $1"
        names+=("$1")
      fi
      shift
      ;;
  esac
done
[ -n "$library" ] || die "usage: storm.sh LIB [-t SECONDS] [-s SEED] [NAME...]"
[ -f "$library" ] || die "no such library: $library"
library=$(cd "$(dirname "$library")" && pwd)/$(basename "$library")
# The loader only warns about a library that it cannot load: that must not be taken for a pass.
[ -z "$(LD_PRELOAD=$library /bin/true 2>&1)" ] || die "cannot be preloaded: $library"
[ ${#names[@]} -gt 0 ] || read -r -d '' -a names < <(awk '{ print $1 }' <<<"$configurations")
[ -n "$seed" ] || seed=$((RANDOM << 15 | RANDOM))

unset CGC_OPTIONS LD_PRELOAD
ulimit -c 0
work=$(mktemp -d "${TMPDIR:-/tmp}/cgc-storm.XXXXXX") || die "no temporary directory"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
"${CC:-cc}" -std=gnu11 -O2 -g -fno-builtin -pthread "$here/storm.c" -o "$work/storm" || die "storm.c does not build"

passed=0 failed=0 turns=0
while [ $turns -lt ${#names[@]} ] || [ $SECONDS -lt "$run_seconds" ]; do
  if turn "${names[turns % ${#names[@]}]}" "$seed"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
  turns=$((turns + 1))
  seed=$(next_seed "$seed")
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
