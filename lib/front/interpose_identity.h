/* SPDX-License-Identifier: MIT */
/* Wrappers for libc's syscall. */
#ifndef CGC_FRONT_INTERPOSE_IDENTITY_H
#define CGC_FRONT_INTERPOSE_IDENTITY_H

int interpose_unshare(long flags, long, long) __asm__("unshare");
int interpose_setns(long fd, long type, long) __asm__("setns");
long interpose_userfaultfd(long flags);

#endif
