/* SPDX-License-Identifier: MIT */
/*
 * Data as roots by name: for programs that say where their roots are, and whose other memory is none.  Named is the
 * static data of loaded objects, less what is excluded, and the thread-local variables of all threads.
 */
#ifndef CGC_WORLD_NAMED_ROOTS_H
#define CGC_WORLD_NAMED_ROOTS_H

#include "world/pages.h"
#include "world/static_data.h"

/* Which memory beside stacks and registered ranges is roots. */
struct roots_policy {
  bool are_named;               /* else all private pages are */
  bool have_static_data;        /* of loaded objects */
  static_data_filter *filter;   /* of these; or NULL */
};

/* Changed inside slow paths only, so not in a stop. */
extern struct roots_policy roots_policy;

/* [start, end) is no roots, though it lies in static data; or nothing is excluded any more.  0, ENOMEM or EINVAL. */
int  named_roots_exclude(uintptr_t start_addr, uintptr_t end_addr);
void named_roots_exclude_nothing(void);

/* What is named, ascending; and what of the pages is, after that.  Both valid until the next call.  False if there is no
 * memory. */
bool named_roots_list_stw(struct page_ranges *result);
bool named_roots_select_stw(const struct page_ranges *pages, struct page_ranges *result);

/* In a forked child. */
void named_roots_adopt_fork(void);

#endif
