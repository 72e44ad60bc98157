/* SPDX-License-Identifier: MIT */
#include "record/stack_trail.h"

#include "base/arch_x86_64.h"
#include "base/platform.h"

#include <ucontext.h>

/* ---- reading a stack ---- */

/* A word there can be read. */
CGC_INLINE bool
is_in_stack(const struct stack_start *start, uintptr_t addr) {
  return addr - start->low_addr < start->word_room;
}

/* Returned, and not stored by way of a pointer, so that a walk's values stay in registers. */
struct word_read {
  uintptr_t word;
  bool is_read;
};

static uintptr_t
word_at(uintptr_t at) {
  return *(const uintptr_t *)at;
}

/* Another stack (of a coroutine, of signals) may end anywhere: the kernel is asked for each page. */
CGC_COLD static struct word_read
read_elsewhere(struct stack_start *start, uintptr_t at) {
  uintptr_t word, page = round_down(at, ARCH_PAGE_BYTES);
  bool is_known = page && page == start->page;
  if (at % sizeof word || (!is_known && platform_read_memory(&word, at, sizeof word) != sizeof word))
    return (struct word_read){0};
  start->page = page;
  return (struct word_read){word_at(at), true};
}

CGC_INLINE struct word_read
read_word(struct stack_start *start, uintptr_t at) {
  return CGC_LIKELY(is_in_stack(start, at)) ? (struct word_read){word_at(at), true} : read_elsewhere(start, at);
}

/* ---- one step ---- */

/* The function that is returned to next. */
struct place {
  uintptr_t return_addr;
  uintptr_t sp, bp;        /* in it; the return address lies below sp, but where a signal has interrupted */
};

enum step_result {
  STEP_TO_CALLER,
  STEP_OVER_SIGNAL,   /* what follows from what is not as in other frames */
  STEP_AT_END,        /* it is the outermost frame */
  STEP_FAILED,        /* there are more, perhaps */
};

/* The interrupted function, as if it had called at the instruction that it was about to execute. */
CGC_COLD static enum step_result
step_over_signal(struct stack_start *start, struct place *place) {
  const greg_t *registers = ((const ucontext_t *)place->sp)->uc_mcontext.gregs;
  struct word_read code_addr = read_word(start, (uintptr_t)&registers[REG_RIP]);
  struct word_read bp = read_word(start, (uintptr_t)&registers[REG_RBP]);
  struct word_read sp = read_word(start, (uintptr_t)&registers[REG_RSP]);
  *place = (struct place){code_addr.word + 1, sp.word, bp.word};
  return code_addr.is_read && bp.is_read && sp.is_read ? STEP_OVER_SIGNAL : STEP_FAILED;
}

/* Of a function that keeps its frame's base in the frame, and the caller's rbp where rbp points. */
CGC_COLD static enum step_result
step_by_kept_base(struct stack_start *start, struct place *place, site_word site) {
  struct word_read base = read_word(start, place->bp + (uintptr_t)site_base_words(site) * sizeof base.word);
  struct word_read bp = read_word(start, place->bp);
  struct word_read return_addr = read_word(start, base.word - sizeof base.word);
  bool is_caller = base.is_read && bp.is_read && base.word > place->sp && base.word % sizeof base.word == 0 &&
                   return_addr.word;
  *place = (struct place){return_addr.word, base.word, bp.word};
  return is_caller ? STEP_TO_CALLER : STEP_FAILED;
}

/* The place is copied, so that it stays in registers elsewhere. */
CGC_INLINE enum step_result
step_unusually(struct stack_start *start, struct place *place, site_word site) {
  struct place copy = *place;
  enum step_result result = STEP_FAILED;
  if (site_kind(site) == UNWIND_END)
    return STEP_AT_END;
  if (site_kind(site) == UNWIND_SIGNAL)
    result = step_over_signal(start, &copy);
  else if (site_kind(site) == UNWIND_BY_BP_AT)
    result = step_by_kept_base(start, &copy, site);
  *place = copy;
  return result;
}

/* The caller's rbp, if it lies in the frame whose return address lies there.  False if it cannot be read. */
CGC_INLINE bool
restore_bp(struct stack_start *start, struct place *place, site_word site, uintptr_t return_at) {
  if (!site_bp_words(site))
    return true;
  struct word_read bp = read_word(start, return_at + (1 - site_bp_words(site)) * sizeof bp.word);
  place->bp = bp.word;
  return bp.is_read;
}

/* Where the return address lies next, if the frame is found by sp or rbp. */
CGC_INLINE uintptr_t
next_return_at(const struct place *place, site_word site) {
  uintptr_t from = site_kind(site) == UNWIND_BY_SP ? place->sp : place->bp;
  return from + ((uintptr_t)site_base_words(site) - 1) * sizeof from;
}

