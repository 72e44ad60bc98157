#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What preloading LIB costs a program that waits: servers under load, and blocking calls by themselves.
#
# Usage: server_compare.sh LIB [-r ROUNDS 9] [NAME...]
#
# The names: alone threads (pingpong.c), redis_get redis_set, pgbench.  Both servers, without LIB and with it, run
# all the time; the loads take turns.  Prints operations per second without and with LIB, medians, and the median
# ratio of neighbours; above 1 LIB is faster.  Exit status: 0, 1 if anything failed, 2 if the arguments are wrong.
set -u
. "$(dirname "$0")/bench_common.sh"

rounds=9
library=
names=()
while [ $# -gt 0 ]; do
  case $1 in
    -r) [ $# -ge 2 ] || die "-r wants a value"; rounds=$2; shift 2 ;;
    -h | --help) sed -n '3,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    -*) die "unknown option $1" ;;
    *) if [ -z "$library" ]; then library=$1; else names+=("$1"); fi; shift ;;
  esac
done
[ -n "$library" ] || die "usage: server_compare.sh LIB [-r ROUNDS] [NAME...]"
require_number -r "$rounds"
library=$(library_path "$library") || exit 2
[ ${#names[@]} -gt 0 ] || names=(alone threads redis_get redis_set pgbench)
PATH=$PATH:$(printf '%s:' /usr/lib/postgresql/*/bin)

preload=("" "$library")   # [side]
servers=()
as=()
chmod 711 "$work"
trap 'kill "${servers[@]}" 2>/dev/null; wait; rm -rf "$work"' EXIT

with() { # SIDE COMMAND...
  if [ "$1" = 0 ]; then "${@:2}"; else env LD_PRELOAD="$library" "${@:2}"; fi
}

serve() { # SIDE COMMAND...: in the background, so that $! is the server itself
  if [ "$1" = 0 ]; then exec "${@:2}"; else exec env LD_PRELOAD="$library" "${@:2}"; fi
}

await() { # COMMAND...: until it succeeds, 10 s at most
  local i
  for ((i = 0; i < 100; i++)); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  echo "FAILED: $* has no answer" >&2
  return 1
}

# ---- the loads: start_NAME SIDE once, then load_NAME SIDE prints operations per second ----

start_alone() { [ -x "$work/pingpong" ] || build pingpong.c pingpong; }
start_threads() { start_alone; }
load_alone() { with "$1" "$work/pingpong" alone 1; }
load_threads() { with "$1" "$work/pingpong" threads 1; }

start_redis() {
  [ -S "$work/redis.$1" ] && return
  serve "$1" redis-server --port 0 --unixsocket "$work/redis.$1" --save '' --dir "$work" >"$work/redis.$1.log" 2>&1 &
  servers+=($!)
  await redis-cli -s "$work/redis.$1" ping
}
load_redis() {
  redis-benchmark -s "$work/redis.$1" -t "$2" -n 100000 -c 10 -d 64 -r 10000 --csv | awk -F'"' 'END { print $4 }'
}
start_redis_get() { start_redis "$1"; }
start_redis_set() { start_redis "$1"; }
load_redis_get() { load_redis "$1" get; }
load_redis_set() { load_redis "$1" set; }

start_pgbench() {
  local data=$work/pg.$1
  mkdir "$data"
  if [ "$(id -u)" -eq 0 ]; then   # postgres does not run as root
    chown postgres "$data" || return
    as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  fi
  "${as[@]}" initdb -N -D "$data/data" -U postgres -A trust >"$data/log" 2>&1 || return
  serve "$1" "${as[@]}" postgres -D "$data/data" -k "$data" -c listen_addresses= -c fsync=off \
    -c shared_buffers=64MB >"$work/pg.$1.log" 2>&1 &
  servers+=($!)
  await psql -h "$data" -U postgres -c 'select 1' &&
    pgbench -h "$data" -U postgres -q -i -s 2 postgres >/dev/null 2>&1
}
load_pgbench() {
  pgbench -h "$work/pg.$1" -U postgres -n -S -c 2 -T 2 postgres 2>/dev/null |
    sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}

# ---- turns ----

status=0
printf '%-12s %12s %12s %8s\n' load without with ratio
for name in "${names[@]}"; do
  declare -F "load_$name" >/dev/null || die "no load called $name"
  if ! { "start_$name" 0 && "start_$name" 1; }; then
    echo "FAILED: $name does not start"
    status=1
    continue
  fi
  for ((round = 0; round < rounds; round++)); do
    first=$((round % 2))
    a=$("load_$name" $first)
    b=$("load_$name" $((1 - first)))
    if [ $first = 0 ]; then echo "$a $b"; else echo "$b $a"; fi
  done >"$work/out"
  awk -v name="$name" -v rounds="$rounds" "$awk_median"'
    $1 > 0 && $2 > 0 { n++; without[n] = $1; with[n] = $2; ratio[n] = $2 / $1 }
    END {
      if (n < rounds) { print "FAILED: " name ": " n + 0 " of " rounds " rounds"; exit 1 }
      printf "%-12s %12.0f %12.0f %8.3f\n", name, median(without, n), median(with, n), median(ratio, n)
    }' "$work/out" || status=1
done
exit $status
