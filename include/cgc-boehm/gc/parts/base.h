/* SPDX-License-Identifier: MIT */
/**
 * Types and result codes that all parts share, and the version.
 */
#ifndef CGC_BOEHM_BASE_H
#define CGC_BOEHM_BASE_H

#include "../gc_config_macros.h"
#include "../gc_version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As wide as a pointer. */
typedef unsigned long GC_word;
typedef long GC_signed_word;

/* Of old programs. */
typedef void *GC_PTR;

/* What the calls for links, toggle references and threads return. */
#define GC_SUCCESS       0
#define GC_DUPLICATE     1   /* registered before */
#define GC_NO_MEMORY     2
#define GC_NO_THREADS    2   /* returned by nothing */
#define GC_UNIMPLEMENTED 3
#define GC_NOT_FOUND     4

/** A function that a call runs in another state of the thread or of the lock; its result is the call's. */
typedef void *(GC_CALLBACK *GC_fn_type)(void * /* data */);

/**
 * Returns  The version of the interface that the library has: major << 16 | minor << 8 | micro.
 */
GC_API unsigned GC_CALL GC_get_version(void);

#ifdef __cplusplus
}
#endif

#endif
