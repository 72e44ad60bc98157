/* SPDX-License-Identifier: MIT */
/*
 * The library's record of leak checks (doc/report-format.md) as it was read: addresses are not resolved, and each
 * process image is for itself.
 */
#ifndef CGC_TOOL_RECORD_H
#define CGC_TOOL_RECORD_H

#include "leaks.h"
#include "table.h"

struct record_frame {
  struct module *module;      /* NULL: none */
  uint64_t       offset, addr;   /* of the call: the return address less one */
};

struct record_stack {
  const char *by;
  struct record_frame by_frame;  /* of its beginning in the library, not of a call */
  struct LIST(struct record_frame) frames;
  bool          is_cut, is_wanted;
  struct stack *resolved;
};

struct record_module {
  struct module *module;
  uint64_t       bias;
};

struct record_leak {
  struct record_stack *stack;   /* NULL: not recorded */
  struct leak          leak;    /* all but the stack and the owners */
  struct numbers       owners;  /* ids of stacks; 0: not known */
};
struct record_leaks LIST(struct record_leak);

struct record_check {
  int64_t number, time_ns;
};

struct record_site {
  int64_t check, stack, bytes;
};

/* What lies between one process line and the next. */
struct image {
  struct process *process;
  struct LIST(struct record_module) modules;          /* [id - 1] */
  struct table stacks;                                /* by id; ids are far apart */
  struct record_leaks leaks;                          /* of the last check that was made */
  struct record_leaks leaks_of_next;                  /* of one whose check line has not come yet */
  struct LIST(struct record_check) checks;            /* without errors */
  struct LIST(struct record_site) sites;
  const char *exec_path;                              /* if its last line is an exec, else NULL */
  const char *unreadable;                             /* which line of it could not be read, or NULL */
};

struct record {
  struct LIST(struct image *) images;
  struct LIST(struct module *) modules;               /* each file once */
  struct table   module_table;                        /* by path and build-id */
  struct strings suppressions;                        /* texts of programs */
};

/*
 * Adds what a file says, or all *.jsonl in a directory.  A line that cannot be read is told and becomes an error of its
 * process.
 */
void record_read(struct record *record, const char *path);

/* NULL if the image has no stack of that id. */
struct record_stack *record_find_stack(struct image *image, int64_t id);

#endif
