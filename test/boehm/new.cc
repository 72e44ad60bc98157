/* SPDX-License-Identifier: MIT */
/*
 * new and delete of a program linked with libgccpp: what they allocate is a root, and lack of memory is told by
 * bad_alloc.  Prints what is wrong; cpp_libraries.sh runs it.
 */
#include <gc/gc_cpp.h>

#include <cstdio>
#include <new>
#include <string>
#include <vector>

static int failures;
static void *volatile made;   /* a compiler may leave out a new whose result is not used */

static void
expect(const char *what, bool is_so) {
  if (is_so)
    return;
  std::printf("FAIL: %s\n", what);
  failures++;
}

struct holder {
  void *held;
};

static GC_hidden_pointer hidden_holder;   /* not a root for the holder */
static void *hidden_block;                /* a link: cleared when the block has become unreachable */

__attribute__((noinline)) static void
hold_a_block() {
  holder *object = new holder;
  void *block = GC_MALLOC(100);
  object->held = block;
  hidden_holder = GC_HIDE_POINTER(object);
  hidden_block = reinterpret_cast<void *>(GC_HIDE_POINTER(block));
  GC_general_register_disappearing_link(&hidden_block, block);
}

static void
test_roots() {
  hold_a_block();
  for (int i = 0; i < 3; i++)
    GC_gcollect();
  expect("what new allocated lives and keeps what it points to", hidden_block);
  holder *object = static_cast<holder *>(GC_REVEAL_POINTER(hidden_holder));
  expect("its pointer is as it was",
         object->held == GC_REVEAL_POINTER(reinterpret_cast<GC_hidden_pointer>(hidden_block)));
  delete object;
}

static void
test_all_forms() {
  int *one = new int;
  int *array = new int[100];
  int *nothrow = new (std::nothrow) int;
  int *nothrow_array = new (std::nothrow) int[100];
  expect("new", GC_base(one) == one);
  expect("new[]", GC_base(array) == array && GC_size(array) >= 100 * sizeof(int));
  expect("new of nothrow", GC_base(nothrow) == nothrow);
  expect("new[] of nothrow", GC_base(nothrow_array) == nothrow_array);
  delete one;
  delete[] array;
  delete nothrow;
  delete[] nothrow_array;

  std::vector<std::string> strings(100, std::string(1000, 'x'));
  expect("the library's containers", GC_base(&strings[0]) && strings[99].size() == 1000);
}

static void
test_no_memory() {
  std::size_t too_many = static_cast<std::size_t>(1) << 60;
  bool thrown = false;
  GC_set_warn_proc(GC_ignore_warn_proc);
  try {
    made = new char[too_many];
  } catch (std::bad_alloc &) {
    thrown = true;
  }
  expect("new throws bad_alloc", thrown);
  made = new (std::nothrow) char[too_many];
  expect("new of nothrow returns NULL", !made);

  thrown = false;
  try {
    made = new (UseGC) char[too_many];
  } catch (std::bad_alloc &) {
    thrown = true;
  }
  expect("new (UseGC) throws bad_alloc", thrown);
}

int
main() {
  GC_INIT();
  test_roots();
  test_all_forms();
  test_no_memory();
  return failures != 0;
}
