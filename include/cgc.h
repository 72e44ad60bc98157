/* SPDX-License-Identifier: MIT */
/**
 * cgc: a garbage collector for C programs that were written without one.
 *
 * LD_PRELOAD=libcgc.so prog, or linking with -lcgc, replaces malloc and its relatives; what the program
 * can no longer reach is reclaimed.  Nothing in this header need be called.
 *
 * Contracts common to all functions, unless said otherwise:
 *   errno    Set only on failure, as told.
 *   Threads  Any thread, at any time.
 *   Signals  Not async-signal-safe, like malloc.
 *   Fork     Allowed in the child, after fork in a program of several threads too.
 *   Since    0.1
 */
#ifndef CGC_H
#define CGC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CGC_VERSION_MAJOR 0
#define CGC_VERSION_MINOR 1
#define CGC_VERSION_PATCH 0

#define CGC_API __attribute__((visibility("default")))

/* ---- allocation ---- */

/**
 * Allocates a zeroed block that the collector reclaims when the program cannot reach it.
 *
 * A word anywhere in static data, stacks, registers or other blocks that points to the block's start or
 * into it keeps it.  Unlike a malloc block it is reclaimed by the first cycle that finds it
 * unreachable.  It may be given to cgc_free, free and realloc, but need not.
 *
 * bytes    Any; 0 gives a block of its own.
 * Returns  The block, aligned to 16 bytes (8 for at most 8 bytes), or NULL.
 * errno    ENOMEM.
 */
CGC_API void *cgc_malloc(size_t bytes) __attribute__((malloc, alloc_size(1)));

/**
 * Allocates a block that holds no pointers: the collector does not look into it.  Otherwise as
 * cgc_malloc, but the block is not zeroed.
 */
CGC_API void *cgc_malloc_noscan(size_t bytes) __attribute__((malloc, alloc_size(1)));

/**
 * As cgc_malloc for an array of count elements of bytes each.
 * errno    ENOMEM, also if count * bytes overflows.
 */
CGC_API void *cgc_calloc(size_t count, size_t bytes) __attribute__((malloc, alloc_size(1, 2)));

/**
 * Resizes a block, moving it if need be; it stays scanned or not, reclaimed early or not.
 *
 * block    A block of any function here or of malloc; NULL allocates as cgc_malloc does.
 * bytes    New size; what is added is not zeroed.  0 frees the block and returns NULL.
 * Returns  The block, perhaps at another address; NULL on failure, and the block is untouched.
 * errno    ENOMEM; EINVAL if block is none (reported as a bad free is).
 */
CGC_API void *cgc_realloc(void *block, size_t bytes);

/**
 * Frees a block at once, exactly as free(3) does.
 * errno    Unchanged.
 */
CGC_API void cgc_free(void *block);

/* ---- collection ---- */

/**
 * Runs one full collection and waits for its end.
 *
 * cgc_malloc blocks unreachable at the call are free when it returns.  malloc blocks need as many
 * consecutive cycles to find them unreachable as option confirm says (2).
 *
 * Returns  0; ETIMEDOUT if a thread did not stop in time, EAGAIN if a thread that cannot be stopped ran
 *          meanwhile in each of several attempts, EPERM in a vfork child, in another mode than collect or where
 *          references are hidden (option hidden), ENOMEM, or the errno code of a refused system call.  Then nothing was
 *          reclaimed and nothing is lost.
 * errno    Unchanged.
 * Threads  Concurrent calls run one after the other.
 */
CGC_API int cgc_collect(void);

/**
 * Sets the growth of the heap, in percent of what the last cycle found alive, after which a cycle starts.
 *
 * percent  1 to 1000000.
 * Returns  The percent before, or 0 if the new one is out of range (and nothing changed).
 * Source   Go's debug.SetGCPercent.
 */
CGC_API unsigned cgc_set_percent(unsigned percent);

/**
 * Sets the soft limit of memory: what the heap and the library's own data should take of the system at most.  Cycles
 * come earlier to stay within it, and free memory is given back; it is exceeded rather than that the program starves.
 *
 * bytes    CGC_MEMORY_LIMIT_MIN or more; CGC_MEMORY_LIMIT_AUTO follows the control group's limit, CGC_MEMORY_LIMIT_OFF
 *          is none.
 * Returns  The limit before, one of the two words included, or 0 if the new one is too small (and nothing changed).
 * errno    Unchanged.
 * Source   Go's debug.SetMemoryLimit.
 */
