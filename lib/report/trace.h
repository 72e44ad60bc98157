/* SPDX-License-Identifier: MIT */
/*
 * Option trace=1: a line per cycle.
 *
 *   cgc 3 @0.412s heap: stop 0.045 roots 0.310 mark 2.120 sweep 0.150 run 0.004 ms,
 *   8.1 MiB -> 4.0 MiB, memory 9.0 MiB, goal 8.0 MiB -> 8.2 MiB, reclaimed 51200 blocks 3.9 MiB, held 12 blocks 1.0
 *   KiB,
 *   roots 1.2 MiB, scanned 5.1 MiB, threads 3 (1 parked), markers 2, dirty=stop
 *
 * (one line).  Number of the cycle; seconds since the first cycle; cause (heap,
 * forced, periodic, stress, memory); times of the phases: until all threads had stopped, listing roots,
 * marking, sweeping, until the world ran again; allocated bytes before and after; what the heap and its metadata held
 * of the system when the cycle began; the goal that led to the cycle and the next one; what came back; what must be
 * confirmed by the next cycle; bytes of roots and all bytes scanned; threads stopped, of them asleep in the kernel
 * with all signals blocked; marking threads; how writes during marking are tracked (stop: the world is stopped).
 *
 *   cgc 4 @0.913s heap: given up after 500.012 ms: thread 4711 did not stop
 */
#ifndef CGC_REPORT_TRACE_H
#define CGC_REPORT_TRACE_H

#include "gc/cycle.h"

void trace_cycle(const struct cycle_report *report);

#endif
