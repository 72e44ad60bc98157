/* SPDX-License-Identifier: MIT */
/*
 * A span: a run of pages that is free, one large block, or cut into slots of one size.
 * All that is known of its slots lies here, out of line; the collector and the allocator
 * never write to the pages themselves.
 *
 * Five bits per slot, in words of 64 slots:
 *
 *   free       a free slot; written by the owner alone
 *   remote     freed by another thread or by the collector; set by anyone, taken by the owner,
 *              who then sets `free`.  A slot is free if either bit is set.
 *   mark       reached in the cycle at hand
 *   scanned    marked, and its pointers have been followed; a block that is marked only is grey
 *   condemned  found unreachable by the last cycle, kept until the next one confirms it
 *
 * The window of a thread cache is one word of its current span, from which it allocates
 * (heap/thread_cache.h).  The owner may be stopped when it has taken a slot and no pointer to it
 * is anywhere yet, so a sweep leaves that word alone.
 *
 * Invariants
 *   [span.slots]   a used small span: slot_count * slot_bytes <= page_count pages
 *   [span.tail]    bits at and after slot_count are 0 in all maps
 *   [span.window]  window_word is a word of the span exactly when state is SPAN_CURRENT, else SPAN_NO_WINDOW
 *   [span.lists]   FULL and PARTIAL spans are in one list of their owner; a CURRENT span is in none
 *   [span.grey]    outside of a mark no span is grey: every marked block of a scanned kind has been scanned
 *   [span.owner]   `owner` changes only by the owner, or with the world stopped
 *   [span.swept]   while a mark goes on every used span is swept.  After it a used span is swept before anything is
 *                  allocated from it, before its remote bits are taken and before it is freed (heap/span_sweep.h)
 *   [span.reader]  a marker that runs beside the program may read any structure.  What it has found used keeps its
 *                  pages and slots until it has let go (page_heap_defer_reuse); slot_count is written last when a span
 *                  is made
 */
#ifndef CGC_HEAP_SPAN_H
#define CGC_HEAP_SPAN_H

#include "base/atom.h"
#include "heap/size_class.h"

#define SPAN_PAGE_BYTES_LOG2 13
#define SPAN_PAGE_BYTES      ((size_t)1 << SPAN_PAGE_BYTES_LOG2)
#define SPAN_WORDS_MAX       16
#define SPAN_NO_WINDOW       UINT8_MAX
#define SPAN_NO_COUNTDOWN    INT32_MAX

_Static_assert(SPAN_PAGE_BYTES / 8 <= SPAN_WORDS_MAX * 64, "a page of the smallest slots fits the words");

enum span_state {
  SPAN_UNUSED,    /* the structure describes nothing */
  SPAN_FREE,      /* a free run of pages */
  SPAN_LIMBO,     /* freed while a marker may look at it: to become a free run */
  SPAN_LARGE,     /* one block */
  SPAN_FULL,      /* small, no or few slots free */
  SPAN_PARTIAL,   /* small, worth allocating from */
  SPAN_CURRENT,   /* small, the span that a thread cache allocates from */
};

struct span_word {
  atom_word free;        /* owner writes */
  atom_word remote;      /* anyone sets, owner takes */
  atom_word mark;        /* markers set, the cycle clears */
  atom_word condemned;   /* the sweep writes, the owner clears before it hands a slot out */
};

/* Who allocates from a span: a thread cache or a central list. */
struct span_owner {
  atom_word remote_spans;   /* stack of spans with remote bits, linked by remote_next */
};

struct cgc_span {
  /* Lock: the page heap's while free (list links, or children in the tree); else the owner's. */
  struct cgc_span *next;
  struct cgc_span *prev;

  /* Lock: page heap. */
  uint32_t page_count;
  uint32_t table_index;
  uint8_t  word_capacity;
  uint8_t  client_kind : 7;       /* used: 0, or how the client's blocks in it are scanned (gc/client.h) */
  uint8_t  is_kept_by_start : 1;  /* large: pointers to behind its first bytes do not count (gc/mark_block.h) */
  bool     is_touched;         /* used: pages may not be zero.  free: some page holds memory */
  bool     is_retained;        /* owner: empty and kept for the next use */
  union {
    uint32_t touched_pages;    /* free: pages that hold memory */
    atom_int swept_in;         /* used, atomic: heap/span_sweep.h */
  };
  uint64_t freed_at_ns;

  /* Atomic: a member of remote_spans of its owner, or of one before it, or about to be.  It may
   * stay so after the span is freed or reused: structures are never unmapped, and who takes the
   * list looks at `owner`. */
  struct cgc_span *remote_next;
  atom_int is_remote_listed;

  /* Markers: is in a mark list, because it holds grey blocks. */
  atom_int is_grey;
  struct cgc_span *mark_next;

  /* From here on what malloc, free and the marker need: half a cache line, the first word beside it. */

  /* Constant while the span is used. */
  uintptr_t base_addr;

  /* [span.owner] */
  atom_word owner;             /* struct span_owner *; NULL for large and free spans */

  /* Constant while the span is used. */
  uint32_t divide_magic;       /* 0 unless small */
  uint16_t slot_bytes;         /* 0 unless small */
  uint16_t slot_count;         /* 1 for large, 0 for free */

  /* Owner. */
  int32_t  countdown;          /* local frees until the next event: a full span is worth allocating
                                  from again, or a partial one becomes empty */
  uint16_t span_class;
  uint8_t  window_word;
  uint8_t  state;              /* enum span_state */

