/* SPDX-License-Identifier: MIT */
/* What the kernel tells about this process's threads, in /proc/self/task. */
#ifndef CGC_WORLD_TASKS_H
#define CGC_WORLD_TASKS_H

#include <stdbool.h>
#include <stdint.h>

/* Calls visit for each thread id until it returns false.  0 or an errno code; 0 also if stopped. */
int tasks_visit(bool (*visit)(int tid, void *arg), void *arg);

/* The path of what a thread has by that name, which begins with a slash, and ends with the number unless that is
 * negative. */
struct task_path {
  char text[80];
};
struct task_path tasks_path(int tid, const char *name, int number);

/* The signals that the thread blocks; none also if it cannot be told. */
uint64_t tasks_blocked_signals(int tid);

/* Whether the thread has ended but still has an id: the first thread of a process does until the last
 * has ended. */
bool tasks_is_dead(int tid);

/* Signals as masks, the lowest bit for signal 1. */
struct task_signals {
  uint64_t pending;          /* for this thread */
  uint64_t shared_pending;   /* for the process */
  uint64_t queued;           /* of this user in all processes: no fewer than this process's, unless its user changed */
};

/* False if it cannot be told. */
bool tasks_read_signals(int tid, struct task_signals *signals);

/* No descriptor of this thread has that number or a higher one; 0 if it cannot be told. */
int tasks_descriptor_table_size(void);

struct task_sleep {
  uintptr_t stack_pointer;
  uint64_t  fingerprint;     /* changes when the thread has run */
};

/* Whether the thread blocks that signal and sleeps in a system call, and where. */
bool tasks_is_asleep(int tid, int blocked_signal, struct task_sleep *sleep);

#endif
