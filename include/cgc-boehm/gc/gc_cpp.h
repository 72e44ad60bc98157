/* SPDX-License-Identifier: MIT */
/**
 * Collected objects in C++.
 *
 *   class node : public gc { ... };          new node: collected, its destructor is not called
 *   class file : public gc_cleanup { ... };  new file: collected, its destructor is called before
 *   new (UseGC) int[10]                      collected, of any type
 *   new (PointerFreeGC) char[10]             collected, not scanned
 *   new (NoGC) node                          lives until delete; scanned
 *   new (UseGC, clean, data) node            clean(object, data) is called when the object has become unreachable
 *
 * Plain new of other types is the program's own, but with libgccpp, where it is new (NoGC).  delete works for all, at
 * once, but for objects made with a function to clean up.  Only the first object of an array of gc_cleanup is
 * destroyed.
 *
 * A program may define, before it includes this:
 *   GC_NAMESPACE             the names are in namespace boehmgc
 *   GC_NAME_CONFLICT         there is no GC, another name of UseGC
 *   GC_ATOMIC_UNCOLLECTABLE  there is PointerFreeNoGC: lives until delete, not scanned
 *   GC_NO_OPERATOR_NEW_ARRAY arrays are not collected
 *   GC_NO_FINALIZATION       nothing is called when objects become unreachable
 *   GC_INCLUDE_NEW           bad_alloc is thrown here, not by libgctba's (or libgccpp's) GC_throw_bad_alloc
 *   GC_NEW_ABORTS_ON_OOM     the program ends instead
 */
#ifndef GC_CPP_H
#define GC_CPP_H

#include "gc.h"

#ifdef GC_NAMESPACE
#define GC_NS_QUALIFY(name) boehmgc::name
#else
#define GC_NS_QUALIFY(name) name
#endif

#define GC_cdecl GC_CALLBACK

#if !defined(GC_NO_OPERATOR_NEW_ARRAY) && !defined(GC_OPERATOR_NEW_ARRAY)
#define GC_OPERATOR_NEW_ARRAY
#endif

#define GC_PLACEMENT_DELETE

#if defined(GC_NEW_ABORTS_ON_OOM) || defined(_LIBCPP_NO_EXCEPTIONS)
#define GC_OP_NEW_OOM_CHECK(block) \
  do { \
    if (!(block)) \
      GC_abort_on_oom(); \
  } while (0)
#elif defined(GC_INCLUDE_NEW)
#include <new>
#define GC_OP_NEW_OOM_CHECK(block) if (block) {} else throw std::bad_alloc()
#else
/** Throws std::bad_alloc. */
GC_API void GC_CALL GC_throw_bad_alloc();
#define GC_OP_NEW_OOM_CHECK(block) if (block) {} else GC_throw_bad_alloc()
#endif

#ifdef GC_NAMESPACE
namespace boehmgc {
#endif

enum GCPlacement {
  UseGC,
#ifndef GC_NAME_CONFLICT
  GC = UseGC,
#endif
  NoGC,
  PointerFreeGC
#ifdef GC_ATOMIC_UNCOLLECTABLE
  ,
  PointerFreeNoGC
#endif
};

/** Its instances, and those of classes derived from it, are collected. */
class gc {
public:
  inline void *operator new(size_t bytes);
  inline void *operator new(size_t bytes, GCPlacement placement);
  inline void *operator new(size_t bytes, void *place) GC_NOEXCEPT;   /* else hidden by these */
  inline void operator delete(void *block) GC_NOEXCEPT;

  /* Called when a constructor throws. */
  inline void operator delete(void *block, GCPlacement) GC_NOEXCEPT;
  inline void operator delete(void *block, void *place) GC_NOEXCEPT;

#ifdef GC_OPERATOR_NEW_ARRAY
  inline void *operator new[](size_t bytes);
  inline void *operator new[](size_t bytes, GCPlacement placement);
  inline void *operator new[](size_t bytes, void *place) GC_NOEXCEPT;
  inline void operator delete[](void *block) GC_NOEXCEPT;
  inline void operator delete[](void *block, GCPlacement) GC_NOEXCEPT;
  inline void operator delete[](void *block, void *place) GC_NOEXCEPT;
#endif
};

/** The same, and their destructors are called when they have become unreachable; also those of what contains one. */
class gc_cleanup : virtual public gc {
public:
  inline gc_cleanup();
  inline virtual ~gc_cleanup();

private:
  inline static void GC_cdecl cleanup(void *block, void *offset);
};

extern "C" {
typedef void (GC_CALLBACK *GCCleanUpFunc)(void *object, void *data);
}

#ifdef GC_NAMESPACE
}
#endif

/**
 * Allocates as placement says.
 *
 * clean    Called as clean(object, data) when the object has become unreachable, for UseGC only, and not for classes
 *          with gc_cleanup.  Such an object must not be deleted.
 */
inline void *operator new(size_t bytes, GC_NS_QUALIFY(GCPlacement) placement, GC_NS_QUALIFY(GCCleanUpFunc) clean = 0,
                          void *data = 0);
