/* SPDX-License-Identifier: MIT */
/*
 * Threads as the interface has them.  The collector finds every thread by itself; what is registered is told from what is
 * not only because programs ask.
 */
#ifndef CGC_LIB_BOEHM_THREADS_H
#define CGC_LIB_BOEHM_THREADS_H

/* The thread that starts the library is registered. */
void threads_start(void);

#endif