/* To the caller's frame. */
CGC_INLINE enum step_result
step(struct stack_start *start, struct place *place, site_word site) {
  if (CGC_UNLIKELY(site_kind(site) > UNWIND_BY_BP))
    return step_unusually(start, place, site);
  uintptr_t return_at = next_return_at(place, site);
  struct word_read return_addr = read_word(start, return_at);
  if (return_at < place->sp || return_at % sizeof return_at || !return_addr.word ||
      !restore_bp(start, place, site, return_at))
    return STEP_FAILED;
  place->return_addr = return_addr.word;
  place->sp = return_at + sizeof return_at;
  return STEP_TO_CALLER;
}

/* ---- along the trail ---- */

/* Of so many unchanged frames how many follow from each other by rbp too: where a frame needs it, the next inner one must
 * find it in the same place with the same value, or have left it alone. */
static unsigned
count_with_same_bp(const struct stack_trail *trail, unsigned count) {
  for (unsigned i = 1; i < count && i <= trail->needs_bp_count; i++) {
    const struct trail_frame *frame = &trail->frames[i], *outer = frame - 1;
    size_t words = site_bp_words(frame->site);
    bool is_kept = words && trail->needs_bp[i - 1];
    if (site_kind(frame->site) == UNWIND_BY_BP_AT ||
        (is_kept && word_at(outer->return_at + (1 - words) * sizeof(uintptr_t)) != outer->bp))
      return i;
  }
  return count;
}

/* Not 0 if the return address of that frame is another one. */
CGC_INLINE uintptr_t
difference(const struct trail_frame *frame) {
  return word_at(frame->return_at) ^ frame->return_addr;
}

/* How many of so many outermost frames are as they were.  Four at a time, as nobody can foresee where they end. */
CGC_INLINE unsigned
count_unchanged(const struct stack_trail *trail, unsigned count) {
  const struct trail_frame *frame = trail->frames, *end = frame + count;
  uintptr_t a, b, c;
  for (; frame < end; frame += 4) {
    a = difference(frame), b = difference(frame + 1), c = difference(frame + 2);
    if (a | b | c | difference(frame + 3))
      break;
  }
  if (frame < end)
    frame += !a + (!a & !b) + (!a & !b & !c);
  count = (unsigned)min_u64((uint64_t)(frame - trail->frames), count);
  return trail->needs_bp_count ? count_with_same_bp(trail, count) : count;
}

/* ---- a walk ---- */

struct walk {
  struct stack_start *start;
  const struct site_table *table;
  uint32_t *sites;           /* of new frames, the innermost first: to be written */
  unsigned depth;            /* of more frames the innermost are wanted */
  unsigned unchanged_count;  /* of the trail's outermost frames */

  struct place place;        /* of the next frame */
  unsigned next;             /* so many of the trail's frames lie there or further outside */
  unsigned fresh_count;
  site_word kinds;           /* of new frames, or'ed */
  bool crosses_signal;

  unsigned outer_count;      /* the fresh frames follow on so many of the trail's, of which the outermost */
  unsigned shared_count;     /* are unchanged, and the others are written anew */
  bool is_cut;
};

/* Whether the trail's next frame is unchanged, and goes on as before for the one that the place is in. */
CGC_INLINE bool
has_joined(const struct stack_trail *trail, const struct walk *walk, unsigned next) {
  if (CGC_LIKELY(next > walk->unchanged_count))
    return false;
  return next > trail->needs_bp_count || !trail->needs_bp[next - 1] || trail->frames[next - 1].bp == walk->place.bp;
}

CGC_INLINE site_word
write_frame(struct walk *walk, struct trail_frame *frame, uint32_t *number) {
  site_word site = return_site_in(walk->table, walk->place.return_addr);
  frame->return_addr = walk->place.return_addr;
  frame->bp = walk->place.bp;
  frame->site = site;
  *number = site_number(site);
  return site;
}

/* The processor foresees branches but not addresses: where the next frame lies as foreseen its words are fetched before
 * it is known that it does. */
CGC_INLINE bool
is_as_foreseen(uintptr_t addr, uintptr_t *foreseen) {
  bool is_same = addr == *foreseen;
  __asm__("" : "+r"(*foreseen));   /* else the compiler knows that there is nothing to wait for */
  return CGC_LIKELY(is_same);
}

