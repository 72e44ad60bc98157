# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# What the scripts of this directory share; sourced, after `top` was set to the top of the source tree.

# Options that the caller has for himself are not for what is tested here.
unset LD_PRELOAD MAKEFLAGS MFLAGS CDPATH
for name in $(env | sed -n 's/^\(CGC_[A-Za-z0-9_]*\)=.*/\1/p'); do
  unset "$name"
done
export LC_ALL=C

die() {
  echo "${0##*/}: $*" >&2
  exit 1
}

has() {
  command -v "$1" >/dev/null 2>&1
}

is_root() {
  [ "$(id -u)" -eq 0 ]
}

# ---- packages ----

# By Debian's names.  check is for the unit tests only, spin for the models of test/model, the last six for the
# command-line tool and its tests.
build_packages='autoconf automake libtool make pkg-config gcc libc6-dev binutils libatomic-ops-dev'
check_packages='check clang spin libdw-dev libjansson-dev libiberty-dev zlib1g-dev g++ libgc-dev python3-jsonschema'

has_header() {
  echo "#include <$1>" | cc -E - >/dev/null 2>&1
}

# Whether what the package is needed for is there, wherever it came from.
is_there() {
  case $1 in
    autoconf) has autoreconf ;;
    libtool) has libtoolize ;;
    gcc) has gcc && has cc ;;
    binutils) has objcopy ;;
    libc6-dev) has_header stdlib.h ;;
    libatomic-ops-dev) has_header atomic_ops.h ;;
    libdw-dev) pkg-config --exists libdw libelf 2>/dev/null ;;
    libjansson-dev) pkg-config --exists jansson 2>/dev/null ;;
    zlib1g-dev) pkg-config --exists zlib 2>/dev/null ;;
    libiberty-dev) has_header libiberty/demangle.h ;;
    libgc-dev) has_header gc/gc_mark.h ;;
    python3-jsonschema) python3 -c 'from jsonschema import Draft202012Validator' 2>/dev/null ;;
    check) pkg-config --exists 'check >= 0.15' 2>/dev/null ;;
    *) has "$1" ;;
  esac
}

missing_packages() {
  for package; do
    is_there "$package" || printf '%s ' "$package"
  done
}

apt_install() {
  apt='apt-get -qq -o DPkg::Lock::Timeout=300'
  if ! ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1; then
    $apt update </dev/null || return 1
  fi
  # Old lists name packages that the mirrors have no more.
  DEBIAN_FRONTEND=noninteractive $apt install -y --no-install-recommends "$@" </dev/null ||
    { $apt update </dev/null && DEBIAN_FRONTEND=noninteractive $apt install -y --no-install-recommends "$@" </dev/null; }
}

# Installs what is missing of the packages, or says what to install.
need_packages() {
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  if ! is_root || ! has apt-get; then
    echo "${0##*/}: these packages are missing (by their names in Debian):" >&2
    echo "    $missing" >&2
    is_root || echo "Install them, for example: sudo apt-get install $missing" >&2
    exit 1
  fi
  echo "installing: $missing"
  # shellcheck disable=SC2086  # a list
  apt_install $missing >"$work/apt.log" 2>&1 || { tail -n 20 "$work/apt.log" >&2; die "the installation failed"; }
  missing=$(missing_packages "$@")
  [ -z "$missing" ] || die "still missing after the installation: $missing"
}

# ---- the work directory ----

# Sets `work`: a new directory that is removed at the end.  The build tools cannot cope with every name that
# a directory may have, so nothing is built in the source tree.
make_work_directory() {
  base=${TMPDIR:-/tmp}
  case $base in
    *[!A-Za-z0-9/._+-]*) base=/tmp ;;
  esac
  work=$(mktemp -d "$base/cgc-$1.XXXXXX") || die "no temporary directory"
  chmod 755 "$work"   # a server that is tested may run as another user
  child=''
  trap 'clean_up' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

# A server that is still running is told by its process id in `child`.
clean_up() {
  [ -z "$child" ] || kill "$child" 2>/dev/null
  rm -rf "$work"
}

# Copies the sources, without what a build in the tree has left there, and makes the configure script.
copy_sources() {
  mkdir -p "$1" || return 1
  (cd "$top" && tar -cf - --exclude=./.git --exclude='./build*/*' --exclude=./autom4te.cache \
    --exclude=./config.status --exclude=./config.log --exclude=./Makefile --exclude=./libtool \
    --exclude='*.o' --exclude='*.lo' --exclude='*.la' --exclude='*.a' --exclude=.libs --exclude=.deps \
    --exclude=.dirstamp --exclude='*.trs' --exclude='*.log' .) |
    tar -C "$1" --no-same-owner -xf - || return 1
  (cd "$1" && autoreconf -fi)
}

processors() {
  getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1
}

# configure_and_make SOURCE BUILD [CONFIGURE ARGUMENTS]
configure_and_make() {
  source=$1 build=$2
  shift 2
  mkdir -p "$build" && (cd "$build" && "$source/configure" "$@" && make -j"$(processors)")
}

# Where the library of a build is.
library_of() {
  echo "$1/.libs/libcgc.so"
}
