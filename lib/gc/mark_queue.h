/* SPDX-License-Identifier: MIT */
/*
 * What has been marked but not yet scanned: buffers that markers fill and drain privately and share
 * when full.  An item is a piece of a block, at most MARK_PIECE_BYTES long, in one word.
 *
 * When there is no memory for buffers items are dropped and the queue says so: marked blocks
 * are then all scanned again until none was dropped.
 */
#ifndef CGC_GC_MARK_QUEUE_H
#define CGC_GC_MARK_QUEUE_H

#include "base/atom.h"

#define MARK_PIECE_BYTES ((size_t)128 * 1024)

enum { MARK_BUFFER_ITEMS = CGC_CONFIG_HOSTILE ? 4 : 510 };

struct mark_buffer {
  struct mark_buffer *next;
  size_t count;
  uint64_t items[MARK_BUFFER_ITEMS];
};

/* Items: address in the low 48 bits, length in words above. */
CGC_INLINE uint64_t
mark_item(uintptr_t addr, size_t bytes) {
  return addr | (uint64_t)(bytes / sizeof(void *)) << 48;
}

CGC_INLINE uintptr_t
mark_item_addr(uint64_t item) {
  return item & (((uint64_t)1 << 48) - 1);
}

CGC_INLINE size_t
mark_item_bytes(uint64_t item) {
  return (item >> 48) * sizeof(void *);
}

/* An empty buffer, or NULL if there is no memory.  Takes LOCK_RANK_META. */
struct mark_buffer *mark_queue_get_empty(void);
void mark_queue_put_empty(struct mark_buffer *buffer);

/* Shares a buffer with items; takes one, or NULL. */
void mark_queue_share(struct mark_buffer *buffer);
struct mark_buffer *mark_queue_steal(void);
bool mark_queue_has_work(void);

/* An item was dropped; whether one was since the last question. */
void mark_queue_note_drop(void);
bool mark_queue_take_drop(void);

/* In a forked child. */
void mark_queue_adopt_fork(void);

#endif
