#!/bin/bash
# SPDX-License-Identifier: MIT
# Run one row of the table: rows.sh NAME ENVFILE OUT
#
# programs.sh starts this in an empty directory with a clean environment.  ENVFILE defines the array penv: what env(1) adds
# to the environment of a client of libgc.so.1.  Wall times, exit statuses and peak RSS go to OUT.time, OUT.status, OUT.rss.
#
# Whatever a function prints is compared, so none may print a time, a process id, an address, or the order of anything
# unordered.  P is for clients of libgc.so.1 only: each must have loaded the library that is asked for.

# shellcheck disable=SC2154,SC2317  # penv is in ENVFILE; functions are called by name
set -u
name=$1 envfile=$2 out=$3
here=$(cd "$(dirname "$0")" && pwd)/in
# shellcheck source=/dev/null
. "$envfile"
rss=()
if [ -x /usr/bin/time ]; then
  rss=(/usr/bin/time -q -a -o "$out.rss" -f %M)
fi

# Run a client, with its time, exit status and RSS.
P() {
  local t0=$EPOCHREALTIME t1 rc
  "${rss[@]}" env "${penv[@]}" "$@"
  rc=$?
  t1=$EPOCHREALTIME
  echo $((${t1/./} - ${t0/./})) >>"$out.time"
  echo "$rc ${1##*/}" >>"$out.status"
  return $rc
}

sum() { # FILE...: their checksums, without directories
  local f
  for f; do
    printf '%s  %s\n' "$(sha256sum <"$f" | cut -d' ' -f1)" "${f##*/}"
  done
}

p_w3m() {
  local kind
  for kind in tables:150 forms:1500 lists:600 entities:1500; do
    awk -v kind="${kind%:*}" -v count="${kind#*:}" -f "$here/pages.awk" >"${kind%:*}.html"
    P w3m -dump -cols 100 -I UTF-8 -O UTF-8 -T text/html "${kind%:*}.html" >"${kind%:*}.out"
    sum "${kind%:*}.out"
  done
  P w3m -dump_source tables.html | cmp - tables.html && echo same
  head -n 40 entities.out
}

guile=(guile --no-auto-compile -q)
p_guile_data() { P "${guile[@]}" -s "$here/data.scm"; }
p_guile_weak() { for _ in 1 2 3 4 5; do P "${guile[@]}" -s "$here/weak.scm"; done; }
p_guile_threads() { for _ in 1 2 3; do P "${guile[@]}" -s "$here/threads.scm"; done; }

# The compiler's output does not depend on addresses, so the files are the same.
p_guile_compile() {
  local file
  awk -v count=12 -f "$here/module.awk" >big.scm
  cp "$here/data.scm" "$here/weak.scm" "$here/threads.scm" .
  for file in big data weak threads; do
    P "${guile[@]}" -s "$here/compile.scm" $file.scm $file.go
    sum $file.go
  done
  P "${guile[@]}" -c '(load-compiled "big.go") (write ((@ (big) run)))'
  for file in data weak threads; do
    P "${guile[@]}" -c "(load-compiled \"$file.go\")"
  done
}

p_lilypond() {
  awk -v bars=40 -f "$here/score.awk" >score.ly
  P lilypond --ps -s -o score score.ly
  sum score.ps score.midi
}

p_ecl_data() { P ecl --norc --eval "(load \"$here/data.lisp\" :verbose nil)" --eval '(work 30)' --eval '(ext:quit 0)'; }
p_ecl_threads() {
  for _ in 1 2 3 4 5; do
    P ecl --norc --eval "(load \"$here/threads.lisp\" :verbose nil)" --eval '(work-threads)' --eval '(ext:quit 0)'
  done
}
p_ecl_compile() {
  cp "$here/data.lisp" "$here/threads.lisp" .
  P ecl --norc --eval '(setf *compile-verbose* nil)' --eval '(mapc (function compile-file) (list "data" "threads"))' \
    --eval '(mapc (function load) (list "data.fas" "threads.fas"))' --eval '(work 40)' --eval '(work-threads)' \
    --eval '(ext:quit 0)'
}

p_asy() {
  local format
  for format in eps pdf; do
    P asy -noV -f $format -o "out.$format" "$here/drawing.asy"
  done
  sed '/^%%CreationDate/d' out.eps | sha256sum
  gs -q -dBATCH -dNOPAUSE -sDEVICE=pnggray -r40 -sOutputFile=out.png out.pdf
  sum out.png
}

p_neko() {
  cp "$here/work.neko" .
  P nekoc work.neko
  sum work.n
  for _ in 1 2 3; do P neko work.n; done
}

p_crystal() {
  cp "$here/work.cr" .
  CRYSTAL_CACHE_DIR=$PWD/cache P crystal build --no-color work.cr -o work
  for _ in 1 2 3; do P ./work; done
}

p_poke() { for _ in 1 2 3; do P poke -q -L "$here/work.pk"; done; }

# It warns of what a machine without a display lacks, with the time.
p_inkscape() {
  export NO_AT_BRIDGE=1 GSETTINGS_BACKEND=memory
  awk -v count=1500 -f "$here/drawing.awk" >drawing.svg
  P inkscape --export-type=png --export-filename=out.png drawing.svg 2>/dev/null
  P inkscape --actions='select-all;object-to-path;export-plain-svg;export-filename:out.svg;export-do' drawing.svg 2>/dev/null
  sum out.png out.svg
}

"p_$name"
