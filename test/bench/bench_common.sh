# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the comparing scripts of this directory share; sourced, not run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/cgc-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
# shellcheck disable=SC2034  # used by the scripts that source this
timeout_seconds=${BENCH_TIMEOUT:-60}
# A crash is a result here, its core file only costs time and disk.
ulimit -c 0

# For awk programs: median(values, count) sorts values[1..count] in place.
# shellcheck disable=SC2034  # used by the scripts that source this
awk_median='
function median(values, count,    i, j, value) {
  for (i = 2; i <= count; i++) {
    value = values[i]
    for (j = i - 1; j >= 1 && values[j] > value; j--)
      values[j + 1] = values[j]
    values[j + 1] = value
  }
  return count % 2 ? values[(count + 1) / 2] : (values[count / 2] + values[count / 2 + 1]) / 2
}
'

die() {
  echo "${0##*/}: $*" >&2
  exit 2
}

# build SOURCE OUTPUT [COMPILER ARGUMENTS]
build() {
  local source=$1 output=$2
  shift 2
  "${CC:-cc}" -O2 -fno-builtin -pthread "$here/$source" -o "$work/$output" "$@"
}

# An absolute path, as LD_PRELOAD needs it.  The loader only warns about a
# library that it cannot load and runs the program with glibc's malloc: that
# must not be taken for a measurement.
library_path() {
  local path
  [ -f "$1" ] || die "no such library: $1"
  path=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
  if LD_PRELOAD=$path /bin/true 2>&1 | grep -q 'ld\.so'; then
    die "cannot be preloaded: $path"
  fi
  printf '%s\n' "$path"
}

# The first of the given sonames that the loader knows; nothing if none is installed.
installed_library() {
  local soname path
  for soname in "$@"; do
    path=$( (ldconfig -p || /sbin/ldconfig -p) 2>/dev/null | awk -v name="$soname" '$1 == name { print $NF; exit }')
    if [ -n "$path" ]; then
      printf '%s\n' "$path"
      return
    fi
  done
}

# Other preloadable allocators: sets peers (labels) and peer_path[label], and names those not installed.
find_peers() {
  declare -gA peer_path
  peers=()
  add_peer mimalloc "${MIMALLOC_LIB:-$(installed_library libmimalloc.so.3 libmimalloc.so.2 libmimalloc.so)}"
  add_peer jemalloc "${JEMALLOC_LIB:-$(installed_library libjemalloc.so.2 libjemalloc.so)}"
  add_peer tcmalloc "${TCMALLOC_LIB:-$(installed_library libtcmalloc_minimal.so.4 libtcmalloc.so.4)}"
}

add_peer() {
  if [ -z "$2" ]; then
    echo "missing: $1 is not installed, its column stays empty"
    return
  fi
  peers+=("$1")
  # shellcheck disable=SC2034  # used by the scripts that source this
  peer_path[$1]=$(library_path "$2") || exit 2
}

# require_number OPTION VALUE...
require_number() {
  local option=$1 value
  shift
  [ $# -gt 0 ] || die "$option wants a number above 0"
  for value in "$@"; do
    case $value in
      '' | *[!0-9]* | 0) die "$option wants a number above 0, not '$value'" ;;
    esac
  done
}
