/* SPDX-License-Identifier: MIT */
/**
 * Allocators for the containers of the C++ library.
 *
 *   gc_allocator<T>                  Memory that is collected; not scanned if T is declared by GC_DECLARE_PTRFREE, as
 *                                    numbers and characters are.
 *   gc_allocator_ignore_off_page<T>  The same for large arrays, as GC_malloc_ignore_off_page.
 *   traceable_allocator<T>           Memory that lives until the container frees it, but is scanned: for containers
 *                                    that are not collected and hold pointers to what is.
 *
 * All allocators of a sort are equal.  When there is no memory they throw std::bad_alloc, or end the program, if
 * GC_NEW_ABORTS_ON_OOM is defined.
 */
#ifndef GC_ALLOCATOR_H
#define GC_ALLOCATOR_H

#include "gc.h"

#include <new>

#if defined(GC_NEW_ABORTS_ON_OOM) || defined(_LIBCPP_NO_EXCEPTIONS)
#define GC_ALLOCATOR_THROW_OR_ABORT() GC_abort_on_oom()
#else
#define GC_ALLOCATOR_THROW_OR_ABORT() throw std::bad_alloc()
#endif

/* ---- which types hold no pointers ---- */

struct GC_true_type {};
struct GC_false_type {};

template <class GC_type>
struct GC_type_traits {
  GC_false_type GC_is_ptr_free;
};

/* Objects of the type hold no pointers to collected memory. */
#define GC_DECLARE_PTRFREE(type) \
  template <> \
  struct GC_type_traits<type> { \
    GC_true_type GC_is_ptr_free; \
  }

GC_DECLARE_PTRFREE(char);
GC_DECLARE_PTRFREE(signed char);
GC_DECLARE_PTRFREE(unsigned char);
GC_DECLARE_PTRFREE(signed short);
GC_DECLARE_PTRFREE(unsigned short);
GC_DECLARE_PTRFREE(signed int);
GC_DECLARE_PTRFREE(unsigned int);
GC_DECLARE_PTRFREE(signed long);
GC_DECLARE_PTRFREE(unsigned long);
GC_DECLARE_PTRFREE(float);
GC_DECLARE_PTRFREE(double);
GC_DECLARE_PTRFREE(long double);

template <class GC_ptr_free>
inline void *
GC_selective_alloc(size_t bytes, GC_ptr_free, bool ignore_off_page) {
  void *block = ignore_off_page ? GC_MALLOC_IGNORE_OFF_PAGE(bytes) : GC_MALLOC(bytes);
  if (!block)
    GC_ALLOCATOR_THROW_OR_ABORT();
  return block;
}

template <>
inline void *
GC_selective_alloc<GC_true_type>(size_t bytes, GC_true_type, bool ignore_off_page) {
  void *block = ignore_off_page ? GC_MALLOC_ATOMIC_IGNORE_OFF_PAGE(bytes) : GC_MALLOC_ATOMIC(bytes);
  if (!block)
    GC_ALLOCATOR_THROW_OR_ABORT();
  return block;
}

/* ---- what all allocators have ---- */

template <class GC_type>
class GC_allocator_members {
public:
  typedef size_t size_type;
  typedef ptrdiff_t difference_type;
  typedef GC_type *pointer;
  typedef const GC_type *const_pointer;
  typedef GC_type &reference;
  typedef const GC_type &const_reference;
  typedef GC_type value_type;

  pointer address(reference object) const { return &object; }
  const_pointer address(const_reference object) const { return &object; }

  void deallocate(pointer block, size_type) GC_NOEXCEPT { GC_FREE(block); }
  size_type max_size() const GC_NOEXCEPT { return size_t(-1) / sizeof(GC_type); }

  void construct(pointer place, const GC_type &value) { new (place) GC_type(value); }
  void destroy(pointer object) { object->~GC_type(); }
};

/* ---- the allocators ---- */

template <class GC_type>
class gc_allocator : public GC_allocator_members<GC_type> {
public:
  template <class GC_other>
  struct rebind {
    typedef gc_allocator<GC_other> other;
  };

  gc_allocator() GC_NOEXCEPT {}
  gc_allocator(const gc_allocator &) GC_NOEXCEPT {}
#ifndef GC_NO_MEMBER_TEMPLATES
  template <class GC_other>
  GC_ATTR_EXPLICIT gc_allocator(const gc_allocator<GC_other> &) GC_NOEXCEPT {}
#endif
  ~gc_allocator() GC_NOEXCEPT {}

