#!/bin/bash
# SPDX-License-Identifier: MIT
# Run real clients of libgc.so.1 with the library that is installed and with the one of a directory, and compare.
#
# usage: programs.sh [-r ROUNDS] [-k DIR] [-e] [-v] DIR [row...]
#        programs.sh -l
#
#   -r ROUNDS  runs of each row with DIR's library (default 1)
#   -k DIR     keep the outputs of failures in DIR/ROW (default: a temporary directory, made at the first failure and named
#              in its row)
#   -e         do not compare stderr
#   -v         show the beginning of each difference
#   -l         list the rows, what they need, and what of it is missing
#
# DIR holds a libgc.so.1; its programs find it by LD_LIBRARY_PATH, and each must really have loaded it.  Each row is
#
#   PASS|FAIL|SKIP|TIMEOUT row runs seconds time-ratio rss-ratio collections note
#
# with the median seconds of the runs with DIR's library, the ratios of these and of the peak RSS to those of the reference
# run, and the collections of the reference, as its log tells them (a row without any proves nothing, and fails).  A program
# not installed is a SKIP row; see packages.txt.  The exit status is 0 if nothing failed or timed out, 1 if something did, and
# 2 if the arguments are wrong or DIR has no libgc.so.1.
#
# Environment: CGC_*, GC_* and the words of PROGRAMS_ENV (NAME=VALUE ...) reach the programs with DIR's library only; the
# rest of the environment reaches none.  PROGRAMS_TIMEOUT is the seconds allowed to a run (default 180), multiplied by
# PROGRAMS_SLOW (default 1).  PROGRAMS_PATH is the PATH to use.

set -u
unset LD_PRELOAD LD_LIBRARY_PATH
declare -a own=()
for v in "${!CGC_@}" "${!GC_@}"; do
  own+=("$v=${!v}")
  unset "$v"
done
# shellcheck disable=SC2206  # words
own+=(${PROGRAMS_ENV:-})

here=$(cd "$(dirname "$0")" && pwd) || exit 2
# shellcheck source=test/boehm/table.sh
. "$here/table.sh"
PATH=${PROGRAMS_PATH:-/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin}

usage() { sed -n '5,6s/^# *//p' "$0" >&2; exit 2; }

missing() { # COMMAND... : those not installed
  local c
  for c; do
    command -v "$c" >/dev/null || printf '%s ' "$c"
  done
}

list_rows() {
  local name needs m
  while read -r name needs; do
    # shellcheck disable=SC2086  # words
    m=$(missing $needs)
    printf '%-16s %s%s\n' "$name" "$needs" "${m:+   (missing: ${m% })}"
  done <<<"$table"
}

rounds=1 keep='' verbose=0 with_err=1 rows=()
while [ $# -gt 0 ]; do
  case $1 in
    -r) [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || usage; rounds=$2; shift 2 ;;
    -k) [ $# -ge 2 ] || usage; keep=$2; shift 2 ;;
    -e) with_err=0; shift ;;
    -v) verbose=1; shift ;;
    -l) list_rows; exit 0 ;;
    -*) usage ;;
    *) rows+=("$1"); shift ;;
  esac
done
[ ${#rows[@]} -ge 1 ] || usage
if ! dir=$(realpath -e -- "${rows[0]}") || ! [ -r "$dir/libgc.so.1" ]; then
  echo "programs.sh: no libgc.so.1 in ${rows[0]}" >&2
  exit 2
fi
rows=("${rows[@]:1}")
for name in "${rows[@]}"; do
  grep -q "^$name " <<<"$table" || {
    echo "programs.sh: no row called $name (see -l)" >&2
    exit 2
  }
done
limit=$(awk -v t="${PROGRAMS_TIMEOUT:-180}" -v s="${PROGRAMS_SLOW:-1}" 'BEGIN { print t * s }')

tmp=$(mktemp -d "${TMPDIR:-/tmp}/boehm.XXXXXX") || exit 2
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
ulimit -c 0

# one NAME ref|lib LABEL: run a row in an empty directory, always at the same path.  What it did is then in
# $o/LABEL.{out,err,status,time,rss}; what each process loaded in $o/LABEL.ld.PID; the log of the reference in $o/ref.gc.
# The result is 1 if it timed out.
one() {
  local name=$1 mode=$2 label=$3 rc
  local -a penv=(LD_DEBUG=libs "LD_DEBUG_OUTPUT=$o/$label.ld")
  rm -rf "$tmp/work"
  mkdir -p "$tmp/work/home" "$tmp/work/tmp"
  : | tee "$o/$label.time" "$o/$label.rss" >"$o/$label.status"
  case $mode in
    ref) penv+=(GC_PRINT_STATS=1 "GC_LOG_FILE=$o/ref.gc") ;;
    lib) penv+=("LD_LIBRARY_PATH=$dir" "${own[@]}") ;;
  esac
  declare -p penv >"$o/$label.env"
  (
    cd "$tmp/work" || exit 1
    exec env -i PATH="$PATH" HOME="$tmp/work/home" TMPDIR="$tmp/work/tmp" LC_ALL=C.UTF-8 TZ=UTC USER=root LOGNAME=root \
      TERM=dumb timeout -k 5 "$limit" bash "$here/rows.sh" "$name" "$o/$label.env" "$o/$label"
  ) >"$o/$label.out" 2>"$o/$label.err" </dev/null
  rc=$?
  ((rc == 124 || rc == 137)) && return 1
  echo "$rc row" >>"$o/$label.status"
  return 0
}

