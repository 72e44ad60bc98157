/* SPDX-License-Identifier: MIT */
#include "world/tasks.h"

#include "base/platform.h"
#include "base/proc.h"
#include "base/text.h"

#include <stddef.h>
#include <string.h>

int
tasks_visit(bool (*visit)(int tid, void *arg), void *arg) {
  return proc_visit_numbers("/proc/self/task", visit, arg);
}

/* ---- one thread ---- */

struct task_path
tasks_path(int tid, const char *name, int number) {
  struct task_path path;
  struct text text = text_in(path.text, sizeof path.text - 1);
  text_add(&text, "/proc/self/task/");
  text_add_u64(&text, (uint64_t)tid);
  text_add(&text, name);
  if (number >= 0)
    text_add_u64(&text, (uint64_t)number);
  path.text[text.length_bytes] = 0;
  return path;
}

static bool
read_task_file(int tid, const char *name, char *buffer, size_t capacity) {
  struct task_path path = tasks_path(tid, name, -1);
  int fd = platform_open_read(path.text);
  if (fd < 0)
    return false;
  ssize_t bytes = platform_read(fd, buffer, capacity - 1);
  platform_close(fd);
  buffer[bytes > 0 ? bytes : 0] = 0;
  return bytes > 0;
}

static uint64_t
status_field(const char *status, const char *field, unsigned base) {
  const char *at = strstr(status, field);
  if (!at)
    return 0;
  at += strlen(field);
  while (*at == ' ' || *at == '\t')
    at++;
  return proc_parse_number(at, base);
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
  return fields == 8 ? proc_parse_number(field, 16) : 0;
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

/* ---- signals, descriptors ---- */

/* If the line is that field's, takes its number. */
static bool
take_field(const char *line, const char *field, unsigned base, uint64_t *value) {
  if (strncmp(line, field, strlen(field)))
    return false;
  *value = status_field(line, field, base);
  return true;
}

/* Line by line, as the list of groups before these lines may be long. */
bool
tasks_read_signals(int tid, struct task_signals *signals) {
  struct task_path path = tasks_path(tid, "/status", -1);
  struct line_reader reader;
  unsigned found = 0;
  if (line_reader_open(&reader, path.text))
    return false;
  for (char *line; found < 3 && (line = line_reader_next(&reader));)
    found += take_field(line, "SigQ:", 10, &signals->queued) || take_field(line, "SigPnd:", 16, &signals->pending) ||
             take_field(line, "ShdPnd:", 16, &signals->shared_pending);
  line_reader_close(&reader);
  return found == 3;
}

int
tasks_descriptor_table_size(void) {
  struct line_reader reader;
  uint64_t size = 0;
  if (line_reader_open(&reader, "/proc/thread-self/status"))
    return 0;
  for (char *line; (line = line_reader_next(&reader)) && !take_field(line, "FDSize:", 10, &size);)
    ;
  line_reader_close(&reader);
  return (int)size;
}