CGC_API uint64_t cgc_set_memory_limit(uint64_t bytes);
#define CGC_MEMORY_LIMIT_AUTO ((uint64_t)1)
#define CGC_MEMORY_LIMIT_OFF  UINT64_MAX
#define CGC_MEMORY_LIMIT_MIN  ((uint64_t)1 << 20)

/**
 * Gives all free memory back to the system.
 * Returns  How many bytes that were.
 * errno    Unchanged.
 */
CGC_API size_t cgc_release_memory(void);

/* ---- roots ---- */

/**
 * Registers [start, end) as roots: words in it keep blocks.  For memory that is not scanned anyway, such as
 * shared mappings; private memory always is.
 *
 * start, end  Any addresses, start < end.  The memory may become unreadable later.
 * Returns     0, EINVAL or ENOMEM.
 * errno       Unchanged.
 */
CGC_API int cgc_add_roots(const void *start, const void *end);

/**
 * Takes back what was registered of [start, end).
 * Returns     0, EINVAL or ENOMEM.
 */
CGC_API int cgc_remove_roots(const void *start, const void *end);

/* ---- leaks: with mode=leak ---- */

/**
 * Checks for leaks now, and reports them as the check at the end does.
 *
 * Returns  How many blocks cannot be reached, or -1.
 * errno    EPERM in another mode; else as cgc_collect returns.
 * Signals  Also in a handler that has not interrupted the library; those of the program are put off where it has.
 */
CGC_API long cgc_leak_check(void);

/**
 * The block, and what only it refers to, is no leak from now on.
 *
 * block    The start of a block.
 * Returns  0, also in another mode, where nothing is done; EINVAL if it is none; ENOMEM.
 * errno    Unchanged.
 */
CGC_API int cgc_leak_ignore(const void *block);

/**
 * What this thread allocates from here to cgc_leak_enable is no leak, nor what only it refers to.  Such pairs may be
 * nested.
 * errno    Unchanged.
 */
CGC_API void cgc_leak_disable(void);
CGC_API void cgc_leak_enable(void);

/* ---- numbers ---- */

#define CGC_STATS_VERSION 2

/** Times are counted by their length: [0] below 1 us, [i] from 2^(i-1) to 2^i us, the last one all above. */
#define CGC_TIME_BUCKETS 32

/** Fields are added at the end, with a new version.  Bytes unless the name says otherwise. */
struct cgc_stats {
  uint32_t version;             /* set by the caller: CGC_STATS_VERSION */
  uint32_t reserved;

  uint64_t cycles;              /* completed */
  uint64_t cycles_given_up;
  uint64_t stop_total_ns;       /* time in which the world was stopped or being stopped */
  uint64_t stop_longest_ns;

  uint64_t allocated_bytes;     /* in blocks now, about, while other threads allocate */
  uint64_t goal_bytes;          /* allocated_bytes at which the next cycle starts */
  uint64_t used_bytes;          /* in pages that hold blocks */
  uint64_t retained_bytes;      /* free, but not given back to the system */
  uint64_t metadata_bytes;      /* the library's own */

  uint64_t live_bytes;          /* found by the last cycle */
  uint64_t held_blocks;         /* found unreachable by the last cycle, not confirmed yet */
  uint64_t held_bytes;
  uint64_t reclaimed_blocks;    /* since the start */
  uint64_t reclaimed_bytes;

  /* From version 2 on. */
  uint64_t memory_limit_bytes;              /* as set: see cgc_set_memory_limit */
  uint64_t stop_times[CGC_TIME_BUCKETS];    /* of the world */
  uint64_t wait_times[CGC_TIME_BUCKETS];    /* of threads slowed down as they allocate faster than is marked */
};

/**
 * Reads the numbers.
 *
 * stats    version must be set; fields that this version of the library does not know stay as they are.
 * Returns  0, or EINVAL for an unknown version.
 * errno    Unchanged.
 */
CGC_API int cgc_stats_read(struct cgc_stats *stats);

/**
 * The version of the library at run time, for example "0.1.0".  A constant string.
 */
CGC_API const char *cgc_version(void);

#ifdef __cplusplus
}
#endif

#endif
