/* SPDX-License-Identifier: MIT */
/**
 * Weak pointers: links that a collection clears, hidden pointers, and toggle references.
 *
 * A link is a word that does not keep the block it points to, because it is hidden or in a block that is not scanned.
 * To make an ordinary pointer of it a program must hold the lock (GC_call_with_alloc_lock).  With GC_set_find_leak none
 * is registered, and the calls that would return GC_UNIMPLEMENTED.
 */
#ifndef CGC_BOEHM_LINKS_H
#define CGC_BOEHM_LINKS_H

#include "allocate.h"
#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Has a link set to NULL when its block has become unreachable: before it is decided which finalizers are due, so that
 * the link counts for none of them.
 *
 * link     Aligned; in the heap or not.  If in a block, it is forgotten with that block.
 * block    The start of a block.  GC_register_disappearing_link takes that which the link is in.
 * Returns  GC_SUCCESS; GC_DUPLICATE if the link was registered, and now is for this block; GC_NO_MEMORY.
 */
GC_API int GC_CALL GC_general_register_disappearing_link(void ** /* link */, const void * /* block */)
  GC_ATTR_NONNULL(1) GC_ATTR_NONNULL(2);
GC_API int GC_CALL GC_register_disappearing_link(void ** /* link */) GC_ATTR_NONNULL(1);

/**
 * Moves a registered link's registration to another word; the words themselves stay as they are.
 *
 * Returns  GC_SUCCESS, also if both are the same; GC_DUPLICATE if the other is registered; GC_NOT_FOUND if link is not.
 */
GC_API int GC_CALL GC_move_disappearing_link(void ** /* link */, void ** /* to */) GC_ATTR_NONNULL(2);

/**
 * Returns  1, or 0 if the link was not registered.
 */
GC_API int GC_CALL GC_unregister_disappearing_link(void ** /* link */);

/**
 * The same for links that are cleared later: when no finalizer can make the block reachable any more.
 */
GC_API int GC_CALL GC_register_long_link(void ** /* link */, const void * /* block */)
  GC_ATTR_NONNULL(1) GC_ATTR_NONNULL(2);
GC_API int GC_CALL GC_move_long_link(void ** /* link */, void ** /* to */) GC_ATTR_NONNULL(2);
GC_API int GC_CALL GC_unregister_long_link(void ** /* link */);

/* With GC_DEBUG a block starts before what the program knows of it. */
#ifdef GC_DEBUG
#define GC_GENERAL_REGISTER_DISAPPEARING_LINK(link, block) \
  GC_general_register_disappearing_link(link, GC_base((void *)(block)))
#define GC_REGISTER_LONG_LINK(link, block) GC_register_long_link(link, GC_base((void *)(block)))
#else
#define GC_GENERAL_REGISTER_DISAPPEARING_LINK(link, block) GC_general_register_disappearing_link(link, block)
#define GC_REGISTER_LONG_LINK(link, block)                 GC_register_long_link(link, block)
#endif

/* ---- hidden pointers ---- */

/* A pointer in a form that does not keep the block. */
typedef GC_word GC_hidden_pointer;
#define GC_HIDE_POINTER(pointer)  (~(GC_hidden_pointer)(pointer))
#define GC_REVEAL_POINTER(hidden) ((void *)GC_HIDE_POINTER(hidden))

#if defined(I_HIDE_POINTERS) || defined(GC_I_HIDE_POINTERS)
#define HIDE_POINTER(pointer)  GC_HIDE_POINTER(pointer)
#define REVEAL_POINTER(hidden) GC_REVEAL_POINTER(hidden)
#endif

/* ---- toggle references: to blocks with a counterpart elsewhere ---- */

typedef enum {
  GC_TOGGLE_REF_DROP,     /* not registered any more */
  GC_TOGGLE_REF_STRONG,   /* keeps the block */
  GC_TOGGLE_REF_WEAK      /* does not */
} GC_ToggleRefStatus;

/**
 * Asked by each collection how a registered block is referred to, with the lock held and the world running.  NULL is
 * none, and then nothing can be registered.  The setter and the getter take the lock.
 */
typedef GC_ToggleRefStatus (GC_CALLBACK *GC_toggleref_func)(void * /* block */);
GC_API void GC_CALL GC_set_toggleref_func(GC_toggleref_func);
GC_API GC_toggleref_func GC_CALL GC_get_toggleref_func(void);

/**
 * Registers a block.
 *
 * Returns  GC_SUCCESS, also if there is no function to ask; GC_NO_MEMORY.
 */
GC_API int GC_CALL GC_toggleref_add(void * /* block */, int /* whether it is strong */) GC_ATTR_NONNULL(1);

#ifdef __cplusplus
}
#endif

#endif
