#!/bin/sh
# SPDX-License-Identifier: MIT
# The check at the end of a process, however it ends, and in each of several processes.
. "$srcdir/test/leak/leak.sh"
leaker=$top_builddir/test/leak/leaker

# ---- one process ----

leaks_by() { # REASON
  printf 'process\ndirect leak_a malloc 1 100\ncheck %s leaked 1 100 last\n' "$1"
}

for case in end_by_exit:exit end_by_return:exit end_in_thread:exit end_by_pthread_exit:exit end_by__exit:_exit \
            end_by__Exit:_exit end_by_quick_exit:quick_exit end_by_own_handler:_exit; do
  { leaks_by "${case#*:}"; echo end 23; } | check 23 '' "$leaker" "${case%:*}"
  { leaks_by "${case#*:}"; echo end 7; } | check 7 exit-code=7 "$leaker" "${case%:*}"
done

# The status that the program has given; in quick_exit it is not known.
for case in end_by_exit:exit:3 end_by_return:exit:0 end_in_thread:exit:3 end_by_pthread_exit:exit:0 \
            end_by__exit:_exit:3 end_by__Exit:_exit:3; do
  reason=${case#*:}
  { leaks_by "${reason%:*}"; echo "end ${case##*:}"; } | check "${case##*:}" exit-code=0 "$leaker" "${case%%:*}"
done
{ leaks_by quick_exit; echo end 0; } | check 3 exit-code=0 "$leaker" end_by_quick_exit

check 0 '' "$leaker" end_without_leaks <<END
process
check exit leaked 0 0 last
end 0
END

# ---- death ----

expect_silence() { :; }   # the shell tells of signals

leaks_by signal | check 143 leak-death=1 "$leaker" end_by_term
echo process | check 143 '' "$leaker" end_by_term
echo process | check 134 leak-death=1 "$leaker" end_by_abort
{ leaks_by _exit; echo end 23; } | check 23 leak-death=1 "$leaker" end_by_own_handler

# ---- several processes ----

check 23 '' "$leaker" exec_after_leak <<END
process
exec leaker
$(leaks_by exit)
end 23
END

check 23 '' "$leaker" exec_that_fails <<END
process
exec file
direct leak_a malloc 1 100
check exit leaked 1 100 last
end 23
END

check 0 '' "$leaker" fork_leaks_in_child <<END
process
check exit leaked 0 0 last
end 0
process forked
direct leak_b malloc 1 200
check exit leaked 1 200 last
end 23
END

check 23 '' "$leaker" fork_leaks_in_both <<END
process
direct leak_a malloc 1 100
check exit leaked 1 100 last
end 23
process forked
direct leak_a malloc 1 100
direct leak_b malloc 1 200
check exit leaked 2 300 last
end 23
END

check 0 '' "$leaker" fork_and_exec <<END
process
check exit leaked 0 0 last
end 0
process forked
exec leaker
$(leaks_by exit)
end 23
END

# A vfork child is no process of its own until it execs.
check 23 '' "$leaker" vfork_and_exec <<END
process
direct leak_b malloc 1 200
check exit leaked 1 200 last
end 23
$(leaks_by exit)
end 23
END

check 23 '' "$leaker" vfork_and__exit <<END
process
direct leak_b malloc 1 200
check exit leaked 1 200 last
end 23
END

check 0 '' "$leaker" daemon_leaks <<END
process
check _exit leaked 0 0 last
end 0
process forked
check _exit leaked 0 0 last
end 0
process forked
direct leak_b malloc 1 200
check exit leaked 1 200 last
end 23
END

# ---- what the program does after main is before the check ----

for case in freed_at_exit:exit freed_by_destructor:exit freed_at_quick_exit:quick_exit; do
  printf 'process\ncheck %s leaked 0 0 last\nend 0\n' "${case#*:}" | check 0 '' "$leaker" "${case%:*}"
done

check 23 '' "$leaker" leaked_at_exit <<END
process
direct leak_b malloc 1 200
check exit leaked 1 200 last
end 23
END

finish
