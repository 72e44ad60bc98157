#!/bin/sh
# SPDX-License-Identifier: MIT
# Kinds of leaks, their sizes, and how much of their stacks is kept.
. "$srcdir/test/leak/leak.sh"
leaker=$top_builddir/test/leak/leaker

check 0 '' "$leaker" reachable <<END
process
check exit leaked 0 0 last
end 0
END

check 0 '' "$leaker" possible <<END
process
possible leak_possible malloc 1 150
check exit leaked 0 0 last
end 0
END

check 0 '' "$leaker" doubtful <<END
process
doubtful leak_doubtful malloc 1 256
check exit leaked 0 0 last
end 0
END

check 0 '' "$leaker" behind_doubtful <<END
process
doubtful leak_behind_doubtful malloc 1 256
doubtful leak_behind_doubtful malloc 1 90
check exit leaked 0 0 last
end 0
END

check 23 '' "$leaker" between <<END
process
direct leak_between malloc 100 25600
check exit leaked 100 25600 last
end 23
END

check 23 '' "$leaker" tree <<END
process
direct leak_node malloc 1 56 reach 5 232
indirect leak_inner malloc 1 40
indirect leak_inner malloc 1 40
indirect leak_inner malloc 1 40
indirect leak_node malloc 1 56
check exit leaked 5 232 last
end 23
END

check 23 '' "$leaker" cycle <<END
process
direct leak_oldest malloc 1 72 cycle reach 4 288
indirect leak_inner malloc 1 40
indirect leak_middle malloc 1 88
indirect leak_middle malloc 1 88
check exit leaked 4 288 last
end 23
END

check 23 '' "$leaker" shared <<END
process
direct leak_node malloc 1 56
direct leak_node malloc 1 56 reach 2 96
indirect leak_inner malloc 1 40
check exit leaked 3 152 last
end 23
END

# What hangs off what.
run '' "$leaker" owned
$record -o "$dir"/records/* | sort >"$dir/got"
diff - "$dir/got" <<END || fail "owned"
leak_inner malloc 1 40: leak_owner_a
leak_inner malloc 1 40: leak_owner_a leak_owner_b
leak_inner malloc 1 40: leak_owner_b
END

# As requested; pvalloc requests whole pages.
check 23 '' "$leaker" sizes <<END
process
direct leak_sizes aligned_alloc 1 5000
direct leak_sizes calloc 1 300003
direct leak_sizes calloc 1 77
direct leak_sizes malloc 1 0
direct leak_sizes malloc 1 1
direct leak_sizes malloc 1 100000
direct leak_sizes malloc 1 3145728
direct leak_sizes malloc 1 33
direct leak_sizes memalign 1 130
direct leak_sizes posix_memalign 1 70
direct leak_sizes pvalloc 1 4096
direct leak_sizes reallocarray 1 65
direct leak_sizes valloc 1 10
check exit leaked 13 3555213 last
end 23
END

check 23 '' "$leaker" resized <<END
process
direct leak_resized realloc 1 1000
direct leak_resized realloc 1 115
direct leak_resized realloc 1 120
direct leak_resized realloc 1 20
direct leak_resized realloc 1 200000
direct leak_resized realloc 1 300000
direct leak_resized realloc 1 60
direct leak_resized reallocarray 1 81
check exit leaked 8 501396 last
end 23
END

check 23 '' "$leaker" after_large <<END
process
direct leak_small malloc 1000 250000
check exit leaked 1000 250000 last
end 23
END

# ---- depth ----

# 51 frames of leak_deep, and what leads there: the innermost are kept.
for depth in 10 20 50 512; do
  run "depth=$depth" "$leaker" deep
  $record -t leak_deep "$dir"/records/* >"$dir/got"
  case $depth:$(cat "$dir/got") in
    10:10:cut | 20:20:cut | 50:50:cut | 512:51:whole) ;;
    *) fail "depth=$depth: $(cat "$dir/got") of 51 frames of leak_deep" ;;
  esac
done

# ---- ages ----

# Of two blocks with 2.2 s between them, though a thread reads the clock only now and then.
run '' "$leaker" later
sed -n 's/.*"type":"leak".*"first":{[^}]*"age_ms":\([0-9]*\)}.*/\1/p' "$dir"/records/* | sort -n >"$dir/ages"
{ read -r younger; read -r older; } <"$dir/ages"
[ $((older - younger)) -ge 2000 ] || fail "later: ages of $older and $younger ms"

finish
