/* SPDX-License-Identifier: MIT */
#include "front/bad_free.h"

#include "base/log.h"
#include "base/options.h"
#include "base/platform.h"

#include <dlfcn.h>
#include <link.h>

/* glibc 2.35; lock-free, unlike dladdr. */
extern int _dl_find_object(void *address, struct dl_find_object *result) __attribute__((weak));

static void
add_caller(struct text *line, const void *caller) {
  struct dl_find_object found;
  text_add(line, " from ");
  text_add_hex(line, (uintptr_t)caller);
  if (!_dl_find_object || _dl_find_object((void *)caller, &found) || !found.dlfo_link_map)
    return;
  const char *name = found.dlfo_link_map->l_name;
  text_add(line, " (");
  text_add(line, name && *name ? name : "program");
  text_add(line, "+");
  text_add_hex(line, (uintptr_t)caller - found.dlfo_link_map->l_addr);
  text_add(line, ")");
}

static void
finish(struct text *line, const void *caller) {
  add_caller(line, caller);
  line->length_bytes = min_u64(line->length_bytes, line->capacity_bytes - 1);
  text_add(line, "\n");
  log_write(line);
  if (option(OPTION_ABORT_ON_BAD_FREE))
    platform_die_of(SIGABRT);
}

static const char *
describe(enum free_verdict verdict) {
  switch (verdict) {
    case FREE_VERDICT_DOUBLE:   return "a block that is free already";
    case FREE_VERDICT_INTERIOR: return "a pointer into a block, not to its start";
    case FREE_VERDICT_NO_BLOCK: return "an address in the heap where no block is";
    default:                    return "a pointer that no allocator gave out";
  }
}

static void
begin(struct text *line, const char *function, const void *block) {
  text_add(line, "cgc: ");
  text_add(line, function);
  text_add(line, " of ");
  text_add_hex(line, (uintptr_t)block);
  text_add(line, ", ");
}

void
bad_free_report(const char *function, const void *block, enum free_verdict verdict, const void *caller) {
  char buffer[400];
  struct text line = text_in(buffer, sizeof buffer);
  begin(&line, function, block);
  text_add(&line, describe(verdict));
  text_add(&line, ", ignored; called");
  finish(&line, caller);
}

void
bad_free_report_size(const char *function, const void *block, size_t bytes, size_t block_bytes, const void *caller) {
  char buffer[400];
  struct text line = text_in(buffer, sizeof buffer);
  begin(&line, function, block);
  text_add(&line, "whose size is told as ");
  text_add_u64(&line, bytes);
  text_add(&line, " but which has ");
  text_add_u64(&line, block_bytes);
  text_add(&line, " bytes, freed; called");
  finish(&line, caller);
}
