/* SPDX-License-Identifier: MIT */
/*
 * The malloc family, with the exact results of glibc 2.36.
 *
 * C++'s operators are left to libstdc++, which calls malloc and free: its new_handler and exceptions
 * stay exact.  strdup, getline and the like are left to libc for the same reason.
 */
#include "front/bad_free.h"
#include "front/foreign.h"
#include "front/interpose.h"
#include "front/recorded.h"
#include "gc/alloc.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALLER __builtin_return_address(0)
#define ALIAS(of) __attribute__((visibility("default"), alias(#of))) CGC_COPY_ATTRIBUTES(of)

enum { KIND = 0, ALIGNMENT_MIN = 16 };

CGC_COLD static void *
no_memory(void) {
  errno = ENOMEM;
  return NULL;
}

CGC_INLINE void *
or_no_memory(void *block) {
  return CGC_LIKELY(block != NULL) ? block : no_memory();
}

/* ---- free ---- */

CGC_COLD static void
free_refused(const char *function, void *block, enum free_verdict verdict, const void *caller) {
  if (!block)
    return;
  if (verdict == FREE_VERDICT_FOREIGN && foreign_is_libc_block(block))
    foreign_free(block);
  else
    bad_free_report(function, block, verdict, caller);
}

CGC_NOINLINE static void
free_rest(void *block, enum free_result result, const void *caller) {
  enum free_verdict verdict = free_slow(block, result);
  if (CGC_UNLIKELY(verdict != FREE_VERDICT_FREED))
    free_refused("free", block, verdict, caller);
}

CGC_EXPORT void
free(void *block) {
  enum free_result result = free_fast(block);
  if (CGC_UNLIKELY(result != FREE_DONE))
    free_rest(block, result, CALLER);
}

void
interpose_free(const char *function, void *block, const void *caller) {
  enum free_verdict verdict = free_block(block);
  if (CGC_UNLIKELY(verdict != FREE_VERDICT_FREED))
    free_refused(function, block, verdict, caller);
}

/* C23: the size must be the one asked for; slots are rounded up, so only a larger one can be told. */
static void
free_checked(const char *function, void *block, size_t bytes, const void *caller) {
  enum free_verdict verdict;
  const struct cgc_span *span = alloc_find_block(block, &verdict);
  if (span && bytes > span_block_bytes(span))
    bad_free_report_size(function, block, bytes, span_block_bytes(span), caller);
  interpose_free(function, block, caller);
}

CGC_EXPORT void free_sized(void *block, size_t bytes);
CGC_EXPORT void free_aligned_sized(void *block, size_t alignment, size_t bytes);

CGC_EXPORT void
free_sized(void *block, size_t bytes) {
  free_checked("free_sized", block, bytes, CALLER);
}

CGC_EXPORT void
free_aligned_sized(void *block, size_t alignment, size_t bytes) {
  (void)alignment;
  free_checked("free_aligned_sized", block, bytes, CALLER);
}

/* ---- malloc, calloc ---- */

/* Apart, so that malloc itself needs no stack frame. */
CGC_NOINLINE static void *
malloc_rest(size_t bytes) {
  if (recorded_is_wanted())
    return or_no_memory(recorded_malloc(bytes, RECORD_MALLOC));
  return or_no_memory(alloc_slow(bytes, KIND));
}

CGC_EXPORT void *
malloc(size_t bytes) {
  void *block = alloc_fast(bytes, KIND);
  return CGC_LIKELY(block != NULL) ? block : malloc_rest(bytes);
}

CGC_EXPORT void *
calloc(size_t count, size_t bytes) {
  size_t total;
  if (__builtin_mul_overflow(count, bytes, &total))
    return no_memory();
  if (recorded_is_wanted())
    return or_no_memory(recorded_calloc(total, RECORD_CALLOC));
  return or_no_memory(alloc_zeroed(total, KIND));
}

/* ---- realloc ---- */

static void *
move_block(struct cgc_span *span, void *block, size_t bytes) {
  size_t old_bytes = span_block_bytes(span);
  void *moved = recorded_is_wanted() ? alloc_slow(bytes, span_kind(span)) : alloc_block(bytes, span_kind(span));
  if (!moved)
    return no_memory();
  memcpy(moved, block, old_bytes < bytes ? old_bytes : bytes);
  free_block(block);
  return moved;
}

CGC_COLD static void *
realloc_refused(void *block, size_t bytes, enum free_verdict verdict, const void *caller) {
  if (verdict == FREE_VERDICT_FOREIGN && foreign_is_libc_block(block))
    return foreign_realloc(block, bytes);
  bad_free_report("realloc", block, verdict, caller);
  errno = EINVAL;
  return NULL;
}

