/* SPDX-License-Identifier: MIT */
/* The variables GC_* of the environment that mean something here; doc/boehm.md lists them all. */
#ifndef CGC_LIB_BOEHM_ENVIRONMENT_H
#define CGC_LIB_BOEHM_ENVIRONMENT_H

/* Before the library starts: they change its defaults, and what the program has set. */
void environment_read(void);

/* After it has started. */
void environment_apply(void);

#endif
