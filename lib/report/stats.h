/* SPDX-License-Identifier: MIT */
/* Numbers over all cycles, for cgc_stats_read. */
#ifndef CGC_REPORT_STATS_H
#define CGC_REPORT_STATS_H

#include "cgc.h"
#include "gc/cycle.h"

/* A thread was slowed down. */
void stats_add_wait(uint64_t ns);

void stats_add_cycle(const struct cycle_report *report);
void stats_fill(struct cgc_stats *stats);

#endif
