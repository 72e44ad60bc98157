/* SPDX-License-Identifier: MIT */
/* A thread that collects every so many milliseconds (option stress-ms), or checks for leaks every so many seconds
 * (leak-interval): at moments that the program has no part in. */
#ifndef CGC_FRONT_TICKER_H
#define CGC_FRONT_TICKER_H

/* In this process and its forked children, if one of the options is set. */
void ticker_start(void);

/* After the last cycle: waits for it to end. */
void ticker_end(void);

#endif
