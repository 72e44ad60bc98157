/* SPDX-License-Identifier: MIT */
/* What glibc lets a program ask and tune about malloc. */
#include "base/log.h"
#include "base/meta.h"
#include "gc/runtime.h"
#include "gc/sweep.h"
#include "heap/page_heap.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>

/* There is nothing to tune: any parameter is taken as understood. */
CGC_EXPORT int
mallopt(int parameter, int value) {
  (void)parameter;
  (void)value;
  return 1;
}

CGC_EXPORT int
malloc_trim(size_t keep_bytes) {
  struct thread_cache *cache = runtime_enter();
  if (!cache)
    return 0;
  thread_cache_collect_remote(cache, UINT32_MAX);
  size_t given_back = page_heap_scavenge(keep_bytes);
  runtime_leave(cache);
  return given_back > 0;
}

CGC_EXPORT struct mallinfo2
mallinfo2(void) {
  size_t used = page_heap_used_bytes(), allocated = sweep_count_allocated_bytes();
  return (struct mallinfo2){
    .arena = page_heap_mapped_bytes(),
    .uordblks = allocated,
    .fordblks = page_heap_mapped_bytes() - allocated,
    .keepcost = page_heap_mapped_bytes() - used,
  };
}

static int
saturate(size_t value) {
  return value > INT_MAX ? INT_MAX : (int)value;
}

CGC_EXPORT struct mallinfo
mallinfo(void) {
  struct mallinfo2 info = mallinfo2();
  return (struct mallinfo){
    .arena = saturate(info.arena),
    .uordblks = saturate(info.uordblks),
    .fordblks = saturate(info.fordblks),
    .keepcost = saturate(info.keepcost),
  };
}

static void
add_field(struct text *text, const char *before, size_t value, const char *after) {
  text_add(text, before);
  text_add_u64(text, value);
  text_add(text, after);
}

CGC_EXPORT void
malloc_stats(void) {
  char buffer[300];
  struct text text = text_in(buffer, sizeof buffer);
  add_field(&text, "cgc: heap mapped ", page_heap_mapped_bytes(), " bytes");
  add_field(&text, ", used ", page_heap_used_bytes(), " bytes");
  add_field(&text, ", in blocks ", sweep_count_allocated_bytes(), " bytes");
  add_field(&text, ", metadata ", meta_bytes(), " bytes\n");
  log_write(&text);
}

/* The stream is the program's, so stdio is in place here, and here only. */
CGC_EXPORT int
malloc_info(int options, FILE *stream) {
  char buffer[600];
  if (options != 0)
    return EINVAL;
  struct mallinfo2 info = mallinfo2();
  struct text text = text_in(buffer, sizeof buffer - 1);
  text_add(&text, "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n</sizes>\n");
  add_field(&text, "<total type=\"rest\" count=\"1\" size=\"", info.fordblks, "\"/>\n");
  add_field(&text, "<system type=\"current\" size=\"", info.arena, "\"/>\n");
  add_field(&text, "<aspace type=\"total\" size=\"", info.arena, "\"/>\n</heap>\n");
  add_field(&text, "<total type=\"rest\" count=\"1\" size=\"", info.fordblks, "\"/>\n");
  add_field(&text, "<system type=\"current\" size=\"", info.arena, "\"/>\n");
  add_field(&text, "<aspace type=\"total\" size=\"", info.arena, "\"/>\n</malloc>\n");
  buffer[text.length_bytes] = 0;
  return fputs(buffer, stream) < 0 ? errno : 0;
}

CGC_EXPORT struct mallinfo __libc_mallinfo(void) __attribute__((alias("mallinfo")));
CGC_EXPORT int __libc_mallopt(int parameter, int value) __attribute__((alias("mallopt"))) CGC_COPY_ATTRIBUTES(mallopt);