inline void operator delete(void *block, GC_NS_QUALIFY(GCPlacement), GC_NS_QUALIFY(GCCleanUpFunc), void *) GC_NOEXCEPT;

#ifdef GC_OPERATOR_NEW_ARRAY
inline void *operator new[](size_t bytes, GC_NS_QUALIFY(GCPlacement) placement, GC_NS_QUALIFY(GCCleanUpFunc) clean = 0,
                            void *data = 0);
#endif

/* ---- how ---- */

inline void *
operator new(size_t bytes, GC_NS_QUALIFY(GCPlacement) placement, GC_NS_QUALIFY(GCCleanUpFunc) clean, void *data) {
  void *block;
  switch (placement) {
  case GC_NS_QUALIFY(UseGC):
    block = GC_MALLOC(bytes);
#ifdef GC_NO_FINALIZATION
    (void)clean;
    (void)data;
#else
    if (clean && block)
      GC_REGISTER_FINALIZER_IGNORE_SELF(block, clean, data, 0, 0);
#endif
    break;
  case GC_NS_QUALIFY(PointerFreeGC):
    block = GC_MALLOC_ATOMIC(bytes);
    break;
#ifdef GC_ATOMIC_UNCOLLECTABLE
  case GC_NS_QUALIFY(PointerFreeNoGC):
    block = GC_MALLOC_ATOMIC_UNCOLLECTABLE(bytes);
    break;
#endif
  case GC_NS_QUALIFY(NoGC):
  default:
    block = GC_MALLOC_UNCOLLECTABLE(bytes);
    break;
  }
  GC_OP_NEW_OOM_CHECK(block);
  return block;
}

inline void
operator delete(void *block, GC_NS_QUALIFY(GCPlacement), GC_NS_QUALIFY(GCCleanUpFunc), void *) GC_NOEXCEPT {
  GC_FREE(block);
}

#ifdef GC_OPERATOR_NEW_ARRAY
inline void *
operator new[](size_t bytes, GC_NS_QUALIFY(GCPlacement) placement, GC_NS_QUALIFY(GCCleanUpFunc) clean, void *data) {
  return ::operator new(bytes, placement, clean, data);
}
#endif

#ifdef GC_NAMESPACE
namespace boehmgc {
#endif

inline void *
gc::operator new(size_t bytes) {
  void *block = GC_MALLOC(bytes);
  GC_OP_NEW_OOM_CHECK(block);
  return block;
}

inline void *
gc::operator new(size_t bytes, GCPlacement placement) {
  return ::operator new(bytes, placement);
}

inline void *
gc::operator new(size_t, void *place) GC_NOEXCEPT {
  return place;
}

inline void
gc::operator delete(void *block) GC_NOEXCEPT {
  GC_FREE(block);
}

inline void
gc::operator delete(void *block, GCPlacement) GC_NOEXCEPT {
  GC_FREE(block);
}

inline void
gc::operator delete(void *, void *) GC_NOEXCEPT {}

#ifdef GC_OPERATOR_NEW_ARRAY
inline void *
gc::operator new[](size_t bytes) {
  return gc::operator new(bytes);
}

inline void *
gc::operator new[](size_t bytes, GCPlacement placement) {
  return gc::operator new(bytes, placement);
}

inline void *
gc::operator new[](size_t, void *place) GC_NOEXCEPT {
  return place;
}

inline void
gc::operator delete[](void *block) GC_NOEXCEPT {
  gc::operator delete(block);
}

inline void
gc::operator delete[](void *block, GCPlacement) GC_NOEXCEPT {
  gc::operator delete(block);
}

inline void
gc::operator delete[](void *, void *) GC_NOEXCEPT {}
#endif

inline void GC_cdecl
gc_cleanup::cleanup(void *block, void *offset) {
  static_cast<gc_cleanup *>(static_cast<void *>(static_cast<char *>(block) + reinterpret_cast<ptrdiff_t>(offset)))
    ->~gc_cleanup();
}

/*
 * A block may contain several such objects.  That which is constructed first is the one registered: the outermost base,
 * whose destructor is that of the whole object, or the first of an array.  The offset is that from the block's start,
 * which with GC_DEBUG is not the object's.
 */
inline gc_cleanup::gc_cleanup() {
#ifndef GC_NO_FINALIZATION
  void *block = GC_base(this);
  if (!block)
    return;
  GC_finalization_proc before = 0;
  void *before_data = 0;
  ptrdiff_t offset = reinterpret_cast<char *>(this) - static_cast<char *>(block);
  GC_register_finalizer_ignore_self(block, cleanup, reinterpret_cast<void *>(offset), &before, &before_data);
  if (before)
    GC_register_finalizer_ignore_self(block, before, before_data, 0, 0);
#endif
}

inline gc_cleanup::~gc_cleanup() {
#ifndef GC_NO_FINALIZATION
  void *block = GC_base(this);
  if (block)
    GC_register_finalizer_ignore_self(block, 0, 0, 0, 0);
#endif
}

#ifdef GC_NAMESPACE
}
#endif

#endif
