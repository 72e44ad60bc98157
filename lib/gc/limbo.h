/* SPDX-License-Identifier: MIT */
/*
 * When pages that are freed while markers run beside the program may be used again.
 *
 * A marker that has found a span goes on with it for a while.  So what is freed stays as it is (page_heap_defer_reuse)
 * until every marker has let go of all that it had found: first it is hidden, so that none finds it any more, and when
 * all have let go since then it becomes a free run.  Time is counted in turns: each begins with such a step, which
 * marker 0 makes.
 */
#ifndef CGC_GC_LIMBO_H
#define CGC_GC_LIMBO_H

/* Before markers start; marker 0 is one of them.  The others rest, until one that assists lets go. */
void limbo_begin(unsigned marker_count);

/* The marker holds no span that it has found before. */
void limbo_let_go(unsigned marker_index);

/* Nor does it find any until it lets go again. */
void limbo_rest(unsigned marker_index);

#endif
