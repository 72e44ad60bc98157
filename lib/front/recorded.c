/* SPDX-License-Identifier: MIT */
#include "front/recorded.h"

#include "base/options.h"
#include "gc/runtime.h"

#include <string.h>

atom_int recorded_state;

/* Several threads may do this at once: to the same effect. */
CGC_COLD static bool
find_out(void) {
  if (!runtime_prepare())
    return false;
  bool is_on = option(OPTION_MODE) == OPTION_MODE_LEAK;
  if (is_on)
    recorder_start((unsigned)option(OPTION_DEPTH), option(OPTION_SAMPLE));
  atom_int_store_rel(&recorded_state, is_on ? RECORDED_ON : RECORDED_OFF);
  return is_on;
}

bool
recorded_ask(void) {
  unsigned state = atom_int_load_acq(&recorded_state);
  return state == RECORDED_UNKNOWN ? find_out() : state == RECORDED_ON;
}

void *
recorded_take(size_t bytes) {
  return alloc_slow(bytes, RECORDED_KIND);
}

void *
recorded_malloc(size_t bytes, enum record_function function) {
  return recorder_note(recorded_take(bytes), bytes, function);
}

/* A large block's memory may be known to be zero. */
void *
recorded_calloc(size_t bytes, enum record_function function) {
  if (bytes > SIZE_CLASS_MAX_BYTES)
    return recorder_note(alloc_zeroed(bytes, RECORDED_KIND), bytes, function);
  void *block = recorded_take(bytes);
  if (block)
    memset(block, 0, bytes);
  return recorder_note(block, bytes, function);
}
