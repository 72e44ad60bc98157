/* SPDX-License-Identifier: MIT */
#include "world/kernel_held.h"

#include "base/array.h"
#include "base/hull.h"
#include "base/platform.h"
#include "base/proc.h"
#include "world/held_signals.h"
#include "world/held_words.h"
#include "world/tasks.h"

#include <errno.h>
#include <string.h>

/* Owned by whoever holds the cycle lock. */
static struct array held;   /* uintptr_t */

/* Adds the hexadecimal word of each line in which find_digits finds one. */
static int
add_words_of_file(const char *path, const char *(*find_digits)(const char *line)) {
  struct line_reader reader;
  int err = line_reader_open(&reader, path);
  if (err)
    return err;
  for (char *line; !err && (line = line_reader_next(&reader));) {
    uintptr_t word = 0;
    const char *digits = find_digits(line);
    if (digits)
      proc_parse_hex(digits, &word);
    err = word && !array_add_word(&held, word) ? ENOMEM : 0;
  }
  line_reader_close(&reader);
  return err ? err : reader.err;
}

/* ---- io_uring ---- */

static const char ring_name[] = "anon_inode:[io_uring]";

/* The user data of requests and completions are among the words of a ring's mappings; the program alone unmaps them.
 * Other words of it are sizes, flags and addresses of buffers. */
static int
add_words_of_ring(const struct mapping *ring) {
  for (const uintptr_t *at = (const uintptr_t *)ring->start_addr; at < (const uintptr_t *)ring->end_addr; at++)
    if (hull_has(*at) && !array_add_word(&held, *at))
      return ENOMEM;
  return 0;
}

/* A ring may work on after its descriptors have been closed, for as long as it is mapped.  Owned by whoever holds the
 * cycle lock. */
static bool has_rings;

static int
visit_mapping(const struct mapping *mapping, const char *line, void *arg) {
  (void)arg;
  if (!strstr(line, ring_name))
    return 0;
  has_rings = true;
  return mapping->is_readable ? add_words_of_ring(mapping) : 0;
}

static int
add_ring_words(void) {
  has_rings = false;
  return proc_visit_mappings(visit_mapping, NULL);
}

/* ---- descriptors ---- */

enum {
  LISTED_MAX = CGC_CONFIG_HOSTILE ? 4 : 256,   /* then a listing is slower than to try all numbers */
  TRIED_MAX = CGC_CONFIG_HOSTILE ? 1024 : 65536,
};

struct descriptor_visit {
  int  tid;       /* of a thread that has the program's descriptors */
  bool is_own;    /* the calling thread has them, too */
  int  err;
  int  listed;
  int  next_fd;
  int  end_fd;    /* those from next_fd on have not been listed */
};

/* "tfd:        7 events:       19 data:     55d0c0ffee00  pos:0 ..." */
static const char *
find_epoll_data(const char *line) {
  static const char mark[] = "data:";
  const char *at = strstr(line, mark);
  return at ? at + strlen(mark) + strspn(at + strlen(mark), " ") : NULL;
}

static bool
add_descriptor(struct descriptor_visit *visit, int fd) {
  static const char epoll_name[] = "anon_inode:[eventpoll]";
  char name[sizeof epoll_name + 1] = "";
  if (visit->is_own && !platform_is_anonymous(fd))
    return true;
  ssize_t bytes = platform_read_link(tasks_path(visit->tid, "/fd/", fd).text, name, sizeof name - 1);
  if (bytes < 0 && bytes != -ENOENT)
    visit->err = (int)-bytes;
  else if (strcmp(name, epoll_name) == 0)
    visit->err = add_words_of_file(tasks_path(visit->tid, "/fdinfo/", fd).text, find_epoll_data);
  else if (strcmp(name, ring_name) == 0)
    has_rings = true;
  return !visit->err;
}

static bool
visit_descriptor(int fd, void *arg) {
  struct descriptor_visit *visit = arg;
  visit->next_fd = fd + 1;
  if (!add_descriptor(visit, fd))
    return false;
  if (++visit->listed != LISTED_MAX || !visit->is_own)
    return true;
  int size = tasks_descriptor_table_size();
  visit->end_fd = size <= TRIED_MAX ? size : 0;
  return !visit->end_fd;
}

/* Through the open descriptors, as registrations follow the epoll instance through dup, fork and sockets, and
 * outlive the descriptor they were made for if that has a copy. */
static int
add_words_of_descriptors(int holder_tid) {
  struct descriptor_visit visit = {.tid = holder_tid ? holder_tid : platform_thread_id(), .is_own = !holder_tid};
  int err = proc_visit_numbers(tasks_path(visit.tid, "/fd", -1).text, visit_descriptor, &visit);
  for (int fd = visit.next_fd; fd < visit.end_fd && add_descriptor(&visit, fd); fd++)
    ;
  err = err ? err : visit.err;
  return !err && has_rings ? add_ring_words() : err;
}

/* ---- timers ---- */

/* "signal: 36/000055d0c0ffee00" */
static const char *
find_timer_value(const char *line) {
  static const char mark[] = "signal: ";
  const char *slash = strncmp(line, mark, strlen(mark)) ? NULL : strchr(line, '/');
  return slash ? slash + 1 : NULL;
}

/* Kernels without CONFIG_CHECKPOINT_RESTORE do not have the file. */
static int
add_timer_values(void) {
  int err = add_words_of_file("/proc/self/timers", find_timer_value);
  return err == ENOENT ? 0 : err;
}

int
kernel_held_list_stw(int holder_tid, const uintptr_t **words, size_t *count) {
  held.count = 0;
  int err = array_add_word(&held, platform_alternate_stack().addr) ? add_words_of_descriptors(holder_tid) : ENOMEM;
  if (!err)
    err = add_timer_values();
  if (!err)
    err = held_signals_list_stw(&held);
  if (!err)
    err = held_words_list_stw(&held);
  *words = held.items;
  *count = held.count;
  return err;
}
