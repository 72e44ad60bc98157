/* SPDX-License-Identifier: MIT */
#include "record/stack_trail.h"

#include "base/platform.h"

#include <ucontext.h>

/* ---- reading a stack ---- */

CGC_INLINE bool
is_in_stack(const struct stack_start *start, uintptr_t addr) {
  return addr - start->low_addr < start->end_addr - start->low_addr && addr % sizeof addr == 0;
}

/* Another stack (of a coroutine, of signals) may end anywhere. */
CGC_COLD static bool
read_elsewhere(uintptr_t at, uintptr_t *word) {
  return at % sizeof *word == 0 && platform_read_memory(word, at, sizeof *word) == sizeof *word;
}

CGC_INLINE bool
read_word(const struct stack_start *start, uintptr_t at, uintptr_t *word) {
  if (CGC_UNLIKELY(!is_in_stack(start, at)))
    return read_elsewhere(at, word);
  *word = *(const uintptr_t *)at;
  return true;
}

/* ---- one step ---- */

/* The function that is returned to next. */
struct place {
  uintptr_t return_at;     /* where the return address lies */
  uintptr_t return_addr;
  uintptr_t sp, bp;        /* in it */
};

enum step_result {
  STEP_TO_CALLER,
  STEP_OVER_SIGNAL,   /* what follows from what is not as in other frames */
  STEP_AT_END,        /* it is the outermost frame */
  STEP_FAILED,        /* there are more, perhaps */
};

/* The interrupted function, as if it had called at the instruction that it was about to execute. */
CGC_COLD static enum step_result
step_over_signal(const struct stack_start *start, struct place *place) {
  const greg_t *registers = ((const ucontext_t *)place->sp)->uc_mcontext.gregs;
  uintptr_t code_addr;
  place->return_at = (uintptr_t)&registers[REG_RIP];
  if (!read_word(start, place->return_at, &code_addr) || !read_word(start, (uintptr_t)&registers[REG_RBP], &place->bp) ||
      !read_word(start, (uintptr_t)&registers[REG_RSP], &place->sp))
    return STEP_FAILED;
  place->return_addr = code_addr + 1;
  return STEP_OVER_SIGNAL;
}

CGC_INLINE bool
find_base(const struct stack_start *start, struct place *place, site_word site, uintptr_t *base) {
  uintptr_t offset = (uintptr_t)site_base_words(site) * sizeof(uintptr_t);
  switch (site_kind(site)) {
    case UNWIND_BY_SP: *base = place->sp + offset; return true;
    case UNWIND_BY_BP: *base = place->bp + offset; return true;
    case UNWIND_BY_BP_AT:
      return read_word(start, place->bp + offset, base) && read_word(start, place->bp, &place->bp);
    default: return false;
  }
}

/* The processor foresees branches but not addresses: where a frame lies as foreseen the next one's words are fetched
 * before it is known that it does. */
CGC_INLINE uintptr_t
as_foreseen(uintptr_t addr, uintptr_t foreseen) {
  uintptr_t copy;
  __asm__("" : "=r"(copy) : "0"(foreseen));   /* else the compiler knows that there is nothing to do */
  if (CGC_LIKELY(addr == foreseen)) {
    addr = copy;
    __asm__ volatile("");   /* else it makes a conditional move */
  }
  return addr;
}

