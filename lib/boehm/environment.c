/* SPDX-License-Identifier: MIT */
#include "boehm/environment.h"

#include "base/options.h"
#include "base/platform.h"
#include "boehm/messages.h"
#include "boehm/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>

/* Clients of bdwgc leave all to the collector: a small heap is one with little garbage. */
#define HEAP_BYTES_MIN (4 * MIB)

/* As it is now: programs set variables before they start the library (w3m does). */
static const char *
value_of(const char *name) {
  return platform_is_secure() ? NULL : getenv(name);
}

/* A number, with a suffix of k, M or G if it is bytes; false if it is none. */
static bool
read_number(const char *name, bool is_bytes, uint64_t *number) {
  const char *text = value_of(name);
  char *end;
  if (!text || *text < '0' || *text > '9')
    return false;
  errno = 0;
  uint64_t value = strtoull(text, &end, 10);
  unsigned shift = 0;
  if (is_bytes && *end)
    switch (*end++) {
      case 'k': case 'K': shift = 10; break;
      case 'm': case 'M': shift = 20; break;
      case 'g': case 'G': shift = 30; break;
      default: return false;
    }
  bool fits = !errno && !*end && value <= UINT64_MAX >> shift;
  *number = value << shift;
  return fits;
}

static bool
is_set(const char *name) {
  const char *text = value_of(name);
  return text && !(text[0] == '0' && !text[1]);
}

static void
read_log_file(void) {
  const char *path = value_of("GC_LOG_FILE");
  if (!path)
    return;
  int fd = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
  if (fd >= 0)
    settings.log_fd = fd;
  else
    messages_warn("GC_LOG_FILE cannot be opened: errno %lu", (uintptr_t)errno);
}

void
environment_read(void) {
  uint64_t number;
  if (is_set("GC_PRINT_STATS") || is_set("GC_PRINT_VERBOSE_STATS"))
    options_preset(OPTION_TRACE, is_set("GC_PRINT_VERBOSE_STATS") ? 2 : 1);
  if (read_number("GC_MARKERS", false, &number) && number)
    options_preset(OPTION_MARKERS, number < 64 ? number : 64);
  bool is_given = read_number("GC_INITIAL_HEAP_SIZE", true, &number) && number > HEAP_BYTES_MIN;
  options_preset(OPTION_MIN_HEAP, is_given ? min_u64(number, HULL_HEAP_BYTES) : HEAP_BYTES_MIN);
  if (is_set("GC_FIND_LEAK"))
    GC_find_leak = 1;
  if (is_set("GC_ALL_INTERIOR_POINTERS"))
    GC_all_interior_pointers = 1;
  if (is_set("GC_DONT_GC"))
    GC_disable();
  read_log_file();
}

void
environment_apply(void) {
  uint64_t number;
  if (read_number("GC_MAXIMUM_HEAP_SIZE", true, &number) && number)
    GC_set_max_heap_size(number);
  if (read_number("GC_FREE_SPACE_DIVISOR", false, &number) && number)
    GC_set_free_space_divisor(number);
  if (is_set("GC_FORCE_UNMAP_ON_GCOLLECT"))
    GC_set_force_unmap_on_gcollect(1);
}
