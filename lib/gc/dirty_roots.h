/* SPDX-License-Identifier: MIT */
/*
 * The program's own mappings in which many roots lie, static data and other allocators' heaps: watched too while a mark
 * goes on beside it, so that the last stop need not look at all of them, but at what was written.
 *
 * The kernel joins mappings side by side that do not differ, and mremap does not move two: so all of such a run of
 * mappings is watched, or nothing, while only pages of those with many roots are armed.  What cannot be watched, or not
 * any more, is looked at as a whole.  Of the collector's thread.
 */
#ifndef CGC_GC_DIRTY_ROOTS_H
#define CGC_GC_DIRTY_ROOTS_H

#include "base/array.h"
#include "world/roots.h"

/* Begins to watch mappings in which roots have been listed.  World stopped, or they might be others by then. */
void dirty_roots_watch_stw(const struct root_list *roots);

/* From now on it is known what is written to them.  Adds the pages to be scanned of them: the list is older, and the
 * program may have written elsewhere in between. */
void dirty_roots_arm(struct array *ranges);

/* Closing the watch (dirty_end) ends it for all that the mappings have become. */
void dirty_roots_forget(void);

/* Bytes of roots that are watched. */
size_t dirty_roots_bytes(void);

/* Adds the pages written since the last call, up to *pages_max, as dirty_collect does.  What has lost its watch is not
 * watched from now on.  0 or ENOMEM. */
int dirty_roots_collect(size_t *pages_max, struct array *ranges);

/* Whether all that is written to the root is collected. */
bool dirty_roots_has(const struct root *root);

#endif
