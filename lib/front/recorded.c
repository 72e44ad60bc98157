/* SPDX-License-Identifier: MIT */
#include "front/recorded.h"

#include "base/options.h"
#include "gc/runtime.h"

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
