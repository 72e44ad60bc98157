#!/bin/bash
# SPDX-License-Identifier: MIT
# Whether libgc.so.1, libgccpp.so.1, libgctba.so.1 and libcord.so.1 of a directory are what binaries linked with bdwgc 8.2.2
# expect: names, kinds, sizes of data, sonames, no versions, nothing of libc's, and data that programs may have copies of.
#
# usage: abi.sh [DIR]      (by default the libraries just built)
#
# abi.txt says what there must be.  If libraries of that version are installed, they are compared with directly, too.
# Exit status: 0, 1 if something is not so, 2 if the arguments are wrong.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 2
dir=${1:-${top_builddir:-.}/.libs}
dir=$(realpath -e -- "$dir") || exit 2
libraries="libgc libgccpp libgctba libcord"
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
  echo "FAIL: $*"
  failed=1
}

# exported FILE: a line "symbol kind bytes" for each symbol that it defines, as in abi.txt.
exported() {
  LC_ALL=C nm -D -S --defined-only "$1" | awk '
    $NF == "_end" { next }
    { kind = $(NF - 1); bytes = NF == 4 ? $2 : ""; sub(/^0+/, "", bytes) }
    kind ~ /[TtWwiu]/ { print $NF, "function"; next }
    { print $NF, kind == "R" ? "constant" : kind ~ /[BD]/ ? "variable" : kind, bytes }' | sort
}

# wanted LIBRARY: the same of abi.txt.
wanted() {
  awk -v library="$1" '$1 == library { print $2, $3 ($4 ? " " sprintf("%x", $4) : "") }' "$here/abi.txt" | sort
}

# lacks NAME WANTED FOUND: tells what of the lines WANTED is not in FOUND.
lacks() {
  local line
  while read -r line; do
    fail "$1: \"$line\" wanted, found \"$(grep "^${line%% *} " "$3" || echo nothing)\""
  done < <(comm -23 "$2" "$3")
}

# No name of libc's, of which a program would get another.
check_foreign() { # LIBRARY
  local own='^(GC_|CORD_)' name
  case $1 in libgccpp | libgctba) own='^_Z' ;; esac
  while read -r name _; do
    [[ $name =~ $own ]] || fail "$1 exports $name"
  done <"$work/$1.found"
}

check_dynamic() { # LIBRARY
  local dynamic
  dynamic=$(LC_ALL=C readelf -dW "$dir/$1.so.1")
  grep -q "SONAME.*\[$1\.so\.1\]" <<<"$dynamic" || fail "$1: soname is not $1.so.1"
  grep -qE 'VERDEF|NODELETE|NOOPEN|SYMBOLIC' <<<"$dynamic" &&
    fail "$1: $(grep -oE 'VERDEF|NODELETE|NOOPEN|SYMBOLIC' <<<"$dynamic" | head -n 1) in its dynamic section"
  LC_ALL=C readelf --dyn-syms -W "$dir/$1.so.1" |
    awk '$4 == "OBJECT" && $7 != "UND" && $6 != "DEFAULT" { print $NF }' >"$work/hidden"
  [ -s "$work/hidden" ] && fail "$1: a program cannot have copies of $(tr '\n' ' ' <"$work/hidden")"
}

# compare_with_installed LIBRARY: tells nothing if that of the same version is not there.
compare_with_installed() {
  local file
  file=$( (ldconfig -p || /sbin/ldconfig -p) 2>/dev/null | awk -v name="$1.so.1" '$1 == name { print $NF; exit }')
  [ -n "$file" ] || return
  file=$(realpath "$file")
  case ${file##*/} in
    libgc.so.1.5.1 | lib*.so.1.5.0) ;;
    *) echo "not compared: ${file##*/} is of another version"; return ;;
  esac
  [ "${file%/*}" = "$dir" ] && return
  exported "$file" >"$work/$1.installed"
  lacks "$1 and the installed one" "$work/$1.installed" "$work/$1.found"
  echo "compared: $file"
}

# A program that is not position independent has copies of the data that it names.
check_copies() {
  local headers=${srcdir:-$here/../..}/include/cgc-boehm
  "${CC:-cc}" -no-pie -fno-pic -Wno-deprecated-declarations -I"$headers" "$here/abi_copies.c" -L"$dir" -l:libgc.so.1 -o "$work/copies" ||
    { fail "abi_copies.c does not build"; return; }
  LC_ALL=C readelf -rW "$work/copies" | grep -q R_X86_64_COPY || fail "the program has no copies of data"
  LD_LIBRARY_PATH=$dir "$work/copies" || fail "variables that a program has copies of"
}

for library in $libraries; do
  [ -r "$dir/$library.so.1" ] || { fail "no $library.so.1 in $dir"; continue; }
  exported "$dir/$library.so.1" >"$work/$library.found"
  wanted "$library" >"$work/$library.wanted"
  [ -s "$work/$library.wanted" ] || fail "abi.txt has nothing of $library"
  lacks "$library" "$work/$library.wanted" "$work/$library.found"
  check_foreign "$library"
  check_dynamic "$library"
  compare_with_installed "$library"
done
[ -r "$dir/libgc.so.1" ] && check_copies
exit $failed
