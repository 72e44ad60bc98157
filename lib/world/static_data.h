/* SPDX-License-Identifier: MIT */
/*
 * Where the static data of loaded objects and the thread-local variables of threads lie, for programs whose roots are
 * named and not all private memory.
 */
#ifndef CGC_WORLD_STATIC_DATA_H
#define CGC_WORLD_STATIC_DATA_H

#include "base/array.h"
#include "base/compiler.h"

/* Whether an object's writable segment is roots; asked with the world stopped.  NULL: all are. */
typedef bool static_data_filter(const char *name, uintptr_t start_addr, size_t bytes);

/* Before the others.  Outside of signal handlers. */
void static_data_init(void);

/* Notes the objects that there are.  False if there is no memory. */
bool static_data_note_stw(static_data_filter *filter);

/* Adds their writable segments, less what is made read-only after relocation, as struct page_range, in no order.
 * Likewise. */
bool static_data_list_stw(struct array *ranges);

/* The same for what a thread with that control block (arch_thread_block) has: the block itself with the variables below
 * it, and those that were allocated when they were first used. */
bool static_data_list_thread_stw(uintptr_t block_addr, struct array *ranges);

#endif
