/* SPDX-License-Identifier: MIT */
#include "base/fatal.h"

#include "base/log.h"
#include "base/platform.h"
#include "base/text.h"

void
fatal(const char *what, const char *file, int line) {
  char buffer[320];
  struct text text = text_in(buffer, sizeof buffer);
  text_add(&text, "cgc: fatal: ");
  text_add(&text, what);
  text_add(&text, " at ");
  text_add(&text, file);
  text_add(&text, ":");
  text_add_u64(&text, (uint64_t)line);
  text_add(&text, "\n");
  log_write(&text);
  platform_die_of(SIGABRT);
}
