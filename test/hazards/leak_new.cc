/* SPDX-License-Identifier: MIT */
// Leaks by operator new. libstdc++'s operators call malloc.
#include <cstddef>

struct leaked_object {
  virtual ~leaked_object() {}
  char filler[120];
};

extern "C" void
leak_operator_new() {
  leaked_object *volatile object = new leaked_object;
  object->filler[0] = 1;
  object = nullptr;
}

extern "C" void
leak_operator_new_array(std::size_t n) {
  char *volatile array = new char[n];
  array[0] = 1;
  array = nullptr;
}

extern "C" std::size_t
leaked_object_bytes() {
  return sizeof(leaked_object);
}
