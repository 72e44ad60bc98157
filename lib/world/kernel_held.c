/* SPDX-License-Identifier: MIT */
#include "world/kernel_held.h"

#include "base/array.h"
#include "base/hull.h"
#include "base/platform.h"
#include "base/proc.h"
#include "base/text.h"
#include "world/held_requests.h"
#include "world/held_signals.h"
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

static bool
is_ring(const char *fd_path) {
  char name[sizeof ring_name];
  return platform_read_link(fd_path, name, sizeof name) == (ssize_t)strlen(ring_name) &&
         memcmp(name, ring_name, strlen(ring_name)) == 0;
}

/* The user data of requests and completions are among the words of a ring's mappings; the program alone unmaps them.
 * Other words of it are sizes, flags and addresses of buffers. */
static int
add_words_of_ring(const struct mapping *ring) {
  for (const uintptr_t *at = (const uintptr_t *)ring->start_addr; at < (const uintptr_t *)ring->end_addr; at++)
    if (*at - hull.base_addr < HULL_BYTES && !array_add_word(&held, *at))
      return ENOMEM;
  return 0;
}

/* A ring may work on after its descriptors have been closed, for as long as it is mapped.  Owned by whoever holds the
 * cycle lock. */
static bool has_rings;

static int
add_ring_words(void) {
  struct line_reader reader;
  struct mapping mapping;
  has_rings = false;
  int err = line_reader_open(&reader, "/proc/thread-self/maps");
  if (err)
    return err;
  for (char *line; !err && (line = line_reader_next(&reader));)
    if (strstr(line, ring_name) && proc_parse_mapping(line, &mapping)) {
      has_rings = true;
      err = mapping.is_readable ? add_words_of_ring(&mapping) : 0;
    }
  line_reader_close(&reader);
  return err ? err : reader.err;
}

/* ---- descriptors ---- */

enum {
  LISTED_MAX = CGC_CONFIG_HOSTILE ? 4 : 256,   /* then a listing, with up to 3 us for each, is the slower way */
  TRIED_MAX = CGC_CONFIG_HOSTILE ? 1024 : 65536,
};

struct descriptor_visit {
  int probe_fd;   /* a descriptor that no epoll instance can have been told of */
  int err;
  int listed;
  int next_fd;
  int end_fd;     /* those from next_fd on have not been listed */
};

/* "tfd:        7 events:       19 data:     55d0c0ffee00  pos:0 ..." */
static const char *
find_epoll_data(const char *line) {
  static const char mark[] = "data:";
  const char *at = strstr(line, mark);
  return at ? at + strlen(mark) + strspn(at + strlen(mark), " ") : NULL;
}

struct descriptor_path {
  char text[64];
};

static struct descriptor_path
descriptor_path(const char *directory, int fd) {
  struct descriptor_path path;
  struct text text = text_in(path.text, sizeof path.text - 1);
  text_add(&text, directory);
  text_add_u64(&text, (uint64_t)fd);
  path.text[text.length_bytes] = 0;
  return path;
}

static bool
add_descriptor(struct descriptor_visit *visit, int fd) {
  if (!platform_is_anonymous(fd))
    return true;
  int is_epoll = platform_is_epoll(fd, visit->probe_fd);
  if (is_epoll > 0)
    visit->err = add_words_of_file(descriptor_path("/proc/thread-self/fdinfo/", fd).text, find_epoll_data);
  else if (is_epoll == 0)
    has_rings = has_rings || is_ring(descriptor_path("/proc/thread-self/fd/", fd).text);
  else
    visit->err = -is_epoll;
  return !visit->err;
}

static bool
visit_descriptor(int fd, void *arg) {
  struct descriptor_visit *visit = arg;
  visit->next_fd = fd + 1;
  if (!add_descriptor(visit, fd))
    return false;
  if (++visit->listed != LISTED_MAX)
    return true;
  int size = tasks_descriptor_table_size();
  visit->end_fd = size <= TRIED_MAX ? size : 0;
  return !visit->end_fd;
}

/* Through the open descriptors, as registrations follow the epoll instance through dup, fork and sockets, and
 * outlive the descriptor they were made for if that has a copy.  If there are many, all numbers are tried. */
static int
add_words_of_descriptors(void) {
  struct descriptor_visit visit = {.probe_fd = platform_open_event()};
  if (visit.probe_fd < 0)
    return -visit.probe_fd;
  int err = proc_visit_numbers("/proc/thread-self/fd", visit_descriptor, &visit);
  for (int fd = visit.next_fd; fd < visit.end_fd && add_descriptor(&visit, fd); fd++)
    ;
  platform_close(visit.probe_fd);
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
kernel_held_list_stw(const uintptr_t **words, size_t *count) {
  held.count = 0;
  int err = array_add_word(&held, platform_alternate_stack()) ? add_words_of_descriptors() : ENOMEM;
  if (!err)
    err = add_timer_values();
  if (!err)
    err = held_signals_list_stw(&held);
  if (!err)
    err = held_requests_list_stw(&held);
  *words = held.items;
  *count = held.count;
  return err;
}
