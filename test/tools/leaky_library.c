/* SPDX-License-Identifier: MIT */
#include "leaky.h"
#include "recorder.h"

static __attribute__((noinline)) void
in_library(void) {
  recorder_leak("direct", 30);
  __asm__ volatile("");
}

void
leaky_library(void) {
  in_library();
  __asm__ volatile("");
}
