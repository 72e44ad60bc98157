/* SPDX-License-Identifier: MIT */
/*
 * Libraries that keep references where no word is an address: SWI-Prolog's tables that of what would lie before a block,
 * Chez Scheme (Racket CS) addresses of C in its own integers, LuaJIT light user data by number of a segment.
 *
 * What they refer to is not known, so once one of them is loaded nothing is reclaimed any more (option hidden).  They
 * are told by a function that they export, as they may be part of a program.
 */
#ifndef CGC_GC_HIDDEN_REFERENCES_H
#define CGC_GC_HIDDEN_REFERENCES_H

#include <stdbool.h>

/* Looks whether there is one. */
bool hidden_references_seek_stw(void);

/* Whether one has been found, ever.  Any thread. */
bool hidden_references_are_known(void);

#endif
