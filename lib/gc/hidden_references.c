/* SPDX-License-Identifier: MIT */
#include "gc/hidden_references.h"

#include "base/atom.h"
#include "base/options.h"
#include "world/loaded_objects.h"

static const char *const exported_names[] = {"PL_initialise", "Sscheme_init", "luaJIT_setmode"};

static atom_int are_known;

bool
hidden_references_seek_stw(void) {
  static uint64_t seen_fingerprint;   /* lock: the cycle's */
  if (option(OPTION_HIDDEN) && loaded_objects_have_changed_stw(&seen_fingerprint) &&
      loaded_objects_export_any_stw(exported_names, CGC_COUNT(exported_names)))
    atom_int_store_rlx(&are_known, 1);
  return hidden_references_are_known();
}

bool
hidden_references_are_known(void) {
  return atom_int_load_rlx(&are_known);
}
