# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the tests of the command-line tool share: a program with known leaks, and a stand-in for the library.
# shellcheck disable=SC2034
set -u
cgc=$top_builddir/cgc
sources=$srcdir/test/tools
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
TMPDIR=$dir/tmp
mkdir "$TMPDIR"
export TMPDIR
unset LSAN_OPTIONS CGC_SUPPRESSIONS CGC_LIBRARY DEBUGINFOD_URLS NO_COLOR
failed=0

build() { # OUTPUT ARGUMENT...
  output=$1
  shift
  $CC -D_GNU_SOURCE -g -O2 -Wl,--build-id -o "$output" "$@" || exit 1
}

build_program() { # the file with C++ is not in it
  build libcgc.so -fPIC -shared "$sources/recorder.c"
  build libleaky.so -fPIC -shared "$sources/leaky_library.c"
  build leaky "$sources/leaky.c" -L. -lleaky "-Wl,-rpath,$dir"
}

fail() {
  echo "FAIL: $*"
  sed 's/^/  stdout: /' out
  sed 's/^/  stderr: /' err
  failed=1
}

# What a program says is in out and err.
run() { # ARGUMENT...: of cgc
  timeout -k 5 60 "$cgc" "$@" >out 2>err </dev/null
  status=$?
}

# Runs the program with known leaks: leaks [OPTION...] -- WORD...
leaks() {
  options=''
  while [ "$1" != -- ]; do
    options="$options $1"
    shift
  done
  shift
  # shellcheck disable=SC2086
  run leaks --library ./libcgc.so $options -- ./leaky "$@"
}

# The record of a program with these leaks, in a directory of that name.
record() { # DIRECTORY WORD...
  kept=$1
  shift
  leaks --keep "$kept" -- "$@"
}

expect_status() { # WHAT STATUS
  [ $status -eq "$2" ] || fail "$1: status $status, not $2"
}

expect_in() { # WHAT FILE LINE: a whole line of it
  grep -qxF -e "$3" "$2" || fail "$1: no line \"$3\""
}

expect_match() { # WHAT FILE PATTERN: of a whole line
  grep -qx -e "$3" "$2" || fail "$1: no line like \"$3\""
}

expect_not() { # WHAT FILE PATTERN
  ! grep -q -e "$3" "$2" || fail "$1: a line like \"$3\""
}

# The line of a source file that ends with this comment.
line_of() { # FILE COMMENT
  grep -n "/\* $2 \*/\$" "$sources/$1" | cut -d: -f1
}

# The rest of a test cannot be made.
missing() { # WHAT
  echo "This test is MISSING from the run: it needs $1."
  [ $failed -eq 0 ] || exit 1
  exit 77
}

# The first Python that has a module, in python.
find_python() { # MODULE
  for python in python3 /usr/bin/python3; do
    "$python" -c "import $1" 2>/dev/null && return
  done
  python=''
}

# A record of many leaks of different sizes: the last stack again and again.
many_leaks() { # COUNT FILE
  grep -v '"type":"\(leak\|check\|end\)"' "$good" >"$2"
  awk -v count="$1" '/"type":"leak"/ { leak = $0 } /"type":"check"/ { check = $0 } /"type":"stack"/ { stack = $0 }
    END {
      for (i = 1; i <= count; i++) {
        line = stack; sub(/"id":[0-9]*/, "\"id\":" 1000 + i, line); sub(/\[\[/, "[[0," 4096 + i "],[", line); print line
        line = leak; sub(/"stack":[0-9]*/, "\"stack\":" 1000 + i, line); sub(/"bytes":[0-9]*/, "\"bytes\":" i, line); print line
      }
      print check
    }' "$good" >>"$2"
}
