/* SPDX-License-Identifier: MIT */
/*
 * Patterns and character sets of fontconfig, made while other threads allocate and leave what they allocate: they must
 * hold afterwards what was put into them.  The library is loaded when that goes on already, and need not be there.
 */
#include "garbage.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERNS = 1000, CHARACTERS = 40, SKIP = 77 };

static struct {
  void *(*pattern_create)(void);
  int (*pattern_add_string)(void *pattern, const char *object, const unsigned char *string);
  int (*pattern_add_integer)(void *pattern, const char *object, int number);
  int (*pattern_add_charset)(void *pattern, const char *object, const void *charset);
  int (*pattern_get_string)(const void *pattern, const char *object, int index, unsigned char **string);
  int (*pattern_get_integer)(const void *pattern, const char *object, int index, int *number);
  int (*pattern_get_charset)(const void *pattern, const char *object, int index, void **charset);
  void *(*charset_create)(void);
  int (*charset_add_char)(void *charset, unsigned character);
  int (*charset_has_char)(const void *charset, unsigned character);
  unsigned (*charset_count)(const void *charset);
  void (*charset_destroy)(void *charset);
} fc;

static void *patterns[PATTERNS];

/* ---- the library ---- */

static void
find(void *library, const char *name, void *function) {
  void *found = dlsym(library, name);
  if (!found) {
    printf("FAIL: fontconfig has no %s\n", name);
    exit(1);
  }
  memcpy(function, &found, sizeof found);
}

static int
load(void) {
  void *library = dlopen("libfontconfig.so.1", RTLD_NOW);
  if (!library)
    return 0;
  find(library, "FcPatternCreate", &fc.pattern_create);
  find(library, "FcPatternAddString", &fc.pattern_add_string);
  find(library, "FcPatternAddInteger", &fc.pattern_add_integer);
  find(library, "FcPatternAddCharSet", &fc.pattern_add_charset);
  find(library, "FcPatternGetString", &fc.pattern_get_string);
  find(library, "FcPatternGetInteger", &fc.pattern_get_integer);
  find(library, "FcPatternGetCharSet", &fc.pattern_get_charset);
  find(library, "FcCharSetCreate", &fc.charset_create);
  find(library, "FcCharSetAddChar", &fc.charset_add_char);
  find(library, "FcCharSetHasChar", &fc.charset_has_char);
  find(library, "FcCharSetCount", &fc.charset_count);
  find(library, "FcCharSetDestroy", &fc.charset_destroy);
  return 1;
}

/* ---- patterns ---- */

/* Of another page of characters each. */
static unsigned
character_of(int pattern, int index) {
  return 0x100u * (unsigned)(index * 7 + pattern % 5) + (unsigned)(pattern % 200) + 1;
}

/* The frames of this one are gone when the pattern is looked at. */
static __attribute__((noinline)) void
make(int i) {
  void *set = fc.charset_create();
  for (int k = 0; k < CHARACTERS; k++)
    fc.charset_add_char(set, character_of(i, k));
  patterns[i] = fc.pattern_create();
  fc.pattern_add_string(patterns[i], "family", (const unsigned char *)"Sans");
  fc.pattern_add_integer(patterns[i], "weight", i);
  fc.pattern_add_charset(patterns[i], "charset", set);
  fc.charset_destroy(set);
}

static int
is_whole(int i) {
  unsigned char *family = NULL;
  void *set = NULL;
  int weight = -1;
  if (fc.pattern_get_integer(patterns[i], "weight", 0, &weight) || weight != i ||
      fc.pattern_get_string(patterns[i], "family", 0, &family) || strcmp((char *)family, "Sans") != 0 ||
      fc.pattern_get_charset(patterns[i], "charset", 0, &set) || fc.charset_count(set) != CHARACTERS)
    return 0;
  for (int k = 0; k < CHARACTERS; k++)
    if (!fc.charset_has_char(set, character_of(i, k)))
      return 0;
  return 1;
}

int
main(void) {
  int bad = 0;
  garbage_begin();
  for (int i = 0; i < 20000; i++)
    leave_garbage();
  if (!load()) {
    puts("libfontconfig.so.1 is not installed");
    return SKIP;
  }
  for (int i = 0; i < PATTERNS; i++)
    make(i);
  for (int i = 0; i < 20000; i++)
    leave_garbage();
  for (int i = 0; i < PATTERNS; i++)
    bad += !is_whole(i);
  garbage_end();
  if (bad)
    printf("FAIL: %d of %d patterns have lost something\n", bad, PATTERNS);
  return bad != 0;
}
