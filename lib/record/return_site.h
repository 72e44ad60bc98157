/* SPDX-License-Identifier: MIT */
/*
 * Return sites: the addresses that calls return to, each looked up in the unwind tables once.  What is known of one fits
 * in a word, so that to step from a frame to its caller's takes one load from a hash table.
 *
 * Invariant
 *   [site.stale] the sites of a module that is not loaded any more are not found: code at the same address is a new site
 */
#ifndef CGC_RECORD_RETURN_SITE_H
#define CGC_RECORD_RETURN_SITE_H

#include "base/atom.h"
#include "record/unwind_table.h"

/*
 * A site as a word:   number | base offset / 8 | rbp offset / -8 | kind
 * Offsets that do not fit make the kind UNWIND_UNKNOWN.
 */
enum {
  SITE_KIND_BITS = 3, SITE_BP_BITS = 13, SITE_BASE_BITS = 20, SITE_NUMBER_BITS = 28,
  SITE_BP_SHIFT = SITE_KIND_BITS, SITE_BASE_SHIFT = SITE_BP_SHIFT + SITE_BP_BITS,
  SITE_NUMBER_SHIFT = SITE_BASE_SHIFT + SITE_BASE_BITS,
};

typedef uint64_t site_word;

CGC_INLINE enum unwind_kind
site_kind(site_word site) {
  return (enum unwind_kind)(site & ((1 << SITE_KIND_BITS) - 1));
}

/* Below the base, in words; 0: rbp is the caller's. */
CGC_INLINE size_t
site_bp_words(site_word site) {
  return site >> SITE_BP_SHIFT & ((1 << SITE_BP_BITS) - 1);
}

/* Signed. */
CGC_INLINE intptr_t
site_base_words(site_word site) {
  return (intptr_t)(site << SITE_NUMBER_BITS) >> (SITE_NUMBER_BITS + SITE_BASE_SHIFT);
}

/* The same in bytes, of one by the stack pointer, whose frame has some. */
CGC_INLINE size_t
site_bytes_by_sp(site_word site) {
  return site >> (SITE_BASE_SHIFT - 3) & (((1 << SITE_BASE_BITS) - 1) << 3);
}

/* From 1 on; 0: there was no memory to note it. */
CGC_INLINE uint32_t
site_number(site_word site) {
  return (uint32_t)(site >> SITE_NUMBER_SHIFT);
}

enum { SITE_SLOT_STALE = 1 };   /* no return address */

struct site_slot {
  atom_word return_addr;   /* 0: free; SITE_SLOT_STALE.  Written last */
  atom_word site;
};

/* Open addressing; a table that is too full is replaced by a larger one. */
struct site_table {
  size_t mask;
  struct site_slot slots[];
};

extern atom_word return_sites;   /* struct site_table * */

/* Rises whenever sites have become stale. */
extern atom_int return_site_generation;

CGC_INLINE size_t
return_site_hash(uintptr_t return_addr) {
  return return_addr * 0x9e3779b97f4a7c15 >> 32;
}

/* Looks it up in the unwind tables. */
site_word return_site_resolve(uintptr_t return_addr);

CGC_INLINE const struct site_table *
return_site_table(void) {
  return (const struct site_table *)atom_load_acq(&return_sites);   /* pairs with grow_locked */
}

/* By that table, or if it is not there by what is known now. */
CGC_INLINE site_word
return_site_in(const struct site_table *table, uintptr_t return_addr) {
  for (size_t i = return_site_hash(return_addr);; i++) {
    const struct site_slot *slot = &table->slots[i & table->mask];
    uintptr_t found = atom_load_acq(&slot->return_addr);   /* pairs with put */
    if (CGC_LIKELY(found == return_addr))
      return atom_load_rlx(&slot->site);
    if (!found)
      return return_site_resolve(return_addr);
  }
}

CGC_INLINE site_word
return_site_of(uintptr_t return_addr) {
  return return_site_in(return_site_table(), return_addr);
}

/* Where a site is, and in which module (0: in none). */
struct return_site {
  uintptr_t return_addr;
  uint32_t  module;
  bool      is_own;     /* in this library */
  bool      is_loader;  /* in the dynamic loader */
};

const struct return_site *return_site_at(uint32_t number);

/* Libraries may have been unloaded. */
void return_sites_refresh(void);

/* In a forked child. */
void return_sites_adopt_fork(void);

#endif
