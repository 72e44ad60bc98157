#!/bin/bash
# SPDX-License-Identifier: MIT
# Run the program table under filters that refuse system calls the library would like to use.
#
# usage: refused.sh LIB [name...]
#
# For each filter: a trace line that names what the library does instead, then the rows of run.sh.  Exit status: 0 if no row
# failed under any filter and every trace names the expected fallback, 1 if not, 2 if the arguments are wrong.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 2
[ $# -ge 1 ] && [ -r "$1" ] || { sed -n '5s/^# //p' "$0" >&2; exit 2; }
lib=$(realpath "$1")
shift

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
"${CC:-cc}" -O1 -o "$work/refuse" "$here/refuse.c" || exit 2

# filter, what the trace must say ("" if nothing changes), and the programs that cannot run under it without the library
# either, as they make the call themselves
filters=(
  "userfaultfd|stop"
  "clone3=ENOSYS|"
  "membarrier|fences"
  "membarrier=ENOSYS|fences"
  "process_vm_readv|mem"
  "userfaultfd,membarrier,process_vm_readv=ENOSYS,clone3=ENOSYS|mem fences stop"
  "userfaultfd=kill,membarrier=kill,process_vm_readv=kill|mem fences stop"
  "close_range=kill|stop|python3_spawn"
)

status=0

trace_of() { # FILTER: the trace of a process with two threads
  "$work/refuse" "$1" env LD_PRELOAD="$lib" CGC_OPTIONS=trace=1:stress-ms=1:dirty=uffd sleep 0.2 2>&1 | grep '^cgc .* markers' | tail -n 1
}

programs_but() { # NAME [NAME...]: those asked for, or all, but the first
  if [ $# -gt 1 ]; then printf '%s\n' "${@:2}"; else "$here/run.sh" -l | awk '{ print $1 }'; fi | grep -vx "$1"
}

for row in "${filters[@]}"; do
  IFS='|' read -r filter expected own <<<"$row"
  line=$(trace_of "$filter")
  said=$(sed -n 's/.*, instead: //p' <<<"$line")
  echo "== refused: $filter; instead: ${said:-nothing}"
  [ -n "$line" ] && [ "$said" = "$expected" ] || { echo "FAIL    expected \"$expected\", got \"$line\""; status=1; }
  mapfile -t names < <(programs_but "$own" "$@")
  [ ${#names[@]} -eq 0 ] || "$work/refuse" "$filter" "$here/run.sh" "$lib" "${names[@]}" || status=1
done
exit $status
