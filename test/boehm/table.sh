# SPDX-License-Identifier: MIT
# The rows of programs.sh, in the order in which they run, and the commands each needs.
# shellcheck shell=bash disable=SC2034
table='w3m w3m awk
guile_data guile
guile_weak guile
guile_threads guile
guile_compile guile awk
lilypond lilypond awk
ecl_data ecl
ecl_threads ecl
ecl_compile ecl gcc
asy asy gs
neko neko nekoc
crystal crystal gcc
poke poke
inkscape inkscape awk'
