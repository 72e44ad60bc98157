/* SPDX-License-Identifier: MIT */
/* The state, for people. */
#include "boehm/finalizers.h"
#include "boehm/links.h"
#include "boehm/messages.h"
#include "boehm/start.h"
#include "heap/page_heap.h"
#include "heap/span_table.h"

#include <gc/gc.h>
#include <gc/gc_inline.h>
#include <gc/gc_mark.h>

/* ---- by size class ---- */

struct class_count {
  size_t spans, bytes, slots, free_slots;
};

static void
count_spans(struct class_count counts[SPAN_CLASS_COUNT]) {
  for (size_t i = 0; i < span_table_count(); i++) {
    const struct cgc_span *span = span_table_at(i);
    if (!span_is_used(span))
      continue;
    struct class_count *count = &counts[span->span_class];
    count->spans++;
    count->bytes += span_bytes(span);
    count->slots += span->slot_count;
    count->free_slots += span_is_small(span) ? span_free_slots(span) : 0;
  }
}

void
GC_dump_regions(void) {
  struct class_count counts[SPAN_CLASS_COUNT] = {0};
  start_once();
  count_spans(counts);
  GC_printf("***Blocks by size: slot bytes, pointer-free?, spans, bytes, slots, free\n");
  for (unsigned i = 0; i < SPAN_CLASS_COUNT; i++)
    if (counts[i].spans)
      GC_printf("%u %s %zu %zu %zu %zu\n", span_class_size(i)->slot_bytes,
                span_class_kind(i) & SPAN_KIND_NOSCAN ? "yes" : "no", counts[i].spans, counts[i].bytes, counts[i].slots,
                counts[i].free_slots);
}

void
GC_dump_finalization(void) {
  start_once();
  GC_printf("***Finalization: %zu waiting, %zu ready, %zu short and %zu long links\n", finalizers_count(),
            finalizers_ready_count(), links_count(LINK_SHORT), links_count(LINK_LONG));
}

void
GC_dump_named(const char *name) {
  start_once();
  GC_printf("***GC Dump %s\n", name ? name : "");
  GC_printf("Collections: %lu; heap: %zu bytes, %zu of them free\n", GC_get_gc_no(), GC_get_heap_size(),
            GC_get_free_bytes());
  GC_dump_regions();
  GC_dump_finalization();
}

void
GC_dump(void) {
  GC_dump_named(NULL);
}

/* Free slots are bits, not lists. */
void
GC_print_free_list(int kind, size_t granules) {
  (void)kind;
  struct class_count counts[SPAN_CLASS_COUNT] = {0};
  start_once();
  count_spans(counts);
  for (unsigned i = 0; i < SPAN_CLASS_COUNT; i++)
    if (span_class_size(i)->slot_bytes == granules * 16 && counts[i].spans)
      GC_printf("%zu free slots of %u bytes\n", counts[i].free_slots, span_class_size(i)->slot_bytes);
}

/* ---- all blocks ---- */

/* Those that the last mark has reached cannot be told when it is over: all that are allocated are visited. */
void
GC_enumerate_reachable_objects_inner(GC_reachable_object_proc visit, void *data) {
  for (size_t i = 0; i < span_table_count(); i++) {
    const struct cgc_span *span = span_table_at(i);
    for (size_t slot = 0; span_is_used(span) && slot < span->slot_count; slot++)
      if (!span_slot_is_free(span, slot))
        visit((void *)span_slot_addr(span, slot), span_block_bytes(span), data);
  }
}
