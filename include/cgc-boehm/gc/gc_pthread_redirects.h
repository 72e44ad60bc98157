/* SPDX-License-Identifier: MIT */
/**
 * Thread functions by which the library learns of threads, and their usual names for them.
 *
 * gc.h includes this when GC_THREADS is defined.  Each function does what that without GC_ does.  A program may define
 *   GC_NO_THREAD_REDIRECTS       to keep the usual names as they are,
 *   GC_NO_DLOPEN, GC_NO_PTHREAD_SIGMASK, GC_NO_PTHREAD_CANCEL      for one of them only,
 *   GC_PTHREAD_REDIRECTS_ONLY    to have the names redirected, and no declarations.
 */
#ifndef GC_PTHREAD_REDIRECTS_H
#define GC_PTHREAD_REDIRECTS_H

#include "gc_config_macros.h"

#if defined(GC_PTHREADS) && !defined(GC_PTHREAD_REDIRECTS_ONLY)

#include <pthread.h>
#ifndef GC_NO_DLOPEN
#include <dlfcn.h>
#endif
#ifndef GC_NO_PTHREAD_SIGMASK
#include <signal.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What the functions of javaxfc.h take. */
#ifndef GC_SUSPEND_THREAD_ID
#define GC_SUSPEND_THREAD_ID pthread_t
#endif

#ifndef GC_PTHREAD_CREATE_CONST
#define GC_PTHREAD_CREATE_CONST const
#endif

GC_API int GC_pthread_create(pthread_t *, GC_PTHREAD_CREATE_CONST pthread_attr_t *, void *(*)(void *), void *);
GC_API int GC_pthread_join(pthread_t, void **);
GC_API int GC_pthread_detach(pthread_t);

#ifndef GC_NO_PTHREAD_CANCEL
GC_API int GC_pthread_cancel(pthread_t);
#endif

#if defined(GC_HAVE_PTHREAD_EXIT) && !defined(GC_PTHREAD_EXIT_DECLARED)
#define GC_PTHREAD_EXIT_DECLARED
GC_API void GC_pthread_exit(void *) GC_PTHREAD_EXIT_ATTRIBUTE;
#endif

#ifndef GC_NO_DLOPEN
GC_API void *GC_dlopen(const char *, int);
#endif

/* sigset_t is not known to programs that asked for C alone. */
#if !defined(GC_NO_PTHREAD_SIGMASK) && (defined(__USE_POSIX199506) || defined(__USE_UNIX98))
GC_API int GC_pthread_sigmask(int, const sigset_t *, sigset_t *);
#endif

#ifdef __cplusplus
}
#endif

#endif

#if defined(GC_PTHREADS) && !defined(GC_NO_THREAD_REDIRECTS) && !defined(GC_USE_LD_WRAP)

#undef pthread_create
#undef pthread_join
#undef pthread_detach
#define pthread_create GC_pthread_create
#define pthread_join   GC_pthread_join
#define pthread_detach GC_pthread_detach

#ifndef GC_NO_PTHREAD_CANCEL
#undef pthread_cancel
#define pthread_cancel GC_pthread_cancel
#endif

#ifdef GC_HAVE_PTHREAD_EXIT
#undef pthread_exit
#define pthread_exit GC_pthread_exit
#endif

#ifndef GC_NO_DLOPEN
#undef dlopen
#define dlopen GC_dlopen
#endif

#ifndef GC_NO_PTHREAD_SIGMASK
#undef pthread_sigmask
#define pthread_sigmask GC_pthread_sigmask
#endif

#endif

#endif
