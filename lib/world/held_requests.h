/* SPDX-License-Identifier: MIT */
/*
 * Requests that the kernel works on for io_submit(2): the address of each and the program's word in it, until
 * io_getevents or io_cancel returns the two, or their context is destroyed.  Not async-signal-safe, and not between
 * runtime_enter and _leave.
 */
#ifndef CGC_WORLD_HELD_REQUESTS_H
#define CGC_WORLD_HELD_REQUESTS_H

#include "base/array.h"
#include "base/compiler.h"

#include <stdbool.h>

struct held_request {
  uintptr_t context;
  uintptr_t request;   /* address of the iocb */
  uintptr_t data;      /* its aio_data */
};

/* Before it is submitted.  False if there is no memory. */
bool held_requests_add(const struct held_request *request);

/* Takes one like this out, if there is one. */
void held_requests_remove(const struct held_request *request);
void held_requests_remove_context(uintptr_t context);

/* Adds all words to an array.  0 or an errno code. */
int held_requests_list_stw(struct array *words);

/* In a forked child, which has no contexts. */
void held_requests_adopt_fork(void);

#endif
