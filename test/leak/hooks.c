/* SPDX-License-Identifier: MIT */
/*
 * Functions that LeakSanitizer, and a library in its place, looks for in the program.
 *
 * usage: hooks suppressions|turned_off
 */
#include "../hazards/hazard.h"

#define HOOK __attribute__((visibility("default")))

static bool is_off;

HOOK int __lsan_is_turned_off(void);
HOOK const char *__lsan_default_suppressions(void);

int
__lsan_is_turned_off(void) {
  return is_off;
}

const char *
__lsan_default_suppressions(void) {
  return "leak:some_function\n# \"none\"\nleak:libother.so\n";
}

static HZ_NOINLINE void
leak_one(void *arg) {
  (void)arg;
  memset(malloc(100), 0x99, 100);
}

int
main(int argc, char **argv) {
  is_off = argc == 2 && !strcmp(argv[1], "turned_off");
  run_hidden(leak_one, NULL);
  clear_stack();
  return 0;
}
