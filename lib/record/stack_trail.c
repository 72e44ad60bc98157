/* SPDX-License-Identifier: MIT */
#include "record/stack_trail.h"

#include "base/platform.h"

#include <ucontext.h>

/* ---- reading a stack ---- */

struct walk {
  struct stack_trail *trail;
  const struct stack_start *start;
  unsigned depth;

  /* The function that is returned to next. */
  uintptr_t return_at, return_addr;
  uintptr_t sp, bp;             /* in it */

  unsigned fresh_count;
  unsigned shared_count;        /* outer frames that are the trail's */
  bool is_cut;
  bool crosses_signal;          /* what follows from what is not as in other frames */
};

CGC_INLINE bool
is_in_stack(const struct walk *walk, uintptr_t addr) {
  return addr - walk->start->low_addr < walk->start->end_addr - walk->start->low_addr && addr % sizeof addr == 0;
}

/* Another stack (of a coroutine, of signals) may end anywhere. */
CGC_COLD static bool
read_elsewhere(uintptr_t at, uintptr_t *word) {
  return at % sizeof *word == 0 && platform_read_memory(word, at, sizeof *word) == sizeof *word;
}

CGC_INLINE bool
read_word(const struct walk *walk, uintptr_t at, uintptr_t *word) {
  if (CGC_UNLIKELY(!is_in_stack(walk, at)))
    return read_elsewhere(at, word);
  *word = *(const uintptr_t *)at;
  return true;
}

/* ---- one step ---- */

CGC_INLINE bool
find_base(const struct walk *walk, site_word site, uintptr_t *base) {
  uintptr_t offset = (uintptr_t)site_base_words(site) * sizeof(uintptr_t);
  switch (site_kind(site)) {
    case UNWIND_BY_SP: *base = walk->sp + offset; return true;
    case UNWIND_BY_BP: *base = walk->bp + offset; return true;
    case UNWIND_BY_BP_AT: return read_word(walk, walk->bp + offset, base);
    default: return false;
  }
}

/* The interrupted function, as if it had called at the instruction that it was about to execute. */
CGC_COLD static bool
step_over_signal(struct walk *walk) {
  const greg_t *registers = ((const ucontext_t *)walk->sp)->uc_mcontext.gregs;
  uintptr_t code_addr;
  walk->crosses_signal = true;
  walk->return_at = (uintptr_t)&registers[REG_RIP];
  if (!read_word(walk, walk->return_at, &code_addr) || !read_word(walk, (uintptr_t)&registers[REG_RBP], &walk->bp) ||
      !read_word(walk, (uintptr_t)&registers[REG_RSP], &walk->sp))
    return false;
  walk->return_addr = code_addr + 1;
  return true;
}

/* To the caller's frame.  False at the outermost one; is_cut tells whether there is more that cannot be unwound, and of a
 * frame with a caller, that this is not the outermost one. */
CGC_INLINE bool
step(struct walk *walk, site_word site) {
  uintptr_t base, return_addr;
  walk->is_cut = site_kind(site) != UNWIND_END;
  if (!walk->is_cut)
    return false;
  if (site_kind(site) == UNWIND_SIGNAL)
    return step_over_signal(walk);
  if (!find_base(walk, site, &base) || base <= walk->sp || !read_word(walk, base - sizeof base, &return_addr))
    return false;
  if (site_bp_words(site) && !read_word(walk, base - site_bp_words(site) * sizeof base, &walk->bp))
    return false;
  walk->return_at = base - sizeof base;
  walk->return_addr = return_addr;
  walk->sp = base;
  return return_addr != 0;
}

/* ---- along the trail ---- */

static uintptr_t
word_at(uintptr_t at) {
  return *(const uintptr_t *)at;
}

/* Of so many unchanged frames how many follow from each other by rbp too: where a frame needs it, the next inner one must
 * find it in the same place with the same value, or have left it alone. */
static unsigned
count_with_same_bp(const struct stack_trail *trail, unsigned count) {
  for (unsigned i = 1; i < count && i <= trail->needs_bp_count; i++) {
    size_t words = site_bp_words(trail->frames[i].site);
    const struct trail_frame *outer = &trail->frames[i - 1];
    bool is_kept = words && outer->needs_bp;
    if (site_kind(trail->frames[i].site) == UNWIND_BY_BP_AT ||
        (is_kept && word_at(trail->return_at[i - 1] + (1 - words) * sizeof(uintptr_t)) != outer->bp))
      return i;
  }
  return count;
}

/* How many of the outermost frames are as they were, if those are frames at all: what is below the start is not. */
static unsigned
count_unchanged(const struct walk *walk) {
  const struct stack_trail *trail = walk->trail;
  unsigned count = 0;
  while (count < trail->count && trail->return_at[count] >= walk->return_at &&
         word_at(trail->return_at[count]) == trail->return_addr[count])
    count++;
  return count_with_same_bp(trail, count);
}

/* Whether the walk has come to one of the unchanged frames, *count: those it has left behind are taken off. */
CGC_INLINE bool
has_joined(const struct walk *walk, unsigned *count) {
  const struct stack_trail *trail = walk->trail;
  while (*count && trail->return_at[*count - 1] < walk->return_at)
    --*count;
  if (!*count || trail->return_at[*count - 1] != walk->return_at)
    return false;
  const struct trail_frame *frame = &trail->frames[*count - 1];
  return frame->bp == walk->bp || !frame->needs_bp;
}