  GC_type *allocate(size_t count, const void * = 0) {
    return static_cast<GC_type *>(
      GC_selective_alloc(count * sizeof(GC_type), GC_type_traits<GC_type>().GC_is_ptr_free, false));
  }
};

template <>
class gc_allocator<void> {
public:
  typedef size_t size_type;
  typedef ptrdiff_t difference_type;
  typedef void *pointer;
  typedef const void *const_pointer;
  typedef void value_type;

  template <class GC_other>
  struct rebind {
    typedef gc_allocator<GC_other> other;
  };
};

template <class GC_one, class GC_other>
inline bool
operator==(const gc_allocator<GC_one> &, const gc_allocator<GC_other> &) GC_NOEXCEPT {
  return true;
}

template <class GC_one, class GC_other>
inline bool
operator!=(const gc_allocator<GC_one> &, const gc_allocator<GC_other> &) GC_NOEXCEPT {
  return false;
}

template <class GC_type>
class gc_allocator_ignore_off_page : public GC_allocator_members<GC_type> {
public:
  template <class GC_other>
  struct rebind {
    typedef gc_allocator_ignore_off_page<GC_other> other;
  };

  gc_allocator_ignore_off_page() GC_NOEXCEPT {}
  gc_allocator_ignore_off_page(const gc_allocator_ignore_off_page &) GC_NOEXCEPT {}
#ifndef GC_NO_MEMBER_TEMPLATES
  template <class GC_other>
  GC_ATTR_EXPLICIT gc_allocator_ignore_off_page(const gc_allocator_ignore_off_page<GC_other> &) GC_NOEXCEPT {}
#endif
  ~gc_allocator_ignore_off_page() GC_NOEXCEPT {}

  GC_type *allocate(size_t count, const void * = 0) {
    return static_cast<GC_type *>(
      GC_selective_alloc(count * sizeof(GC_type), GC_type_traits<GC_type>().GC_is_ptr_free, true));
  }
};

template <>
class gc_allocator_ignore_off_page<void> {
public:
  typedef size_t size_type;
  typedef ptrdiff_t difference_type;
  typedef void *pointer;
  typedef const void *const_pointer;
  typedef void value_type;

  template <class GC_other>
  struct rebind {
    typedef gc_allocator_ignore_off_page<GC_other> other;
  };
};

template <class GC_one, class GC_other>
inline bool
operator==(const gc_allocator_ignore_off_page<GC_one> &, const gc_allocator_ignore_off_page<GC_other> &) GC_NOEXCEPT {
  return true;
}

template <class GC_one, class GC_other>
inline bool
operator!=(const gc_allocator_ignore_off_page<GC_one> &, const gc_allocator_ignore_off_page<GC_other> &) GC_NOEXCEPT {
  return false;
}

template <class GC_type>
class traceable_allocator : public GC_allocator_members<GC_type> {
public:
  template <class GC_other>
  struct rebind {
    typedef traceable_allocator<GC_other> other;
  };

  traceable_allocator() GC_NOEXCEPT {}
  traceable_allocator(const traceable_allocator &) GC_NOEXCEPT {}
#ifndef GC_NO_MEMBER_TEMPLATES
  template <class GC_other>
  GC_ATTR_EXPLICIT traceable_allocator(const traceable_allocator<GC_other> &) GC_NOEXCEPT {}
#endif
  ~traceable_allocator() GC_NOEXCEPT {}

  GC_type *allocate(size_t count, const void * = 0) {
    void *block = GC_MALLOC_UNCOLLECTABLE(count * sizeof(GC_type));
    if (!block)
      GC_ALLOCATOR_THROW_OR_ABORT();
    return static_cast<GC_type *>(block);
  }
};

template <>
class traceable_allocator<void> {
public:
  typedef size_t size_type;
  typedef ptrdiff_t difference_type;
  typedef void *pointer;
  typedef const void *const_pointer;
  typedef void value_type;

  template <class GC_other>
  struct rebind {
    typedef traceable_allocator<GC_other> other;
  };
};

template <class GC_one, class GC_other>
inline bool
operator==(const traceable_allocator<GC_one> &, const traceable_allocator<GC_other> &) GC_NOEXCEPT {
  return true;
}

template <class GC_one, class GC_other>
inline bool
operator!=(const traceable_allocator<GC_one> &, const traceable_allocator<GC_other> &) GC_NOEXCEPT {
  return false;
}

#endif