  struct span_word words[];    /* word_capacity; behind them come the scanned words */
};

_Static_assert(offsetof(struct cgc_span, base_addr) == 64, "hot fields start a cache line");
_Static_assert(offsetof(struct cgc_span, words) == 96, "the first word shares their line");

CGC_INLINE bool
span_is_small(const struct cgc_span *span) {
  return span->state >= SPAN_FULL;
}

CGC_INLINE bool
span_is_used(const struct cgc_span *span) {
  return span->state >= SPAN_LARGE;
}

CGC_INLINE unsigned
span_kind(const struct cgc_span *span) {
  return span_class_kind(span->span_class);
}

CGC_INLINE size_t
span_bytes(const struct cgc_span *span) {
  return (size_t)span->page_count << SPAN_PAGE_BYTES_LOG2;
}

/* What malloc_usable_size tells. */
CGC_INLINE size_t
span_block_bytes(const struct cgc_span *span) {
  return span->slot_bytes ? span->slot_bytes : span_bytes(span);
}

/* The slot that addr lies in; at or over slot_count if it lies in the tail.  0 for large spans. */
CGC_INLINE size_t
span_slot_of(const struct cgc_span *span, uintptr_t addr) {
  return (addr - span->base_addr) * span->divide_magic >> 32;
}

/* Whether a slot of a small span starts at addr, and which.  False for large spans.
 * With magic = (2^32 + e) / bytes and e < bytes, the offset slot * bytes + rest gives a low half of
 * slot * e + rest * magic.  That is below magic exactly if rest is 0: slot * e is less than the bytes of
 * the span, and those are less than magic. */
CGC_INLINE bool
span_slot_starts_at(const struct cgc_span *span, uintptr_t addr, size_t *slot) {
  uint64_t product = (addr - span->base_addr) * span->divide_magic;
  *slot = product >> 32;
  return (uint32_t)product < span->divide_magic && *slot < span->slot_count;
}

CGC_INLINE uintptr_t
span_slot_addr(const struct cgc_span *span, size_t slot) {
  return span->base_addr + slot * span->slot_bytes;
}

CGC_INLINE unsigned
span_word_count(const struct cgc_span *span) {
  return (span->slot_count + 63u) / 64;
}

/* The word of a slot, in two instructions: free and realloc are counted in them. */
CGC_INLINE struct span_word *
span_word_of(const struct cgc_span *span, size_t slot) {
  _Static_assert(sizeof(struct span_word) == 64 / 2, "slot / 64 * 32");
  return (struct span_word *)((uintptr_t)span->words + (slot / 2 & ~(size_t)31));
}

/* Marked slots of a word that have been scanned; for a large span, the bytes that have been. */
CGC_INLINE atom_word *
span_scanned(struct cgc_span *span, unsigned word) {
  return (atom_word *)&span->words[span->word_capacity] + word;
}

/* What so many words take behind the structure. */
CGC_INLINE size_t
span_words_bytes(unsigned word_count) {
  return word_count * (sizeof(struct span_word) + sizeof(atom_word));
}

/* Bits of so many slots that lie in a word. */
CGC_INLINE uint64_t
span_slots_mask(unsigned slot_count, unsigned word) {
  unsigned slots = slot_count - word * 64;
  return slots >= 64 ? UINT64_MAX : ((uint64_t)1 << slots) - 1;
}

CGC_INLINE uint64_t
span_word_mask(const struct cgc_span *span, unsigned word) {
  return span_slots_mask(span->slot_count, word);
}

CGC_INLINE uint64_t
span_word_free(const struct cgc_span *span, unsigned word) {
  return atom_load_rlx(&span->words[word].free) | atom_load_rlx(&span->words[word].remote);
}

CGC_INLINE bool
span_slot_is_free(const struct cgc_span *span, size_t slot) {
  const struct span_word *word = span_word_of(span, slot);
  return (atom_load_rlx(&word->free) | atom_load_rlx(&word->remote)) >> slot % 64 & 1;
}

/* Moves remote bits into the free bits, which are returned.  Owner only. */
CGC_INLINE uint64_t
span_word_collect_remote(struct span_word *word) {
  uint64_t free = atom_load_rlx(&word->free);
  if (CGC_LIKELY(!atom_load_rlx(&word->remote)))
    return free;
  free |= atom_swap_full(&word->remote, 0);   /* pairs with span_free_remote */
  atom_store_rlx(&word->free, free);
  return free;
}

/* The same for all words of a span. */
void span_collect_remote(struct cgc_span *span);

/* Slots whose free or remote bit is set. */
unsigned span_free_slots(const struct cgc_span *span);

/* Sets a remote bit and, when the span is not yet listed, puts it on its owner's stack.
 * False if the slot was free already. */
bool span_free_remote(struct cgc_span *span, size_t slot);
void span_list_remote(struct cgc_span *span);

/* Takes all of an owner's listed spans, linked by remote_next. */
struct cgc_span *span_owner_take_remote(struct span_owner *owner);

/* Circular doubly linked lists whose head is a pointer to the first. */
void span_list_push(struct cgc_span **head, struct cgc_span *span);
void span_list_remove(struct cgc_span **head, struct cgc_span *span);

/* Checks the invariants above of a used span whose owner is not running, outside of a mark. */
void span_check(const struct cgc_span *span);

#endif
