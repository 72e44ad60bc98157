#!/bin/sh
# SPDX-License-Identifier: MIT
# Leaks of libraries that are closed before the check, one loaded where another one was: stacks name the right one.
. "$srcdir/test/leak/leak.sh"

build() { # NAME FLAGS...
  name=$1
  shift
  $CC -O1 -fPIC -shared -fno-builtin -Wl,--build-id "-DLEAK=leak_of_$name" "$@" "$srcdir/test/leak/lib_leaky.c" \
    -o "$dir/lib_$name.so" && return
  fail "lib_$name.so is not built"
  finish
}

build first
build other
build third -fno-omit-frame-pointer

calls=
for name in first other first third other; do
  calls="$calls $dir/lib_$name.so leak_of_$name"
done
# The names are several words.
check 23 '' "$top_builddir/test/leak/unloaded" $calls <<END
process
direct leak_of_first malloc 3 1800
direct leak_of_first malloc 3 600
direct leak_of_other malloc 3 1200
direct leak_of_other malloc 3 3000
direct leak_of_third malloc 3 2400
check exit leaked 15 9000 last
end 23
END

grep -h '"type":"module"' "$dir"/records/* | grep '/lib_[a-z]*\.so"' >"$dir/modules"
[ "$(wc -l <"$dir/modules")" -eq 5 ] || fail "not five modules for five times that a library was loaded"
! grep -v '"unloaded":true' "$dir/modules" || fail "a module is told as still loaded"
places=$(sed 's/.*"start":"\([^"]*\)".*/\1/' "$dir/modules" | sort -u | wc -l)
[ "$places" -lt 5 ] || echo "The loader has used no address twice: the test says little."

# Without a build id, too: then stacks are told apart by the module's number alone.
for name in first other; do
  build $name -Wl,--build-id=none
done
check 23 '' "$top_builddir/test/leak/unloaded" "$dir/lib_first.so" leak_of_first "$dir/lib_other.so" leak_of_other <<END
process
direct leak_of_first malloc 3 600
direct leak_of_other malloc 3 1200
check exit leaked 6 1800 last
end 23
END
finish
