/* SPDX-License-Identifier: MIT */
#include "boehm/messages.h"

#include "base/atom.h"
#include "base/platform.h"
#include "base/quiet_write.h"
#include "boehm/settings.h"

#include <gc/gc.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- printing ---- */

/* Through no stream: it may be called while the program holds the locks of those. */
static void
print_to(int fd, const char *format, va_list arguments) {
  char text[1024];
  int bytes = vsnprintf(text, sizeof text, format, arguments);
  if (bytes > 0)
    quiet_write(fd, text, min_u64((uint64_t)bytes, sizeof text - 1));
}

void
GC_printf(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print_to(STDOUT_FILENO, format, arguments);
  va_end(arguments);
}

void
GC_err_printf(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print_to(STDERR_FILENO, format, arguments);
  va_end(arguments);
}

void
GC_log_printf(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print_to(settings.log_fd, format, arguments);
  va_end(arguments);
}

/* ---- warnings ---- */

void
messages_warn(const char *format, uintptr_t word) {
  char line[256];
  snprintf(line, sizeof line, "GC Warning: %s\n", format);
  settings.warn(line, word);
}

void
settings_default_warn(char *format, GC_word word) {
  char line[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  int bytes = snprintf(line, sizeof line, format, word);
#pragma GCC diagnostic pop
  if (bytes > 0)
    quiet_write(settings.log_fd, line, min_u64((uint64_t)bytes, sizeof line - 1));
}

void
GC_ignore_warn_proc(char *format, GC_word word) {
  (void)format, (void)word;
}

void *
messages_no_memory(size_t bytes) {
  messages_warn("Out of Memory! %lu bytes are not to be had: NULL is returned", bytes);
  return NULL;
}

/* ---- the end ---- */

void
settings_default_abort(const char *text) {
  if (text)
    GC_err_printf("%s\n", text);
}

/* Programs that replace it get the message there. */
CGC_EXPORT GC_abort_func GC_on_abort = settings_default_abort;

void
messages_abort(const char *text) {
  GC_on_abort(text);
  abort();
}

void
GC_abort_on_oom(void) {
  GC_err_printf("Insufficient memory for the allocation\n");
  messages_abort(NULL);
}

/* ---- in stops ---- */

static uintptr_t noted_addr;
static atom_word noted_count;

void
messages_note_cycle_stw(uintptr_t addr) {
  noted_addr = addr;
  atom_add_full(&noted_count, 1);
}

void
messages_warn_of_cycles(void) {
  if (atom_load_rlx(&noted_count) && atom_swap_full(&noted_count, 0))
    messages_warn("Finalization cycle involving %#lx", noted_addr);
}