/* To the return address that is foreseen; false if the site leads elsewhere. */
CGC_INLINE bool
step_as_foreseen(struct walk *walk, site_word site, uintptr_t foreseen_at) {
  if (CGC_LIKELY(site_kind(site) == UNWIND_BY_SP)) {
    if (!is_as_foreseen(walk->place.sp + site_bytes_by_sp(site) - sizeof foreseen_at, &foreseen_at))
      return false;
  } else {
    walk->kinds |= site;
    if (site_kind(site) > UNWIND_BY_BP || !is_as_foreseen(next_return_at(&walk->place, site), &foreseen_at))
      return false;
  }
  if (!restore_bp(walk->start, &walk->place, site, foreseen_at))
    return false;
  walk->place.return_addr = word_at(foreseen_at);
  walk->place.sp = foreseen_at + sizeof foreseen_at;
  return walk->place.return_addr != 0;
}

/* The frame becomes the next one; the trail's frames inside of it become fresh ones. */
CGC_INLINE void
leave_place(struct stack_trail *trail, struct walk *walk, const struct trail_frame *frame) {
  while (&trail->frames[--walk->next] != frame)
    trail->fresh[walk->fresh_count++] = trail->frames[walk->next];
  walk->place = (struct place){frame->return_addr, frame->return_at + sizeof frame->return_at, frame->bp};
}

/* The outermost frame, in place.  STEP_FAILED: another one follows. */
CGC_INLINE enum step_result
write_outermost(struct stack_trail *trail, struct walk *walk, uint32_t *number) {
  site_word site = write_frame(walk, &trail->frames[0], number);
  walk->kinds |= site;
  if (site_kind(site) != UNWIND_END && walk->fresh_count + walk->next < walk->depth)
    return STEP_FAILED;
  walk->outer_count = walk->next;
  return site_kind(site) == UNWIND_END ? STEP_AT_END : STEP_TO_CALLER;
}

/* The place is that of the trail's next frame.  As long as frames lie where the trail's do they are written anew there.
 * That leads to an unchanged one, to the outermost, or to no such frame: STEP_FAILED, and the walk goes on with the last
 * that does. */
CGC_INLINE enum step_result
walk_in_place(struct stack_trail *trail, struct walk *walk) {
  struct trail_frame *frame = &trail->frames[walk->next - 1];
  const struct trail_frame *usual = trail->frames + max_u64(walk->unchanged_count, 1);   /* and further inside */
  uint32_t *number = &walk->sites[walk->fresh_count];
  enum step_result result = STEP_FAILED;
  for (;; frame--) {
    if (CGC_UNLIKELY(frame < usual)) {
      unsigned next = (unsigned)(frame - trail->frames) + 1;
      if (has_joined(trail, walk, next)) {
        walk->outer_count = walk->next;
        walk->shared_count = next;
        return STEP_TO_CALLER;
      }
      if (next == 1) {
        result = write_outermost(trail, walk, number);
        break;
      }
    }
    site_word site = write_frame(walk, frame, number++);
    if (!step_as_foreseen(walk, site, frame[-1].return_at))
      break;
  }
  if (result == STEP_FAILED)
    leave_place(trail, walk, frame);
  return result;
}

/* The place is that of the trail's next frame: from there on it may go as before. */
CGC_INLINE enum step_result
follow(struct stack_trail *trail, struct walk *walk) {
  if (has_joined(trail, walk, walk->next)) {
    walk->shared_count = walk->outer_count = walk->next;
    return STEP_TO_CALLER;
  }
  return walk->fresh_count + walk->next <= walk->depth ? walk_in_place(trail, walk) : STEP_FAILED;
}

/* What a signal has interrupted has no return address below sp, and is nowhere where the trail was. */
CGC_INLINE bool
is_at_next(const struct stack_trail *trail, const struct walk *walk) {
  return walk->next > 0 && trail->frames[walk->next - 1].return_at == walk->place.sp - sizeof(uintptr_t) &&
         !walk->crosses_signal;
}

/* To an unchanged frame, or the outermost one, or as far as it goes. */
CGC_INLINE enum step_result
walk_stack(struct stack_trail *trail, struct walk *walk) {
  enum step_result result = STEP_TO_CALLER;
  while (walk->fresh_count < walk->depth) {
    while (walk->next > 0 && trail->frames[walk->next - 1].return_at < walk->place.sp - sizeof(uintptr_t))
      walk->next--;
    if (is_at_next(trail, walk) && (result = follow(trail, walk)) != STEP_FAILED)
      return result;
    struct trail_frame *fresh = &trail->fresh[walk->fresh_count];
    fresh->return_at = walk->place.sp - sizeof(uintptr_t);
    site_word site = write_frame(walk, fresh, &walk->sites[walk->fresh_count++]);
    walk->kinds |= site;
    result = step(walk->start, &walk->place, site);
    if (CGC_LIKELY(result == STEP_TO_CALLER))
      continue;
    if (result != STEP_OVER_SIGNAL)
      return result;
    walk->crosses_signal = true;
  }
  return result;
}

