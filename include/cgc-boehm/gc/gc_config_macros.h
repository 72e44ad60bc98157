/* SPDX-License-Identifier: MIT */
/**
 * What a program has chosen before it included gc.h, and the attributes of declarations.
 *
 * A program may define GC_THREADS (it has threads), GC_DEBUG (blocks are checked for overwriting),
 * GC_NO_THREAD_REDIRECTS, GC_NO_DLOPEN, GC_NO_PTHREAD_SIGMASK, GC_NO_PTHREAD_CANCEL (see gc_pthread_redirects.h), or
 * any of the attributes below as it likes.  GC_BUILD is for the library itself.
 *
 * For Linux on x86-64 with the GNU C library.
 */
#ifndef CGC_BOEHM_CONFIG_MACROS_H
#define CGC_BOEHM_CONFIG_MACROS_H

#include <features.h>
#include <stddef.h>

/* ---- threads ---- */

#if defined(LINUX_THREADS) && !defined(GC_LINUX_THREADS)
#define GC_LINUX_THREADS
#endif

#if defined(GC_LINUX_THREADS) && !defined(GC_THREADS)
#define GC_THREADS
#endif

#if defined(GC_THREADS) && !defined(GC_LINUX_THREADS)
#define GC_LINUX_THREADS
#endif

#undef GC_PTHREADS
#ifdef GC_THREADS
#define GC_PTHREADS
#endif

#if defined(GC_PTHREADS) && !defined(_REENTRANT)
#define _REENTRANT 1
#endif

#if defined(GC_PTHREADS) && !defined(GC_HAVE_PTHREAD_EXIT)
#define GC_HAVE_PTHREAD_EXIT
#define GC_PTHREAD_EXIT_ATTRIBUTE __attribute__((__noreturn__))
#endif

/* The linker, told so by its option --wrap, redirects the thread functions, and no macros need to. */
#if defined(USE_LD_WRAP) && !defined(GC_USE_LD_WRAP)
#define GC_USE_LD_WRAP
#endif

/* ---- what there is here ---- */

#define __GC

#ifdef __GNUC__
#define GC_GNUC_PREREQ(major, minor) (__GNUC__ > (major) || (__GNUC__ == (major) && __GNUC_MINOR__ >= (minor)))
#else
#define GC_GNUC_PREREQ(major, minor) 0
#endif

/* Call stacks can be recorded: GC_EXTRAS passes no return address. */
#ifndef GC_CAN_SAVE_CALL_STACKS
#define GC_CAN_SAVE_CALL_STACKS
#endif
#if !defined(GC_HAVE_BUILTIN_BACKTRACE) && !defined(GC_MISSING_EXECINFO_H)
#define GC_HAVE_BUILTIN_BACKTRACE
#endif

/* ---- attributes ---- */

#ifndef GC_API
#ifdef GC_BUILD
#define GC_API extern __attribute__((__visibility__("default")))
#else
#define GC_API extern
#endif
#endif

#ifndef GC_CALL
#define GC_CALL
#endif

#ifndef GC_CALLBACK
#define GC_CALLBACK GC_CALL
#endif

/* A program whose out-of-memory function returns memory in use defines GC_OOM_FUNC_RETURNS_ALIAS. */
#ifndef GC_ATTR_MALLOC
#ifdef GC_OOM_FUNC_RETURNS_ALIAS
#define GC_ATTR_MALLOC
#else
#define GC_ATTR_MALLOC __attribute__((__malloc__))
#endif
#endif

#ifndef GC_ATTR_ALLOC_SIZE
#define GC_ATTR_ALLOC_SIZE(argument) __attribute__((__alloc_size__(argument)))
#endif

#ifndef GC_ATTR_CALLOC_SIZE
#define GC_ATTR_CALLOC_SIZE(count, size) __attribute__((__alloc_size__(count, size)))
#endif

#ifndef GC_ATTR_NONNULL
#define GC_ATTR_NONNULL(argument) __attribute__((__nonnull__(argument)))
#endif

#ifndef GC_ATTR_CONST
#define GC_ATTR_CONST __attribute__((__const__))
#endif

/* The library itself may use what programs should not any more. */
#ifdef GC_BUILD
#undef GC_ATTR_DEPRECATED
#define GC_ATTR_DEPRECATED
#endif
#ifndef GC_ATTR_DEPRECATED
#define GC_ATTR_DEPRECATED __attribute__((__deprecated__))
#endif

/* ---- C++ ---- */

#ifdef __cplusplus

#ifndef GC_ATTR_EXPLICIT
#if __cplusplus >= 201103L && !defined(__clang__)
#define GC_ATTR_EXPLICIT explicit
#else
#define GC_ATTR_EXPLICIT
#endif
#endif

#ifndef GC_NOEXCEPT
#if __cplusplus >= 201103L
#define GC_NOEXCEPT noexcept
#else
#define GC_NOEXCEPT throw()
#endif
#endif

#endif

#endif
