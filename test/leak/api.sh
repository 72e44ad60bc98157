#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks on demand, and exceptions: cgc.h's functions, LeakSanitizer's, and the signal.
. "$srcdir/test/leak/leak.sh"
leaker=$top_builddir/test/leak/leaker
hooks=$top_builddir/test/leak/hooks

expect_output() { # TEXT
  [ "$(cat "$dir/out")" = "$1" ] || fail "$command: the output is \"$(cat "$dir/out")\", not \"$1\""
}

check 23 '' "$leaker" api_check <<END
process
check request leaked 0 0
direct leak_a malloc 1 100
check request leaked 1 100
direct leak_a malloc 1 100
direct leak_b malloc 1 200
check request leaked 2 300
direct leak_a malloc 1 100
direct leak_b malloc 1 200
check exit leaked 2 300 last
end 23
END
expect_output "0
1
2 0"

check 23 '' "$leaker" api_ignore <<END
process
direct leak_a malloc 1 100
check exit leaked 1 100 ignored 2 72 last
end 23
END
expect_output "0 22 22 22"

check 23 '' "$leaker" api_disable <<END
process
direct leak_b malloc 1 200
check exit leaked 1 200 ignored 3 300 last
end 23
END

check 23 '' "$leaker" api_disable_here <<END
process
direct leak_b malloc 1 200
check exit leaked 1 200 ignored 1 100 last
end 23
END

# ---- LeakSanitizer's functions ----

check 23 '' "$leaker" lsan <<END
process
check request leaked 0 0 ignored 2 110
direct leak_b malloc 1 200
check request leaked 1 200 ignored 2 110
direct leak_b malloc 1 200
check exit leaked 1 200 ignored 2 110 last
end 23
END
expect_output "0
1"

check 23 '' "$leaker" lsan_region <<END
process
check request leaked 0 0
direct keep_in_region malloc 1 60
check request leaked 1 60
direct keep_in_region malloc 1 60
check exit leaked 1 60 last
end 23
END
expect_output "0
1"

check 23 '' "$leaker" lsan_check_for_good <<END
process
direct leak_a malloc 1 100
check request leaked 1 100 last
end 23
END
expect_output ""

check 0 '' "$leaker" lsan_check_without_leaks <<END
process
check request leaked 0 0 last
end 0
END
expect_output reached

# ---- what the program answers ----

check 23 '' "$hooks" suppressions <<END
process
suppressions 'leak:some_function\\n# "none"\\nleak:libother.so\\n'
direct leak_one malloc 1 100
check exit leaked 1 100 last
end 23
END

check 0 '' "$hooks" turned_off <<END
process
end 0
END

# ---- a signal ----

signals="process
direct leak_a malloc 1 100
check signal leaked 1 100
direct leak_a malloc 1 100
direct leak_b malloc 1 200
check signal leaked 2 300
direct leak_a malloc 1 100
direct leak_b malloc 1 200
check exit leaked 2 300 last
end 23"
echo "$signals" | check 23 leak-signal=12 "$leaker" signals

expect_silence() { :; }   # the shell tells of signals
echo process | check 140 '' "$leaker" signals

finish
