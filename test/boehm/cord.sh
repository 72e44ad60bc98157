#!/bin/sh
# SPDX-License-Identifier: MIT
# Cords: libcord.so.1 exports exactly what bdwgc's does and what its headers declare besides (CORD_oom_fn and ec.h), and
# the test program passes, with seeds that are always the same and one that is not.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

tr ' ' '\n' <<END | sort >"$dir/expected"
CORD__next CORD__pos_fetch CORD__prev CORD_balance CORD_cat CORD_cat_char CORD_cat_char_star CORD_catn CORD_chars
CORD_chr CORD_cmp CORD_dump CORD_ec_append_cord CORD_ec_flush_buf CORD_fetch CORD_fprintf CORD_from_char_star
CORD_from_file CORD_from_file_eager CORD_from_file_lazy CORD_from_fn CORD_iter CORD_iter5 CORD_len CORD_ncmp CORD_next
CORD_oom_fn CORD_pos_fetch CORD_pos_to_cord CORD_pos_to_index CORD_pos_valid CORD_prev CORD_printf CORD_put CORD_rchr
CORD_riter CORD_riter4 CORD_set_pos CORD_sprintf CORD_str CORD_substr CORD_to_char_star CORD_to_const_char_star
CORD_vfprintf CORD_vprintf CORD_vsprintf
END

# _end and its like are the linker's.
nm -D --defined-only "${top_builddir:?}/.libs/libcord.so.1" | awk '$3 !~ /^_/ { print $3 }' | sort >"$dir/exported"
diff "$dir/expected" "$dir/exported"

program=$top_builddir/test/boehm/cord
for seed in 1 2 3; do
  "$program" --seed $seed
done
"$program" --seed 4 --no-interior
"$program"
