/* SPDX-License-Identifier: MIT */
/* seccomp(2) for libc's syscall, which is the only way to it. */
#ifndef CGC_FRONT_INTERPOSE_SECCOMP_H
#define CGC_FRONT_INTERPOSE_SECCOMP_H

/* As the system call, with errno. */
long interpose_seccomp(long operation, long flags, long program);

#endif