/* The innermost frames alone. */
static void
cut(struct walk *walk) {
  struct stack_trail *trail = walk->trail;
  while (walk->fresh_count < walk->depth) {
    unsigned i = --walk->shared_count;
    trail->fresh[walk->fresh_count++] =
      (struct fresh_frame){trail->return_at[i], trail->return_addr[i], trail->frames[i].bp, trail->frames[i].site};
  }
  walk->shared_count = 0;
  walk->is_cut = true;
}

static void
walk_stack(struct walk *walk) {
  struct stack_trail *trail = walk->trail;
  unsigned unchanged = trail->is_cut ? 0 : count_unchanged(walk);
  bool has_caller = true;
  while (has_caller && walk->fresh_count < walk->depth) {
    if (has_joined(walk, &unchanged)) {
      walk->shared_count = unchanged;
      walk->is_cut = false;
      break;
    }
    site_word site = return_site_of(walk->return_addr);
    struct fresh_frame *fresh = &trail->fresh[walk->fresh_count++];
    fresh->return_at = walk->return_at;
    fresh->return_addr = walk->return_addr;
    fresh->bp = walk->bp;
    fresh->site = site;
    has_caller = step(walk, site);
  }
  if (walk->shared_count + walk->fresh_count > walk->depth)
    cut(walk);
}

/* ---- the new trail ---- */

/* A multiplication for each frame, as they wait for each other; mixed at the end. */
static uint64_t
add_to_hash(uint64_t hash, uint64_t word) {
  return (hash + word) * 0x9fb21c651e98df25;
}

static uint64_t
mix_hash(uint64_t hash) {
  hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93;
  hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93;
  return hash ^ hash >> 32;
}

/* Whether rbp in the function that is returned to there is used to find a frame further outside, which needs_bp tells of
 * the next one. */
static bool
uses_bp(site_word site, bool next_needs_bp) {
  return site_kind(site) == UNWIND_BY_SP ? !site_bp_words(site) && next_needs_bp : site_kind(site) != UNWIND_END;
}

static void
extend_trail(const struct walk *walk) {
  struct stack_trail *trail = walk->trail;
  unsigned count = walk->shared_count;
  uint64_t hash = count ? trail->frames[count - 1].hash : 0;
  bool needs_bp = count && trail->frames[count - 1].needs_bp;
  for (unsigned i = walk->fresh_count; i-- > 0; count++) {
    const struct fresh_frame *fresh = &trail->fresh[i];
    struct trail_frame *frame = &trail->frames[count];
    trail->return_at[count] = fresh->return_at;
    trail->return_addr[count] = fresh->return_addr;
    frame->bp = fresh->bp;
    frame->site = fresh->site;
    frame->needs_bp = needs_bp = uses_bp(fresh->site, needs_bp);
    frame->hash = hash = add_to_hash(hash, site_number(fresh->site));
    if (CGC_UNLIKELY(needs_bp))
      trail->needs_bp_count = count + 1;
  }
  trail->count = count;
}

static uint32_t
store(const struct walk *walk, uint64_t hash, unsigned function) {
  const struct stack_trail *trail = walk->trail;
  uint32_t sites[STACK_FRAMES_MAX], shared = walk->shared_count;
  struct depot_stack head = {.parent = shared ? trail->frames[shared - 1].owner : 0, .shared_frames = (uint16_t)shared,
                             .own_frames = (uint16_t)walk->fresh_count, .function = (uint8_t)function,
                             .is_cut = walk->is_cut};
  for (unsigned i = 0; i < walk->fresh_count; i++)
    sites[i] = site_number(trail->fresh[i].site);
  return stack_depot_add(hash, &head, sites);
}

static uint32_t
find_or_store(const struct walk *walk, unsigned function) {
  struct stack_trail *trail = walk->trail;
  uint64_t inner = trail->count ? trail->frames[trail->count - 1].hash : 0;
  uint64_t hash = mix_hash(add_to_hash(inner, (uint64_t)function << 1 | walk->is_cut));
  uint32_t number = stack_depot_find(hash);
  return number ? number : store(walk, hash, function);
}

static void
set_owner(struct stack_trail *trail, unsigned from, uint32_t number) {
  for (unsigned i = from; i < trail->count; i++)
    trail->frames[i].owner = number;
}

static bool
is_last_stack(const struct walk *walk, unsigned function) {
  const struct stack_trail *trail = walk->trail;
  return !walk->fresh_count && walk->shared_count == trail->count && function == trail->function && trail->number;
}

uint32_t
stack_trail_record(struct stack_trail *trail, const struct stack_start *start, unsigned function, unsigned depth) {
  struct walk walk = {.trail = trail, .start = start, .depth = depth, .return_at = start->return_at,
                      .return_addr = word_at(start->return_at), .bp = start->bp,
                      .sp = start->return_at + sizeof(uintptr_t)};
  unsigned generation = atom_int_load_rlx(&return_site_generation);
  bool is_followable = start->end_addr != 0;
  if (generation != trail->generation || !is_followable)
    trail->count = 0;
  trail->generation = generation;
  walk_stack(&walk);
  if (is_last_stack(&walk, function))
    return trail->number;
  trail->needs_bp_count = (unsigned)min_u64(trail->needs_bp_count, walk.shared_count);
  extend_trail(&walk);
  trail->is_cut = walk.is_cut;
  trail->function = (uint8_t)function;
  trail->number = find_or_store(&walk, function);
  set_owner(trail, walk.shared_count, trail->number);
  uint32_t number = trail->number;
  if (!number || walk.crosses_signal || !is_followable)
    trail->count = trail->number = 0;
  return number;
}
