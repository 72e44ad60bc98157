/* SPDX-License-Identifier: MIT */
/*
 * The client: an interface above the collector that knows more of its blocks and roots than what is in them.  It
 * describes blocks, names roots, has weak links and finalizers, and is asked at the points of a cycle where that counts.
 * Without one the functions below do nothing.
 *
 * Functions named _stw are called by the thread that collects, with the world stopped.  With needs_stop that is a
 * thread of the program, on a stack of the collector's, and marker 0: so they may run the program's code.
 */
#ifndef CGC_GC_CLIENT_H
#define CGC_GC_CLIENT_H

#include "heap/span.h"

struct marker;

struct gc_client {
  /* Before a cycle: whether it may be, asked for or not.  Any thread. */
  bool (*may_collect)(bool is_asked_for);

  /* It begins: by the thread that asked for it, with the world running. */
  void (*begin)(void);

  /* Whether the program's own code takes part in the mark, which then is one stop. */
  bool (*needs_stop)(void);

  /* A block of a span with a client_kind is reached: marks what it refers to.  Any marker, but where the second says
   * that this takes the program's code: then marker 0, in a stop. */
  void (*scan_block)(struct marker *marker, const struct cgc_span *span, uintptr_t addr);
  bool (*wants_program)(const struct cgc_span *span);

  /* Roots of its own that are not registered ranges. */
  void (*push_roots_stw)(struct marker *marker);

  /* All that the roots reach is marked: clears links, and may mark more (gc/mark_block.h). */
  void (*conclude_stw)(struct marker *marker);

  /* What it keeps apart (thread_cache.is_apart) is in spans that a forked child finds so: takes this one over. */
  void (*adopt_span)(struct cgc_span *span);
  void (*adopt_fork)(void);
};

/* Written once, before the first block is allocated. */
extern struct gc_client gc_client;

#endif
