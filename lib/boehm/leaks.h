/* SPDX-License-Identifier: MIT */
/* GC_find_leak: what cannot be reached and was not freed is told, and then freed. */
#ifndef CGC_LIB_BOEHM_LEAKS_H
#define CGC_LIB_BOEHM_LEAKS_H

/* All reachable blocks are marked: keeps the others for leaks_tell. */
void leaks_find_stw(void);
void leaks_tell(void);

/* The process ends: looks once more. */
void leaks_end(void);

#endif