static void *
resize(void *block, size_t bytes, const void *caller) {
  enum free_verdict verdict;
  struct cgc_span *span = alloc_find_block(block, &verdict);
  if (CGC_UNLIKELY(!span))
    return realloc_refused(block, bytes, verdict, caller);
  if (bytes == 0) {
    free_block(block);
    return NULL;
  }
  return alloc_resize_in_place(span, bytes) ? block : move_block(span, block, bytes);
}

void *
interpose_realloc(void *block, size_t bytes, enum record_function function, const void *caller) {
  if (recorded_is_wanted())
    return block ? recorder_note(resize(block, bytes, caller), bytes, function)
                 : or_no_memory(recorder_alloc(bytes, RECORDED_KIND, false, function));
  return block ? resize(block, bytes, caller) : or_no_memory(alloc_block(bytes, KIND));
}

CGC_EXPORT void *
realloc(void *block, size_t bytes) {
  if (recorded_is_off() && CGC_LIKELY(alloc_stays(block, bytes)))
    return block;
  return interpose_realloc(block, bytes, RECORD_REALLOC, CALLER);
}

CGC_EXPORT void *
reallocarray(void *block, size_t count, size_t bytes) {
  size_t total;
  if (__builtin_mul_overflow(count, bytes, &total))
    return no_memory();
  return interpose_realloc(block, total, RECORD_REALLOCARRAY, CALLER);
}

/* ---- alignment ---- */

static void *
aligned(size_t alignment, size_t bytes, enum record_function function) {
  if (alignment <= ALIGNMENT_MIN)
    alignment = ALIGNMENT_MIN;
  if (bytes > PTRDIFF_MAX)
    return no_memory();
  if (recorded_is_wanted())
    return or_no_memory(recorder_note(alloc_aligned(bytes, alignment, RECORDED_KIND), bytes, function));
  return or_no_memory(alloc_aligned(bytes, alignment, KIND));
}

/* As glibc up to 2.37: an alignment that is no power of two is rounded up to one. */
static void *
aligned_to_power(size_t alignment, size_t bytes, enum record_function function) {
  if (alignment > SIZE_MAX / 2 + 1) {
    errno = EINVAL;
    return NULL;
  }
  size_t power = ALIGNMENT_MIN;
  while (power < alignment)
    power *= 2;
  return aligned(power, bytes, function);
}

CGC_EXPORT void *
memalign(size_t alignment, size_t bytes) {
  return aligned_to_power(alignment, bytes, RECORD_MEMALIGN);
}

CGC_EXPORT void *
aligned_alloc(size_t alignment, size_t bytes) {
  return aligned_to_power(alignment, bytes, RECORD_ALIGNED_ALLOC);
}

CGC_EXPORT int
posix_memalign(void **result, size_t alignment, size_t bytes) {
  if (alignment % sizeof(void *) || alignment == 0 || alignment & (alignment - 1))
    return EINVAL;
  int errno_before = errno;
  void *block = aligned(alignment, bytes, RECORD_POSIX_MEMALIGN);
  errno = errno_before;
  if (!block)
    return ENOMEM;
  *result = block;
  return 0;
}

static size_t
system_page_bytes(void) {
  return (size_t)getpagesize();
}

CGC_EXPORT void *
valloc(size_t bytes) {
  return aligned(system_page_bytes(), bytes, RECORD_VALLOC);
}

CGC_EXPORT void *
pvalloc(size_t bytes) {
  size_t page_bytes = system_page_bytes(), rounded;
  if (__builtin_add_overflow(bytes, page_bytes - 1, &rounded))
    return no_memory();
  return aligned(page_bytes, rounded & ~(page_bytes - 1), RECORD_PVALLOC);
}

/* ---- sizes ---- */

CGC_EXPORT size_t
malloc_usable_size(void *block) {
  enum free_verdict verdict;
  if (!block)
    return 0;
  const struct cgc_span *span = alloc_find_block(block, &verdict);
  if (span)
    return span_block_bytes(span);
  return verdict == FREE_VERDICT_FOREIGN && foreign_is_libc_block(block) ? foreign_usable_size(block) : 0;
}

/* ---- other names ---- */

CGC_EXPORT void  cfree(void *block) ALIAS(free);
CGC_EXPORT void *__libc_malloc(size_t bytes) ALIAS(malloc);
CGC_EXPORT void  __libc_free(void *block) ALIAS(free);
CGC_EXPORT void *__libc_calloc(size_t count, size_t bytes) ALIAS(calloc);
CGC_EXPORT void *__libc_realloc(void *block, size_t bytes) ALIAS(realloc);
CGC_EXPORT void *__libc_memalign(size_t alignment, size_t bytes) ALIAS(memalign);
CGC_EXPORT void *__libc_valloc(size_t bytes) ALIAS(valloc);
CGC_EXPORT void *__libc_pvalloc(size_t bytes) ALIAS(pvalloc);
CGC_EXPORT int   __posix_memalign(void **result, size_t alignment, size_t bytes) ALIAS(posix_memalign);