/* To the caller's frame, whose return address probably lies at foreseen_at. */
CGC_INLINE enum step_result
step(const struct stack_start *start, struct place *place, site_word site, uintptr_t foreseen_at) {
  uintptr_t base, return_addr;
  if (CGC_UNLIKELY(site_kind(site) == UNWIND_END))
    return STEP_AT_END;
  if (CGC_UNLIKELY(site_kind(site) == UNWIND_SIGNAL))
    return step_over_signal(start, place);
  if (!find_base(start, place, site, &base) || base <= place->sp)
    return STEP_FAILED;
  uintptr_t return_at = as_foreseen(base - sizeof base, foreseen_at);
  if (!read_word(start, return_at, &return_addr) || !return_addr)
    return STEP_FAILED;
  if (site_bp_words(site) && !read_word(start, return_at + (1 - site_bp_words(site)) * sizeof base, &place->bp))
    return STEP_FAILED;
  place->return_at = return_at;
  place->return_addr = return_addr;
  place->sp = return_at + sizeof return_at;
  return STEP_TO_CALLER;
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
count_unchanged(const struct stack_trail *trail, uintptr_t return_at) {
  unsigned count = 0;
  if (trail->is_cut)
    return 0;
  while (count < trail->count && trail->return_at[count] >= return_at &&
         word_at(trail->return_at[count]) == trail->return_addr[count])
    count++;
  return trail->needs_bp_count ? count_with_same_bp(trail, count) : count;
}

/* ---- a walk ---- */

struct walk {
  unsigned fresh_count;
  unsigned shared_count;        /* outer frames that are the trail's */
  bool is_cut;
  bool crosses_signal;
};

/* The innermost frames alone. */
CGC_COLD static void
cut(struct stack_trail *trail, struct walk *walk, unsigned depth) {
  while (walk->fresh_count < depth) {
    unsigned i = --walk->shared_count;
    trail->fresh[walk->fresh_count++] =
      (struct fresh_frame){trail->return_at[i], trail->return_addr[i], trail->frames[i].bp, trail->frames[i].site};
  }
  walk->shared_count = 0;
  walk->is_cut = true;
}

/* The trail's frames before `next` lie further outside than the place.  Whether the place is the frame at `next` too, of
 * those that are unchanged. */
CGC_INLINE bool
has_joined(const struct stack_trail *trail, const struct place *place, unsigned next, unsigned unchanged) {
  if (CGC_LIKELY(next >= unchanged) || trail->return_at[next] != place->return_at)
    return false;
  const struct trail_frame *frame = &trail->frames[next];
  return frame->bp == place->bp || !frame->needs_bp;
}

CGC_INLINE void
add_fresh(struct fresh_frame *fresh, const struct place *place, site_word site) {
  fresh->return_at = place->return_at;
  fresh->return_addr = place->return_addr;
  fresh->bp = place->bp;
  fresh->site = site;
}

static struct walk
walk_stack(struct stack_trail *trail, const struct stack_start *start, struct place place, unsigned depth) {
  struct walk walk = {0};
  unsigned unchanged = count_unchanged(trail, place.return_at), next = trail->count, count = 0;
  enum step_result result = STEP_TO_CALLER;
  while (result <= STEP_OVER_SIGNAL && count < depth) {
    while (next > 0 && trail->return_at[next - 1] <= place.return_at)
      next--;
    if (has_joined(trail, &place, next, unchanged)) {
      walk.shared_count = next + 1;
      break;
    }
    site_word site = return_site_of(place.return_addr);
    add_fresh(&trail->fresh[count++], &place, site);
    result = step(start, &place, site, next ? trail->return_at[next - 1] : 0);
    walk.crosses_signal |= result == STEP_OVER_SIGNAL;
  }
  walk.fresh_count = count;
  walk.is_cut = !walk.shared_count && result != STEP_AT_END;
  if (CGC_UNLIKELY(walk.shared_count + count > depth))
    cut(trail, &walk, depth);
  return walk;
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
CGC_INLINE bool
uses_bp(site_word site, bool next_needs_bp) {
  return site_kind(site) == UNWIND_BY_SP ? !site_bp_words(site) && next_needs_bp : site_kind(site) != UNWIND_END;
}

static void
extend_trail(struct stack_trail *trail, const struct walk *walk) {
  unsigned count = walk->shared_count;
  uint64_t hash = count ? trail->frames[count - 1].hash : 0;
  bool needs_bp = count && trail->frames[count - 1].needs_bp;
  trail->needs_bp_count = (unsigned)min_u64(trail->needs_bp_count, count);
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
  trail->is_cut = walk->is_cut;
}

static uint32_t
store(const struct stack_trail *trail, const struct walk *walk, uint64_t hash, unsigned function) {
  uint32_t sites[STACK_FRAMES_MAX], shared = walk->shared_count;
  struct depot_stack head = {.parent = shared ? trail->frames[shared - 1].owner : 0, .shared_frames = (uint16_t)shared,
                             .own_frames = (uint16_t)walk->fresh_count, .function = (uint8_t)function,
                             .is_cut = walk->is_cut};
  for (unsigned i = 0; i < walk->fresh_count; i++)
    sites[i] = site_number(trail->fresh[i].site);
  return stack_depot_add(hash, &head, sites);
}

static uint32_t
find_or_store(const struct stack_trail *trail, const struct walk *walk, unsigned function) {
  uint64_t inner = trail->count ? trail->frames[trail->count - 1].hash : 0;
  uint64_t hash = mix_hash(add_to_hash(inner, (uint64_t)function << 1 | walk->is_cut));
  uint32_t number = stack_depot_find(hash);
  return number ? number : store(trail, walk, hash, function);
}

static void
set_owner(struct stack_trail *trail, unsigned from, uint32_t number) {
  for (unsigned i = from; i < trail->count; i++)
    trail->frames[i].owner = number;
}

static void
forget(struct stack_trail *trail) {
  trail->count = trail->needs_bp_count = 0;
  trail->number = 0;
}

/* Only a stack with known bounds can be compared word by word, and only of modules that are still the same. */
static bool
is_of_use(const struct stack_trail *trail, const struct stack_start *start, unsigned generation) {
  return start->end_addr && trail->generation == generation;
}

static struct place
first_place(const struct stack_start *start) {
  return (struct place){start->return_at, word_at(start->return_at), start->return_at + sizeof(uintptr_t), start->bp};
}

uintptr_t
stack_find_caller(const struct stack_start *start, uintptr_t code_addr, size_t code_bytes) {
  struct place place = first_place(start);
  for (unsigned i = 0; i < STACK_FRAMES_MAX; i++) {
    bool is_found = place.return_addr - code_addr < code_bytes;
    if (step(start, &place, return_site_of(place.return_addr), 0) >= STEP_AT_END)
      return 0;
    if (is_found)
      return place.sp;
  }
  return 0;
}

uint32_t
stack_trail_record(struct stack_trail *trail, const struct stack_start *start, unsigned function, unsigned depth) {
  unsigned generation = atom_int_load_rlx(&return_site_generation);
  if (!is_of_use(trail, start, generation))
    forget(trail);
  trail->generation = generation;
  struct walk walk = walk_stack(trail, start, first_place(start), depth);
  bool is_last = !walk.fresh_count && walk.shared_count == trail->count && function == trail->function;
  if (is_last && trail->number)
    return trail->number;
  extend_trail(trail, &walk);
  uint32_t number = find_or_store(trail, &walk, function);
  set_owner(trail, walk.shared_count, number);
  trail->number = number;
  trail->function = (uint8_t)function;
  if (!number || walk.crosses_signal || !start->end_addr)
    forget(trail);
  return number;
}
