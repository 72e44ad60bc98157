/* SPDX-License-Identifier: MIT */
/* Ends of the process: functions of cord.h have no way to tell of these errors. */
#ifndef CGC_BOEHM_CORD_FAIL_H
#define CGC_BOEHM_CORD_FAIL_H

/* Prints "cord: what" and aborts. */
_Noreturn void cord_fail(const char *what);

/* The same after CORD_oom_fn, which is free not to return. */
_Noreturn void cord_fail_memory(const char *what);

#endif
