/* SPDX-License-Identifier: MIT */
/* A library that keeps a pointer of the program in its initialised and in its zeroed data. */
#include <stddef.h>

static int dummy;
static void *volatile in_data = &dummy;
static void *volatile in_bss;

void
hz_data_set(void *p) {
  in_data = p;
}

void *
hz_data_get(void) {
  return in_data;
}

void
hz_bss_set(void *p) {
  in_bss = p;
}

void *
hz_bss_get(void) {
  return in_bss;
}
