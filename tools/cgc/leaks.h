/* SPDX-License-Identifier: MIT */
/*
 * What is known about the leaks of a program: what the readers and the policy make, and what the formats show.
 * Everything lives until the program ends and is constant once the formats are called.
 */
#ifndef CGC_TOOL_LEAKS_H
#define CGC_TOOL_LEAKS_H

#include "memory.h"

#include <stdbool.h>
#include <stdint.h>

struct strings LIST(const char *);
struct numbers LIST(int64_t);

/* ---- where ---- */

struct module {
  const char *path, *build_id;   /* the build-id in hexadecimal, "" if there is none */
  const char *problem;           /* why its addresses could not be resolved, or NULL */
  struct module_places *places;  /* of symbols.c */
};

/* One function; a call that was inlined is a frame of its own, before that of the function it is in. */
struct frame {
  const char *function, *raw_name;   /* the second as the linker sees it; NULL if not known */
  const char *file;                  /* NULL if not known, then line and column are 0 */
  unsigned    line, column;
  const struct module *module;       /* NULL for generated code */
  uint64_t    addr;                  /* of the call in the process that is the first in the list */
  uint64_t    offset;                /* of the call in the module's ELF file */
  bool        is_inlined;
};
struct frames LIST(struct frame);

struct stack {
  const char   *by;                  /* the function called: malloc, ... */
  struct frame  by_frame;            /* of its beginning in the library; without a module if not known */
  struct frames frames;              /* the innermost first; none if nothing was recorded */
  bool          is_cut;
};

/* ---- who ---- */

struct process {
  int64_t        pid, ppid;
  const char    *exe, *cwd, *cgc;    /* the last: the library's version */
  struct strings args;
  bool           is_forked;
  int64_t        sample_bytes;
  bool           is_checked;
  const char    *error;              /* why it was not, or not wholly; else NULL */
  int64_t        live_blocks, live_bytes, ignored_blocks, ignored_bytes, unrecorded_stacks;
};
struct processes LIST(const struct process *);

/* ---- what ---- */

enum leak_kind { LEAK_KIND_DIRECT, LEAK_KIND_INDIRECT, LEAK_KIND_POSSIBLE, LEAK_KIND_DOUBTFUL, LEAK_KIND_COUNT };

/* Why a leak is shown or not. */
enum leak_verdict {
  LEAK_VERDICT_NEW,          /* a leak that nothing excuses */
  LEAK_VERDICT_SUPPRESSED,
  LEAK_VERDICT_KNOWN,        /* in the baseline */
  LEAK_VERDICT_SMALL,        /* of less than --min-bytes */
  LEAK_VERDICT_UNSURE,       /* possible or doubtful */
};

struct allocation {
  int64_t thread, sequence, age_ms;   /* the how manyeth of that thread, and how long before the check */
};

/* The blocks of one kind that were allocated at one place, in all processes; those of what is indirect may be several leaks
 * if some hang off suppressed ones. */
struct leak {
  enum leak_kind    kind;
  enum leak_verdict verdict;
  bool              is_cycle;
  struct stack     *stack;
  int64_t           blocks, bytes, reach_blocks, reach_bytes;
  int64_t           estimated_blocks, estimated_bytes;   /* as blocks and bytes where all were recorded */
  struct numbers    threads;
  struct allocation first, last;
  struct processes  processes;
  const char       *fingerprint;      /* the same in other runs and builds */
  const char       *place;            /* kind and stack, as text */
  struct LIST(struct leak *) owners;  /* indirect: the direct leaks that it hangs off; NULL for some that are not known */
  const char       *suppressed_by;    /* the pattern, or NULL */
  bool              is_in_baseline;
};
struct leaks LIST(struct leak *);

/* A place whose reachable bytes rise from check to check. */
struct growth {
  struct stack    *stack;
  const char      *fingerprint;
  int64_t          first_bytes, last_bytes, checks;
  double           bytes_per_second;
  struct processes processes;
};
struct growths LIST(struct growth);

/* A pattern of the user's and what it has suppressed. */
struct suppression_use {
  const char *pattern;
  int64_t     blocks, bytes;
};
struct suppression_uses LIST(struct suppression_use);

struct leak_report {
  struct strings          command;     /* none if it was made of files */
  struct processes        processes;
  size_t                  left_out;    /* processes of other programs, of which nothing is in here */
  struct leaks            leaks;       /* the kinds in their order, and the largest of each first */
  struct leaks            gone;        /* of the baseline, without sizes: those that were not found now */
  struct growths          growths;     /* the steepest first */
  struct suppression_uses suppressions;
};

const char *leak_kind_name(enum leak_kind kind);
bool leak_kind_parse(const char *name, enum leak_kind *kind);

/* "Direct leak", "Possible leak". */
const char *leak_kind_title(enum leak_kind kind);

const char *leak_verdict_name(enum leak_verdict verdict);

/* Blocks and bytes of the leaks with that verdict; of one kind, or of all with LEAK_KIND_COUNT. */
struct leak_total {
  int64_t leaks, blocks, bytes;
};
struct leak_total leak_report_total(const struct leak_report *report, enum leak_kind kind, enum leak_verdict verdict);

/* The frame of a stack that a reader should look at: the first outside the runtime, or NULL. */
const struct frame *stack_site(const struct stack *stack);

/* libcgc.so itself. */
bool module_is_library(const struct module *module);

/* In libc, libstdc++ or libcgc, or an operator new. */
bool frame_is_runtime(const struct frame *frame);

/* The last part of a path. */
const char *path_base_name(const char *path);

#endif
