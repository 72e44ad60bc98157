/* SPDX-License-Identifier: MIT */
/*
 * Makes and deletes objects of every sort of gc_cpp.h, and containers of gc_allocator.h.  same_macros.sh runs this with
 * two sets of headers and the functions of stubs.c, and compares what it prints.
 */
#include <gc/gc_cpp.h>

#include <gc/gc_allocator.h>

#include <cstdio>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

#ifdef GC_NAMESPACE
using namespace boehmgc;
#endif

extern "C" {
extern int stub_fails;
void stub_finalize(void);
void own_cleanup(void *object, void *data);
}

#if !defined(GC_INCLUDE_NEW) && !defined(GC_NEW_ABORTS_ON_OOM)
void
GC_throw_bad_alloc() {
  std::puts("GC_throw_bad_alloc");
  throw std::bad_alloc();
}
#endif

/* Classes, one of each sort. */

struct plain : public gc {
  long numbers[4];
  ~plain() { std::puts("~plain"); }
};

struct failing : public gc {
  failing() { throw 1; }
};

struct cleaned : public gc_cleanup {
  long number;
  virtual ~cleaned() { std::puts("~cleaned"); }
};

struct derived : public cleaned {
  cleaned member;
  virtual ~derived() { std::puts("~derived"); }
};

struct other_base {
  long number;
  virtual ~other_base() { std::puts("~other_base"); }
};

struct second_base : public other_base, public cleaned {
  virtual ~second_base() { std::puts("~second_base"); }
};

struct container {
  char text[40];
  cleaned member;
};

void
own_cleanup(void *object, void *data) {
  std::printf("own_cleanup(%s, %ld)\n", object ? "object" : "none", *static_cast<long *>(data));
}

static void
heading(const char *text) {
  std::printf("== %s\n", text);
}

/* ---- gc ---- */

static void
make_plain(void) {
  heading("gc");
  delete new plain;
  delete new (UseGC) plain;
  delete new (NoGC) plain;
  delete new (PointerFreeGC) plain;
#ifndef GC_NAME_CONFLICT
  delete new (GC) plain;
#endif
#ifdef GC_ATOMIC_UNCOLLECTABLE
  delete new (PointerFreeNoGC) plain;
#endif
  static char place[sizeof(plain)] __attribute__((aligned(16)));
  (new (place) plain)->~plain();
}

#ifdef GC_OPERATOR_NEW_ARRAY
static void
make_arrays(void) {
  heading("arrays");
  delete[] new plain[2];
  delete[] new (NoGC) plain[2];
  delete[] new (PointerFreeGC) plain[2];
  static char place[4 * sizeof(plain)] __attribute__((aligned(16)));
  plain *objects = new (place) plain[1];
  objects->~plain();
  static_cast<void>(new (UseGC) int[10]);
  static_cast<void>(new (PointerFreeGC) int[10]);
  static_cast<void>(new (NoGC) int[10]);
  long data = 5;
  static_cast<void>(new (UseGC, own_cleanup, &data) int[10]);
  stub_finalize();
}
#endif

static void
make_failing(void) {
  heading("constructors that throw");
  for (int i = 0; i < 3; i++) {
    try {
      if (i == 0)
        new failing;
      else if (i == 1)
        new (NoGC) failing;
      else
        ::new (PointerFreeGC) failing;
    } catch (int) {
      std::puts("thrown");
    }
  }
}

/* ---- any type ---- */

static void
make_any(void) {
  heading("any type");
  static_cast<void>(new (UseGC) long);
  static_cast<void>(new (NoGC) long);
  static_cast<void>(new (PointerFreeGC) long);
#ifdef GC_ATOMIC_UNCOLLECTABLE
  static_cast<void>(new (PointerFreeNoGC) long);
#endif
  heading("with a function to clean up");
  long data = 3;
  static_cast<void>(::new (UseGC, own_cleanup, &data) long);
  stub_finalize();
  static_cast<void>(::new (UseGC, 0, &data) long);
  static_cast<void>(::new (PointerFreeGC, own_cleanup, &data) long);
  stub_finalize();
}

/* ---- gc_cleanup ---- */

