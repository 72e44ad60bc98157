/* SPDX-License-Identifier: MIT */
#include "world/tasks.h"

#include "base/platform.h"
#include "base/text.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* The kernel's struct linux_dirent64. */
struct directory_entry {
  uint64_t inode;
  int64_t  offset;
  uint16_t bytes;
  uint8_t  type;
  char     name[];
};

static int
parse_id(const char *digits) {
  int id = 0;
  for (; *digits >= '0' && *digits <= '9'; digits++)
    id = id * 10 + (*digits - '0');
  return *digits ? 0 : id;
}

static bool
visit_entries(const char *buffer, ssize_t bytes, bool (*visit)(int tid, void *arg), void *arg) {
  for (ssize_t at = 0; at < bytes;) {
    const struct directory_entry *entry = (const void *)(buffer + at);
    int tid = parse_id(entry->name);
    if (tid && !visit(tid, arg))
      return false;
    at += entry->bytes;
  }
  return true;
}

int
tasks_visit(bool (*visit)(int tid, void *arg), void *arg) {
  char buffer[4096] CGC_ALIGNED(8);
  int fd = platform_open_read("/proc/self/task");
  if (fd < 0)
    return -fd;
  ssize_t bytes;
  while ((bytes = platform_list_directory(fd, buffer, sizeof buffer)) > 0)
    if (!visit_entries(buffer, bytes, visit, arg))
      break;
  platform_close(fd);
  return bytes < 0 ? (int)-bytes : 0;
}

/* ---- one thread ---- */

static bool
read_task_file(int tid, const char *name, char *buffer, size_t capacity) {
  char path_buffer[64];
  struct text path = text_in(path_buffer, sizeof path_buffer - 1);
  text_add(&path, "/proc/self/task/");
  text_add_u64(&path, (uint64_t)tid);
  text_add(&path, name);
  path_buffer[path.length_bytes] = 0;
  int fd = platform_open_read(path_buffer);
  if (fd < 0)
    return false;
  ssize_t bytes = platform_read(fd, buffer, capacity - 1);
  platform_close(fd);
  buffer[bytes > 0 ? bytes : 0] = 0;
  return bytes > 0;
}

static uint64_t
parse_number(const char *text, unsigned base) {
  uint64_t value = 0;
  for (;; text++) {
    unsigned digit = *text >= 'a' ? (unsigned)(*text - 'a' + 10) : (unsigned)(*text - '0');
    if (digit >= base)
      return value;
    value = value * base + digit;
  }
}

static uint64_t
status_field(const char *status, const char *field, unsigned base) {
  const char *at = strstr(status, field);
  if (!at)
    return 0;
  at += strlen(field);
  while (*at == ' ' || *at == '\t')
    at++;
  return parse_number(at, base);
}

/* "NUMBER six arguments SP PC" of a thread asleep in a call; the last but one field. */
static uintptr_t
sleeping_stack_pointer(const char *call) {
  if (call[0] < '0' || call[0] > '9')
    return 0;   /* "running", or not in a call */
  const char *field = NULL;
  unsigned fields = 0;
  for (const char *at = call; (at = strstr(at, " 0x")); at += 3)
    if (++fields == 7)
      field = at + 3;
  return fields == 8 ? parse_number(field, 16) : 0;
}

static uint64_t
hash_text(const char *text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (; *text; text++)
    hash = (hash ^ (uint8_t)*text) * 0x100000001b3;
  return hash;
}

static uint64_t
blocked_signals(const char *status) {
  return status_field(status, "SigBlk:", 16);
}

uint64_t
tasks_blocked_signals(int tid) {
  char status[4096];
  return read_task_file(tid, "/status", status, sizeof status) ? blocked_signals(status) : 0;
}

bool
tasks_is_dead(int tid) {
  char status[4096];
  const char *state = read_task_file(tid, "/status", status, sizeof status) ? strstr(status, "State:\t") : NULL;
  return state && (state[7] == 'Z' || state[7] == 'X');
}

bool
tasks_is_asleep(int tid, int blocked_signal, struct task_sleep *sleep) {
  char call[300], status[4096];
  if (!read_task_file(tid, "/syscall", call, sizeof call) || !read_task_file(tid, "/status", status, sizeof status) ||
      !(blocked_signals(status) & platform_signal_bit(blocked_signal)))
    return false;
  sleep->stack_pointer = sleeping_stack_pointer(call);
  sleep->fingerprint = hash_text(call) ^ status_field(status, "\nvoluntary_ctxt_switches:", 10) * 0x9e3779b97f4a7c15;
  return sleep->stack_pointer != 0;
}
