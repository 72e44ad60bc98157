/* SPDX-License-Identifier: MIT */
#include "gc/limbo.h"

#include "base/atom.h"
#include "gc/assist.h"
#include "heap/page_heap.h"

#define RESTING UINT64_MAX

/* Atomic: written by marker 0. */
static atom_word turn;

/* Atomic: the turn in which each marker last let go, or RESTING.  Written by it, once it runs. */
static atom_word let_go_in[MARKERS_MAX];

void
limbo_begin(unsigned marker_count) {
  for (unsigned i = 0; i < marker_count; i++)
    atom_store_rlx(&let_go_in[i], atom_load_rlx(&turn));
  for (unsigned i = marker_count; i < MARKERS_MAX; i++)
    atom_store_rlx(&let_go_in[i], RESTING);
}

static bool
have_all_let_go(uint64_t now) {
  for (unsigned i = 0; i < MARKERS_MAX; i++) {
    bool exists = i < crew_count() || i >= CREW_MAX;
    if (exists && atom_load_acq(&let_go_in[i]) < now)
      return false;
  }
  return true;
}

/* full, both: a marker that ends its rest sees what was hidden before, or is seen not to rest. */
void
limbo_let_go(unsigned marker_index) {
  uint64_t now = atom_load_acq(&turn);   /* pairs with the store below */
  if (atom_load_rlx(&let_go_in[marker_index]) != now)
    atom_swap_full(&let_go_in[marker_index], now);
  if (marker_index == 0 && page_heap_has_limbo() && have_all_let_go(now)) {
    page_heap_turn_limbo();
    atom_swap_full(&turn, now + 1);
  }
}

void
limbo_rest(unsigned marker_index) {
  atom_store_rel(&let_go_in[marker_index], RESTING);
}
