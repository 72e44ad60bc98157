/* SPDX-License-Identifier: MIT */
/* Marking by the program's own code, in stops. */
#ifndef CGC_LIB_BOEHM_PUSH_H
#define CGC_LIB_BOEHM_PUSH_H

#include <stdbool.h>

#include <gc/gc_mark.h>

struct marker;

/* From here on until NULL, the functions of gc_mark.h mark with this one. */
void push_with(struct marker *marker);

/* Calls the program's procedure for a block, on behalf of a marker. */
void push_by_procedure(struct marker *marker, GC_mark_proc procedure, GC_word *block, GC_word environment);

/* Whether the program pushes roots of its own; and has it do that. */
bool push_has_other_roots(void);
void push_other_roots(void);

#endif
