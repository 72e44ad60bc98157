/* SPDX-License-Identifier: MIT */
#include "gc/seen_words.h"

#include "base/atom.h"
#include "base/meta.h"
#include "heap/heap_map.h"

#include <string.h>

/* One bit for 16 bytes, allocated for each arena when its first bit is set. */
enum { GRANULE_BYTES_LOG2 = 4, ARENA_WORDS = ARENA_BYTES >> GRANULE_BYTES_LOG2 >> 6 };

/* Atomic: atom_word[ARENA_WORDS], or 0. */
static atom_word maps[ARENA_COUNT_MAX];

static atom_word *
word_of(uintptr_t addr, uint64_t *bit) {
  uintptr_t offset = addr - heap_map.base_addr;
  atom_word *words = (atom_word *)atom_load_acq(&maps[offset >> ARENA_BYTES_LOG2]);   /* pairs with add_map */
  size_t granule = (offset & (ARENA_BYTES - 1)) >> GRANULE_BYTES_LOG2;
  *bit = (uint64_t)1 << granule % 64;
  return words ? &words[granule / 64] : NULL;
}

/* Of two markers that add the same one the first wins; what the other has allocated is lost to a process under test. */
static bool
add_map(uintptr_t addr) {
  void *words = meta_alloc(ARENA_WORDS * sizeof(atom_word));
  if (!words)
    return false;
  atom_cas_full(&maps[(addr - heap_map.base_addr) >> ARENA_BYTES_LOG2], 0, (uintptr_t)words);
  return true;
}

void
seen_words_begin(void) {
  for (size_t i = 0; i < ARENA_COUNT_MAX; i++) {
    void *words = (void *)atom_load_rlx(&maps[i]);
    if (words)
      memset(words, 0, ARENA_WORDS * sizeof(atom_word));
  }
}

void
seen_words_note(uintptr_t addr) {
  uint64_t bit;
  atom_word *word = word_of(addr, &bit);
  if (!word && add_map(addr))
    word = word_of(addr, &bit);
  if (word && !(atom_load_rlx(word) & bit))
    atom_or_full(word, bit);
}

/* With the words that lie across two, as in packed structures, and without tags. */
void
seen_words_note_memory(uintptr_t start_addr, uintptr_t end_addr) {
  enum { STEP_BYTES = 4, ADDRESS_BITS = 48 };
  for (uintptr_t at = start_addr; at + sizeof at <= end_addr; at += STEP_BYTES) {
    uintptr_t word;
    memcpy(&word, (const void *)at, sizeof word);
    word &= ((uintptr_t)1 << ADDRESS_BITS) - 1;
    if (word - heap_map.base_addr < HULL_HEAP_BYTES)
      seen_words_note(word);
  }
}

bool
seen_words_has(uintptr_t addr) {
  uint64_t bit;
  const atom_word *word = word_of(addr, &bit);
  return word && atom_load_rlx(word) & bit;
}