# loaded LABEL: the libgc.so.1 that its processes loaded, a line for each process that did.
loaded() { cat "$o/$1".ld.* 2>/dev/null | sed -n 's/.*calling init: \(.*\/libgc\.so\.1.*\)/\1/p'; }

# wrongly_loaded LABEL: says what is wrong, if anything is.
wrongly_loaded() {
  local clients
  clients=$(grep -vc ' row$' "$o/$1.status")
  if [ "$(loaded "$1" | grep -cFx "$dir/libgc.so.1")" -lt "$clients" ]; then
    echo "$dir/libgc.so.1 was not loaded by all of $clients clients"
  elif loaded "$1" | grep -qvFx "$dir/libgc.so.1"; then
    echo "another $(loaded "$1" | grep -vFx "$dir/libgc.so.1" | head -n 1) was loaded"
  fi
}

# differ A B: what differs between two runs, if anything does.
differ() {
  local a=$o/$1 b=$o/$2 what=''
  if ! cmp -s "$a.status" "$b.status"; then
    what="exit status ($(diff "$a.status" "$b.status" | sed -n 's/^> //p' | head -n 1 | sed 's/^$/none/'))"
  fi
  cmp -s "$a.out" "$b.out" || what="${what:+$what, }stdout"
  ((with_err)) && ! cmp -s "$a.err" "$b.err" && what="${what:+$what, }stderr"
  [ -n "$what" ] && echo "$what differs"
}

# wrong_with LABEL: what is wrong with a run that ended, if anything is.
wrong_with() {
  if [ "$1" != ref ]; then
    wrongly_loaded "$1" | grep . || differ ref "$1"
  elif grep -qv '^0 ' "$o/ref.status" || ! [ -s "$o/ref.out" ]; then
    echo "failed"     # it would be easy to agree with
  elif [ "$(collections)" -eq 0 ]; then
    echo "made no collection"
  fi
}

collections() { grep -cs '^GC #' "$o/ref.gc" || [ -e "$o/ref.gc" ] || echo 0; }
seconds() { awk '{ s += $1 } END { printf "%.3f\n", s / 1e6 }' "$1"; }
peak() { awk '$1 > m { m = $1 } END { print m + 0 }' "$1"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int((NR + 2) / 2)]) / 2 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.2f", a / b; else print "-" }'; }

passed=0 failed=0 skipped=0
row() { # VERDICT NAME RUNS SECONDS TIME-RATIO RSS-RATIO COLLECTIONS NOTE
  printf '%-7s %-14s %3s %8s %6s %6s %5s  %s\n' "$@" | sed 's/ *$//'
}

keep_failure() { # NAME
  : "${keep:=$(mktemp -d "${TMPDIR:-/tmp}/boehm-failed.XXXXXX")}"
  rm -rf "${keep:?}/$1"
  mkdir -p "$keep/$1"
  cp "$o"/* "$keep/$1/"
}

show_difference() { # LABEL
  local t
  for t in status out err; do
    diff -a "$o/ref.$t" "$o/$1.$t"
  done | cut -c 1-200 | head -n 20 | sed 's/^/  /' >&2
}

program() { # NAME NEEDS...
  local name=$1 m bad='' verdict=FAIL ok=0 i label lib_s t
  shift
  m=$(missing "$@")
  if [ -n "$m" ]; then
    row SKIP "$name" 0 - - - - "not installed: ${m% }"
    skipped=$((skipped + 1))
    return
  fi
  o=$tmp/out.$name
  mkdir -p "$o"
  for ((i = 0; i <= rounds && ${#bad} == 0; i++)); do
    label=$i
    ((i == 0)) && label=ref
    if one "$name" "$( ((i == 0)) && echo ref || echo lib)" "$label"; then
      bad=$(wrong_with "$label")
      bad=${bad:+run $label: $bad}
    else
      bad="run $label took over $limit s" verdict=TIMEOUT
    fi
    [ -z "$bad" ] && ok=$i
  done
  if [ -n "$bad" ]; then
    keep_failure "$name"
    row "$verdict" "$name" "$ok/$rounds" - - - - "$bad; see $keep/$name"
    ((verbose)) && show_difference "$label"
    failed=$((failed + 1))
  else
    lib_s=$(for t in "$o"/[0-9]*.time; do seconds "$t"; done | median)
    row PASS "$name" "$rounds" "$(printf %.2f "$lib_s")" "$(ratio "$lib_s" "$(seconds "$o/ref.time")")" \
      "$(ratio "$(for t in "$o"/[0-9]*.rss; do peak "$t"; done | median)" "$(peak "$o/ref.rss")")" "$(collections)" ""
    passed=$((passed + 1))
  fi
  rm -rf "$o" "$tmp/work"
}

while read -r name needs <&3; do
  [ ${#rows[@]} -eq 0 ] || [[ " ${rows[*]} " == *" $name "* ]] || continue
  # shellcheck disable=SC2086  # words
  program "$name" $needs
done 3<<<"$table"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
