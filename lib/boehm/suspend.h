/* SPDX-License-Identifier: MIT */
/* Threads that the program has told to stand still. */
#ifndef CGC_LIB_BOEHM_SUSPEND_H
#define CGC_LIB_BOEHM_SUSPEND_H

/* In a forked child, whose other threads are gone. */
void suspend_adopt_fork(void);

#endif
