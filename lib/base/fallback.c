/* SPDX-License-Identifier: MIT */
#include "base/fallback.h"

#include "base/atom.h"

static atom_word noted;

static const char *const names[] = {
#define FALLBACK_NAME(id, name) [FALLBACK_##id] = name,
  FALLBACK_LIST(FALLBACK_NAME)
#undef FALLBACK_NAME
};

void
fallback_note(enum fallback fallback) {
  uintptr_t bit = (uintptr_t)1 << fallback;
  if (!(atom_load_rlx(&noted) & bit))
    atom_or_full(&noted, bit);
}

unsigned
fallback_noted(void) {
  return (unsigned)atom_load_rlx(&noted);
}

const char *
fallback_name(enum fallback fallback) {
  return names[fallback];
}
