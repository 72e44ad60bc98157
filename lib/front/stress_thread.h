/* SPDX-License-Identifier: MIT */
#ifndef CGC_FRONT_STRESS_THREAD_H
#define CGC_FRONT_STRESS_THREAD_H

/* In this process and its forked children, if option stress-ms is set. */
void stress_thread_start(void);

/* After the last cycle: waits for it to end. */
void stress_thread_end(void);

#endif