/* The innermost frames alone: the unchanged ones among them are fresh, too. */
CGC_COLD static void
take_unchanged(struct stack_trail *trail, uint32_t *sites, unsigned fresh_count, unsigned shared_count, unsigned depth) {
  for (; fresh_count < depth; fresh_count++) {
    trail->fresh[fresh_count] = trail->frames[--shared_count];
    sites[fresh_count] = site_number(trail->fresh[fresh_count].site);
  }
}

/* ---- the new trail ---- */

/* Whether rbp in the function that is returned to there is used to find a frame further outside, which needs_bp tells of
 * the next one. */
CGC_INLINE bool
uses_bp(site_word site, bool next_needs_bp) {
  return site_kind(site) == UNWIND_BY_SP ? !site_bp_words(site) && next_needs_bp : site_kind(site) != UNWIND_END;
}

/* Of the frames that are new; those that are shared beyond needs_bp_count need it not. */
CGC_INLINE void
find_needs_of_bp(struct stack_trail *trail, const struct walk *walk) {
  enum { ANY_BY_BP = UNWIND_BY_BP & UNWIND_BY_BP_AT };
  unsigned from = (unsigned)min_u64(trail->needs_bp_count, walk->shared_count);
  bool needs_bp = from && from == walk->shared_count && trail->needs_bp[from - 1];
  trail->needs_bp_count = from;
  if (CGC_LIKELY(!needs_bp && !(walk->kinds & ANY_BY_BP)))
    return;
  for (unsigned i = from; i < trail->count; i++) {
    trail->needs_bp[i] = needs_bp = i >= walk->shared_count && uses_bp(trail->frames[i].site, needs_bp);
    if (needs_bp)
      trail->needs_bp_count = i + 1;
  }
}

CGC_INLINE void
extend_trail(struct stack_trail *trail, const struct walk *walk) {
  static const uintptr_t none;
  unsigned count = walk->outer_count;
  for (unsigned i = walk->fresh_count; i-- > 0; count++)
    trail->frames[count] = trail->fresh[i];
  trail->count = count;
  trail->is_cut = walk->is_cut;
  for (unsigned i = 0; i < TRAIL_PADDING; i++)
    trail->frames[count + i].return_at = (uintptr_t)&none;   /* for count_unchanged */
  find_needs_of_bp(trail, walk);
}

static struct place
first_place(const struct stack_start *start) {
  return (struct place){word_at(start->return_at), start->return_at + sizeof(uintptr_t), start->bp};
}

uintptr_t
stack_find_caller(struct stack_start *start, uintptr_t code_addr, size_t code_bytes) {
  struct place place = first_place(start);
  for (unsigned i = 0; i < STACK_FRAMES_MAX; i++) {
    bool is_found = place.return_addr - code_addr < code_bytes;
    if (step(start, &place, return_site_of(place.return_addr)) >= STEP_AT_END)
      return 0;
    if (is_found)
      return place.sp;
  }
  return 0;
}

unsigned
stack_trail_follow(struct stack_trail *trail, struct stack_start *start, unsigned depth, uint32_t *sites) {
  unsigned generation = atom_int_load_rlx(&return_site_generation), count;
  if (!trail->is_of_use || !start->word_room || trail->generation != generation)
    stack_trail_forget(trail);
  count = trail->count;
  while (count > 0 && trail->frames[count - 1].return_at < start->return_at)
    count--;   /* is no frame any more */
  struct walk walk = {.start = start, .table = return_site_table(), .place = first_place(start), .sites = sites,
                      .depth = depth, .next = count};
  if (!trail->is_cut)
    walk.unchanged_count = count_unchanged(trail, count);
  enum step_result result = walk_stack(trail, &walk);
  walk.is_cut = !walk.shared_count && result != STEP_AT_END;
  if (CGC_UNLIKELY(walk.outer_count + walk.fresh_count > depth)) {
    take_unchanged(trail, sites, walk.fresh_count, walk.shared_count, depth);
    walk.fresh_count = depth;
    walk.outer_count = walk.shared_count = 0;
    walk.is_cut = true;
  }
  extend_trail(trail, &walk);
  trail->generation = generation;
  trail->is_of_use = start->word_room && !walk.crosses_signal;
  return walk.shared_count;
}

void
stack_trail_forget(struct stack_trail *trail) {
  trail->count = trail->needs_bp_count = 0;
}
