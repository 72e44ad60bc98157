/* SPDX-License-Identifier: MIT */
/* The kernel's asynchronous I/O: io_submit(2) and what ends its requests, by libaio's functions and, below, by libc's
 * syscall.  Each makes the call and takes note of what it did (world/held_words.h). */
#ifndef CGC_FRONT_INTERPOSE_AIO_H
#define CGC_FRONT_INTERPOSE_AIO_H

long interpose_io_submit(long context, long count, long list);

/* number: SYS_io_getevents or SYS_io_pgetevents; f is for the second. */
long interpose_io_getevents(long number, long context, long min, long max, long events, long timeout, long f);

long interpose_io_cancel(long context, long request, long event);
long interpose_io_destroy(long context);

#endif
