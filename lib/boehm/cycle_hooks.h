/* SPDX-License-Identifier: MIT */
/* This layer's part of a cycle (gc/client.h). */
#ifndef CGC_LIB_BOEHM_CYCLE_HOOKS_H
#define CGC_LIB_BOEHM_CYCLE_HOOKS_H

#include <stdbool.h>

#include <gc/gc.h>

/* Before the first block is allocated. */
void cycle_hooks_install(void);

/* GC_disable and GC_enable. */
void cycle_hooks_disable(void);
void cycle_hooks_enable(void);
bool cycle_hooks_are_disabled(void);

/* Tells the program's function of events, if it has one. */
void cycle_hooks_tell(GC_EventType event);

#endif
