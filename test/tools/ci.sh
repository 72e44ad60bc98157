#!/bin/sh
# SPDX-License-Identifier: MIT
# What doc/ci.md tells: CTest, Meson, and the script of the action for GitHub.
# shellcheck source=test/tools/tools_common.sh
. "$srcdir/test/tools/tools_common.sh"
build_program
ci=$srcdir/tools/ci
PATH=$(cd "$top_builddir" && pwd):$PATH
CGC_LIBRARY=$dir/libcgc.so
export PATH CGC_LIBRARY
unset CGC CGC_LEAKS_OPTIONS
missing=''

# ---- CTest ----

try_ctest() {
  mkdir ctest
  cat >ctest/CMakeLists.txt <<EOF
cmake_minimum_required(VERSION 3.16)
project(demo C)
set(MEMORYCHECK_TYPE LeakSanitizer CACHE STRING "")
include(CTest)
link_directories($dir)
add_executable(demo $sources/leaky.c)
target_link_libraries(demo leaky)
target_include_directories(demo PRIVATE $sources)
add_test(NAME good COMMAND demo)
add_test(NAME bad COMMAND demo plain inlined)
EOF
  { cmake -S ctest -B ctest/build -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_CROSSCOMPILING_EMULATOR=$ci/ctest-launcher" \
    "-DCMAKE_TEST_LAUNCHER=$ci/ctest-launcher" >out 2>err && cmake --build ctest/build >>out 2>&1; } || fail "cmake"
  (cd ctest/build && ctest) >out 2>err
  expect_match "CTest, no leak" out ".*good \.* *Passed .*"
  expect_match "CTest, leaks" out ".*bad \.*\*\*\*Failed .*"
  (cd ctest/build && ctest -T memcheck) >out 2>err
  expect_match "memory check" out "Direct leak - 2"
  expect_not "memory check" out "Cannot find memory tester output"
  grep -q '<Defect type="Direct leak">2</Defect>' ctest/build/Testing/*/DynamicAnalysis.xml || fail "CDash's XML"
  (cd ctest/build && CGC_LEAKS_OPTIONS='--min-bytes 1000' ctest) >out 2>err || fail "CGC_LEAKS_OPTIONS"
}

# ---- Meson ----

try_meson() {
  mkdir meson
  cp "$sources/leaky.c" "$sources/leaky.h" "$sources/recorder.h" "$sources/leaky_library.c" meson
  cat >meson/meson.build <<'EOF'
project('demo', 'c')
demo = executable('demo', 'leaky.c', 'leaky_library.c', c_args: '-D_GNU_SOURCE')
test('good', demo)
test('bad', demo, args: ['plain'])
cgc = find_program('cgc', required: false)
if cgc.found()
  add_test_setup('leaks', exe_wrapper: [cgc, 'leaks', '--'], timeout_multiplier: 3)
endif
EOF
  { meson setup meson/build meson >out 2>err && meson compile -C meson/build >>out 2>&1; } || fail "meson"
  meson test -C meson/build --wrap='cgc leaks --' >out 2>err
  expect_match "meson --wrap" out "[12]/2 good *OK .*"
  expect_match "meson --wrap" out "[12]/2 bad *FAIL .*exit status 23"
  meson test -C meson/build --setup leaks >out 2>err
  expect_match "meson --setup" out "[12]/2 good *OK .*"
  expect_match "meson --setup" out "[12]/2 bad *FAIL .*exit status 23"
}

# ---- the action ----

# As the runner of GitHub would run its step.
action() { # COMMAND OPTIONS
  : >github-output
  CGC_ACTION_COMMAND=$1 CGC_ACTION_OPTIONS=$2 CGC_ACTION_PROGRAM=cgc CGC_ACTION_SARIF=leaks.sarif \
    GITHUB_OUTPUT=$dir/github-output bash --noprofile --norc -eo pipefail action-script >out 2>err
  status=$?
}

try_action() {
  "$python" -c "
import yaml
step = yaml.safe_load(open('$ci/github/action.yml'))['runs']['steps'][0]
open('action-script', 'w').write(step['run'])" || fail "the action cannot be read"
  action "./leaky plain 'two words'" "--min-bytes '10'"
  expect_status action 23
  expect_match action out "::error .*title=Direct leak::.*"
  expect_in action err "Direct leak of 20 byte(s) in 1 object(s) allocated from:"
  expect_in action github-output "status=23"
  expect_in action github-output "sarif=$dir/leaks.sarif"
  [ -s leaks.sarif ] || fail "action: no SARIF"
  action "sh -c './leaky plain; exit 0'" "--only './*'"
  expect_status "--only of the action" 23
  expect_not "--only of the action" err "not checked"
  action "./leaky plain" "--min-bytes 1000"
  expect_status "options of the action" 0
  expect_in "options of the action" github-output "status=0"
}

find_python yaml
if [ -n "$python" ]; then try_action; else missing="$missing Python's yaml,"; fi
if command -v cmake >/dev/null; then try_ctest; else missing="$missing cmake,"; fi
if command -v meson >/dev/null && command -v ninja >/dev/null; then try_meson; else missing="$missing meson and ninja,"; fi
[ -z "$missing" ] || missing "${missing%,}"
exit $failed
