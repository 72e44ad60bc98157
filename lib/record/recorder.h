/* SPDX-License-Identifier: MIT */
/* Records each allocation of the program: its stack, size, thread and time.  In mode=leak only. */
#ifndef CGC_RECORD_RECORDER_H
#define CGC_RECORD_RECORDER_H

#include "record/stack_depot.h"

#include <stddef.h>

/* X(enum, name): what the program calls to allocate. */
#define RECORD_FUNCTIONS(X)                                                                                       \
  X(MALLOC, "malloc") X(CALLOC, "calloc") X(REALLOC, "realloc") X(REALLOCARRAY, "reallocarray")                   \
  X(MEMALIGN, "memalign") X(ALIGNED_ALLOC, "aligned_alloc") X(POSIX_MEMALIGN, "posix_memalign")                   \
  X(VALLOC, "valloc") X(PVALLOC, "pvalloc")                                                                       \
  X(CGC_MALLOC, "cgc_malloc") X(CGC_MALLOC_NOSCAN, "cgc_malloc_noscan") X(CGC_CALLOC, "cgc_calloc")               \
  X(CGC_REALLOC, "cgc_realloc")

enum record_function {
#define RECORD_ENUM(id, name) RECORD_##id,
  RECORD_FUNCTIONS(RECORD_ENUM)
#undef RECORD_ENUM
  RECORD_FUNCTION_COUNT
};

extern const char *const record_function_names[RECORD_FUNCTION_COUNT];

/* This library's frames, which are recorded too, but are not shown. */
enum { RECORDER_OWN_FRAMES_MAX = 4 };

/* Before the first allocation is recorded; depth is the number of frames that are kept of a stack.  With sample_bytes not
 * 0 a stack is recorded only about once in so many bytes, at random moments. */
void recorder_start(unsigned depth, uint64_t sample_bytes);

/* Takes a block as alloc_slow does, zeroed or not, for that function that was called.  NULL if there is no memory. */
void *recorder_alloc(size_t bytes, unsigned kind, bool is_zeroed, enum record_function function);

/* The calling thread has allocated a block of bytes by that function, or resized it in place; NULL: nothing.  Returns the
 * block. */
void *recorder_note(void *block, size_t bytes, enum record_function function);

/* The stack pointer in what has called the function whose code lies there, on the calling thread; 0 if that is not
 * found. */
uintptr_t recorder_find_caller(uintptr_t code_addr, size_t code_bytes);

/* What the calling thread allocates is no leak, until as many calls of recorder_heed have come. */
void recorder_ignore(void);
void recorder_heed(void);

/* The block that the address is the start of, and what it reaches, is no leak.  False if there is none. */
bool recorder_ignore_block(const void *block);

/* Libraries may have been unloaded. */
void recorder_note_unloading(void);

/* Gives all records the numbers of their stacks, which they have no sooner.  With the world stopped, or one thread. */
void recorder_settle(void);

/* A stack as people want to see it: without this library's part of it. */
struct recorded_stack {
  enum record_function function;   /* that was called */
  uint32_t function_site;          /* where in it; 0: not known */
  bool     is_cut;
  unsigned count;
  uint32_t sites[STACK_FRAMES_MAX];   /* return sites, the innermost first */
};

/* By its number in the depot; 0: an empty one. */
void recorder_read_stack(uint32_t number, struct recorded_stack *stack);

/* Whether the dynamic loader has allocated there. */
bool recorder_is_of_loader(uint32_t number);

/* Stacks that could not be stored for want of memory. */
uint64_t recorder_lost_stacks(void);

/* In a forked child. */
void recorder_adopt_fork(void);

#endif