template <class T>
static void
clean(const char *name) {
  heading(name);
  std::puts("unreachable:");
  static_cast<void>(new T);
  stub_finalize();
  std::puts("deleted:");
  delete new T;
  stub_finalize();
}

static void
clean_outside(void) {
  heading("gc_cleanup outside of the heap");
  {
    cleaned object;
  }
  stub_finalize();
  heading("gc_cleanup as a member of another object");
  static_cast<void>(new (UseGC) container);
  stub_finalize();
}

#ifdef GC_OPERATOR_NEW_ARRAY
static void
clean_array(void) {
  heading("array of gc_cleanup");
  static_cast<void>(new cleaned[3]);
  stub_finalize();
  std::puts("deleted:");
  delete[] new cleaned[3];
}
#endif

/* ---- allocators ---- */

template <template <class> class A>
static void
contain(const char *name) {
  heading(name);
  {
    std::vector<void *, A<void *> > pointers(5);
    std::vector<char, A<char> > characters(100);
    std::list<long, A<long> > numbers(3, 4L);
    std::map<int, void *, std::less<int>, A<std::pair<const int, void *> > > map;
    map[3] = 0;
    map[5] = 0;
    pointers.resize(50);
  }
  A<void *> allocator;
  A<void *> copy(allocator);
  A<long> converted(allocator);
  typename A<void *>::template rebind<double>::other rebound;
  std::printf("equal %d %d, max %zu\n", allocator == converted, copy != allocator, rebound.max_size());
  void **block = allocator.allocate(3);
  void *value = 0;
  allocator.construct(block, value);
  allocator.destroy(block);
  std::printf("address %d\n", allocator.address(*block) == block);
  allocator.deallocate(block, 3);
}

template <class T>
static void
fail_to_allocate(const char *name) {
  heading(name);
  try {
    T allocator;
    static_cast<void>(allocator.allocate(7));
  } catch (std::bad_alloc &) {
    std::puts("bad_alloc");
  }
}

static void
fail_to_make(void) {
  heading("no memory");
  for (int i = 0; i < 4; i++) {
    try {
      if (i == 0)
        static_cast<void>(new plain);
      else if (i == 1)
        static_cast<void>(new (NoGC) plain);
      else if (i == 2)
        static_cast<void>(::new (PointerFreeGC) long);
      else
        static_cast<void>(new (UseGC, own_cleanup) long);
    } catch (std::bad_alloc &) {
      std::puts("bad_alloc");
    }
  }
}

/* Conversions between allocators, which programs see: where they are explicit is part of the interface. */
static void
tell_types(void) {
  heading("types");
  std::printf("convertible %d %d\n", std::is_convertible<gc_allocator<int>, gc_allocator<long> >::value,
              std::is_convertible<traceable_allocator<int>, traceable_allocator<long> >::value);
  std::printf("noexcept %d %d\n", noexcept(gc_allocator<int>()), noexcept(gc_allocator<int>().deallocate(0, 0)));
  std::printf("sizes %zu %zu %zu %zu\n", sizeof(gc), sizeof(gc_cleanup), sizeof(second_base),
              sizeof(gc_allocator<int>));
}

int
main() {
  make_plain();
#ifdef GC_OPERATOR_NEW_ARRAY
  make_arrays();
  clean_array();
#endif
  make_failing();
  make_any();
  clean<cleaned>("gc_cleanup");
  clean<derived>("derived, with a member");
  clean<second_base>("second base");
  clean_outside();
  tell_types();
  contain<gc_allocator>("gc_allocator");
  contain<gc_allocator_ignore_off_page>("gc_allocator_ignore_off_page");
  contain<traceable_allocator>("traceable_allocator");

  stub_fails = 1;
  fail_to_make();
  fail_to_allocate<gc_allocator<long> >("gc_allocator without memory");
  fail_to_allocate<gc_allocator<void *> >("gc_allocator of pointers without memory");
  fail_to_allocate<gc_allocator_ignore_off_page<void *> >("gc_allocator_ignore_off_page without memory");
  fail_to_allocate<traceable_allocator<void *> >("traceable_allocator without memory");
  return 0;
}
