/* SPDX-License-Identifier: MIT */
/*
 * Conservative marking.  A word that points into a block, anywhere, marks it; spans with blocks that may
 * hold pointers are queued, and their grey blocks scanned in turn.
 *
 * A candidate passes, in this order: one range check; the page map; the slot by a reciprocal; is it
 * allocated; is it marked already.  Between the page map and the rest it waits in a short FIFO
 * while the span's metadata is fetched, and grey blocks wait in another until their first line is there
 * (Cher, Hosking, Vijaykumar, ASPLOS 2004).
 */
#ifndef CGC_GC_MARK_H
#define CGC_GC_MARK_H

#include "gc/mark_queue.h"
#include "heap/heap_map.h"
#include "world/roots.h"

enum { MARK_FIFO_COUNT = 16, MARK_AHEAD_COUNT = 16, MARK_COPY_BYTES = 64 * 1024 };

struct mark_candidate {
  struct cgc_span *span;
  uintptr_t addr;
};

/* Large blocks are scanned in pieces, by several markers. */
#define MARK_PIECE_BYTES ((size_t)128 * 1024)

/* Blocks side by side, at most a piece. */
struct mark_range {
  uintptr_t addr;
  size_t    bytes;
};

/* Grey blocks that are scanned next, in the order in which they were found (gc/mark_walk.h). */
enum { MARK_WALK_COUNT = 8 };
struct mark_walk {
  struct mark_candidate blocks[MARK_WALK_COUNT];   /* a ring */
  unsigned at;          /* the next */
  unsigned count;
  unsigned capacity;    /* 0: no walk is going on */
};

/* What words are compared with, in as many lanes as the longest vectors have.  Blocks are small: to make them for each
 * took a twentieth of the time. */
struct mark_lanes {
  uint64_t address_mask[8];
  uint32_t lowest_upper_half[16];   /* of addresses in the heap */
  uint32_t last_upper_half[16];     /* counted from the lowest */
} CGC_ALIGNED(64);

struct marker {
  /* Constant during a mark. */
  struct mark_lanes lanes;    /* gc/mark_scan.h */
  uintptr_t heap_addr;        /* of HULL_HEAP_BYTES, as the heap can grow meanwhile */
  uintptr_t address_mask;     /* what of a word is an address */
  uintptr_t pointer_guard;
  bool demangles_data;
  bool demangles_heap;
  bool finds_packed;
  bool finds_relative;        /* gc/mark_relative.h */
  bool decodes_blocks;        /* a word of a block may stand for other addresses than itself: one of these does so */
  bool marks_past_end;
  bool checks_offset;         /* where an address points in its block (gc/mark_block.h) */
  bool takes_interior;        /* then: anywhere in most blocks */
  bool is_alone;              /* no other marker runs: plain stores do */
  bool is_beside;             /* the program runs */
  unsigned index;             /* of the crew */
  const atom_int *interrupt;  /* not 0: draining is to end early; or NULL */
  uint64_t deadline_ns;       /* at which it is to end; UINT64_MAX: none */
  size_t piece_bytes;         /* of large blocks, scanned one at a time */
  void (*scan)(struct marker *marker, const uintptr_t *word, const uintptr_t *end);   /* gc/mark_scan.h */
  void (*scan_addresses)(struct marker *marker, const uintptr_t *word, const uintptr_t *end);   /* no relative ones */
  bool uses_shadows;          /* of written pages (gc/shadow.h) */
  bool notes_seen;            /* notes the addresses it finds (gc/seen_words.h) */
  bool is_verifying;          /* marks nothing: notes an address in an unmarked block */
  bool knows_seen;            /* then: but not one that has been noted */
  bool counts_bytes;          /* of blocks that it marks: in marked_bytes */

  /* The marker's own. */
  struct mark_candidate fifo[MARK_FIFO_COUNT];
  unsigned fifo_at;
  struct mark_list taken;     /* being scanned */
  struct mark_list found;     /* scanned when those have been, or when they are many */
  struct mark_range ahead[MARK_AHEAD_COUNT];   /* taken from their span, scanned soon; no bytes: none */
  unsigned ahead_at;
  struct mark_walk walk;
  unsigned span_count;        /* scanned */
  uint64_t scanned_bytes;
  uint64_t marked_bytes;
  uintptr_t unmarked;
  int err;                    /* a root could not be read: what it holds is not known */
  unsigned char copy[MARK_COPY_BYTES] CGC_ALIGNED(64);   /* of foreign memory */
};

void marker_init(struct marker *marker, bool is_alone, bool is_beside);

/* The first question about a word: few pass. */
CGC_INLINE bool
marker_has_in_heap(const struct marker *marker, uintptr_t addr) {
  return addr - marker->heap_addr < HULL_HEAP_BYTES;
}

/* Draining ends early at that time, and looks at the clock often. */
void marker_set_deadline(struct marker *marker, uint64_t deadline_ns);

/* Scans a root; what it marks is queued.  Sets err if it cannot be read. */
void mark_root(struct marker *marker, const struct root *root);

/* The same for memory that was written to and may hold roots; there need be none. */
void mark_written(struct marker *marker, uintptr_t start_addr, uintptr_t end_addr);

/* Scans grey blocks until this marker has none; shares spans when others wait.  False if it was to end early, with
 * blocks left. */
bool mark_drain(struct marker *marker);

/* Shares all that this marker has left. */
void mark_hand_over(struct marker *marker);

/* Continues with shared spans; false if there are none. */
bool mark_steal(struct marker *marker);

/* Scans what of [start_addr, end_addr) of the heap lies in marked blocks once more; any addresses. */
void mark_rescan_range(struct marker *marker, uintptr_t start_addr, uintptr_t end_addr);

/* Scans every marked block of the heap once more.  For verification. */
void mark_rescan_heap(struct marker *marker);

#endif
