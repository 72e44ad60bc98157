/* SPDX-License-Identifier: MIT */
#include "record/return_site.h"

#include "base/lock.h"
#include "base/meta.h"
#include "record/module.h"

enum {
  CHUNK_SITES = 4096,
  CHUNKS_MAX = (1 << SITE_NUMBER_BITS) / CHUNK_SITES,
  FIRST_SLOTS = CGC_CONFIG_HOSTILE ? 16 : 4096,
};

static struct site_table no_sites = {.slots = {{0, 0}}};
atom_word return_sites = (atom_word)&no_sites;
atom_int return_site_generation;

/* Lock: site_lock, but for reads of what is published. */
static struct lock site_lock = LOCK_INITIALIZER(LOCK_RANK_SITES);
static struct return_site *chunks[CHUNKS_MAX];   /* number - 1 */
static atom_word count;

/* ---- numbers ---- */

const struct return_site *
return_site_at(uint32_t number) {
  return &chunks[(number - 1) / CHUNK_SITES][(number - 1) % CHUNK_SITES];
}

/* 0 if there is no memory. */
static uint32_t
add_site_locked(uintptr_t return_addr, unsigned module) {
  size_t index = atom_load_rlx(&count);
  if (index / CHUNK_SITES == CHUNKS_MAX)
    return 0;
  struct return_site **chunk = &chunks[index / CHUNK_SITES];
  if (!*chunk)
    *chunk = meta_alloc(CHUNK_SITES * sizeof **chunk);
  if (!*chunk)
    return 0;
  const struct module *of = module ? module_at(module) : NULL;
  (*chunk)[index % CHUNK_SITES] = (struct return_site){return_addr, module, of && of->is_own, of && of->is_loader};
  atom_store_rel(&count, index + 1);
  return (uint32_t)index + 1;
}

/* ---- words ---- */

static site_word
site_of(uint32_t number, const struct unwind_rule *rule) {
  int64_t base_words = rule->base_offset / 8, bp_words = -(int64_t)rule->bp_offset / 8;
  bool fits = base_words < 1 << (SITE_BASE_BITS - 1) && base_words >= -(1 << (SITE_BASE_BITS - 1)) && bp_words >= 0 &&
              bp_words < 1 << SITE_BP_BITS && rule->base_offset % 8 == 0 && rule->bp_offset % 8 == 0;
  site_word word = (site_word)number << SITE_NUMBER_SHIFT;
  if (!fits)
    return word | UNWIND_UNKNOWN;
  uint64_t base_bits = (uint64_t)base_words & ((1 << SITE_BASE_BITS) - 1);
  return word | base_bits << SITE_BASE_SHIFT | (uint64_t)bp_words << SITE_BP_SHIFT | rule->kind;
}

/* Code without an unwind table, as compilers at run time make it, may keep frame pointers. */
static struct unwind_rule
rule_at(uintptr_t return_addr, unsigned module) {
  struct unwind_rule rule;
  const void *header = module ? module_at(module)->unwind_header : NULL;
  if (header && unwind_table_find(header, return_addr - 1, &rule))
    return rule;
  return (struct unwind_rule){.kind = UNWIND_BY_BP, .base_offset = 16, .bp_offset = -16};
}

/* ---- the table ---- */

static struct site_table *
table_now(void) {
  return (struct site_table *)atom_load_rlx(&return_sites);
}

/* The slot of that address, or the free one for it. */
static struct site_slot *
slot_for(struct site_table *table, uintptr_t return_addr) {
  for (size_t i = return_site_hash(return_addr);; i++) {
    struct site_slot *slot = &table->slots[i & table->mask];
    uintptr_t found = atom_load_rlx(&slot->return_addr);
    if (!found || found == return_addr)
      return slot;
  }
}

static void
put(struct site_table *table, uintptr_t return_addr, site_word site) {
  struct site_slot *slot = slot_for(table, return_addr);
  atom_store_rlx(&slot->site, site);
  atom_store_rel(&slot->return_addr, return_addr);   /* pairs with return_site_in */
}

/* Who still reads the old one finds less there, and comes back with the lock. */
static bool
grow_locked(void) {
  struct site_table *old = table_now();
  size_t slots = max_u64(2 * (old->mask + 1), FIRST_SLOTS);
  struct site_table *table = meta_alloc(sizeof *table + slots * sizeof table->slots[0]);
  if (!table)
    return false;
  table->mask = slots - 1;
  for (size_t i = 0; i <= old->mask; i++)
    if (atom_load_rlx(&old->slots[i].return_addr) > SITE_SLOT_STALE)
      put(table, atom_load_rlx(&old->slots[i].return_addr), atom_load_rlx(&old->slots[i].site));
  atom_store_rel(&return_sites, (uintptr_t)table);   /* pairs with return_site_table */
  return true;
}

/* At most half full, so that there is always a free slot.  Counted are stale sites, too. */
static bool
has_room_locked(void) {
  struct site_table *table = table_now();
  return atom_load_rlx(&count) < (table->mask + 1) / 2 || grow_locked();
}

static site_word
resolve_locked(uintptr_t return_addr) {
  if (!has_room_locked())
    return UNWIND_UNKNOWN;
  struct site_slot *slot = slot_for(table_now(), return_addr);
  if (atom_load_rlx(&slot->return_addr))
    return atom_load_rlx(&slot->site);   /* another thread was first */
  unsigned module = module_find_locked(return_addr - 1);
  uint32_t number = add_site_locked(return_addr, module);
  if (!number)
    return UNWIND_UNKNOWN;
  struct unwind_rule rule = rule_at(return_addr, module);
  site_word site = site_of(number, &rule);
  put(table_now(), return_addr, site);
  return site;
}

site_word
return_site_resolve(uintptr_t return_addr) {
  lock_acquire(&site_lock);
  site_word site = resolve_locked(return_addr);
  lock_release(&site_lock);
  return site;
}

/* ---- unloaded modules ---- */

static void
make_stale(const struct module *module) {
  struct site_table *table = table_now();
  for (size_t i = 0; i <= table->mask; i++) {
    struct site_slot *slot = &table->slots[i];
    uintptr_t at = atom_load_rlx(&slot->return_addr);
    if (at && at - module->start_addr < module->end_addr - module->start_addr)
      atom_store_rlx(&slot->return_addr, SITE_SLOT_STALE);
  }
  atom_int_add_full(&return_site_generation, 1);
}

void
return_sites_refresh(void) {
  lock_acquire(&site_lock);
  module_refresh_locked(make_stale);
  lock_release(&site_lock);
}

void
return_sites_adopt_fork(void) {
  lock_reset(&site_lock);
}
