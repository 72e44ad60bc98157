/* SPDX-License-Identifier: MIT */
#include "heap/span_sweep.h"

#include "base/options.h"
#include "base/platform.h"
#include "heap/page_heap.h"
#include "heap/span_table.h"

/* ---- one span ---- */

/* Condemned blocks of this kind must be confirmed by another cycle. */
static bool
needs_confirmation(const struct cgc_span *span) {
  return option(OPTION_CONFIRM) > 1 && !(span_kind(span) & SPAN_KIND_COLLECTED);
}

struct word_fate {
  uint64_t reclaimed, held, live;
};

/* A word of slots.  Who is condemned again is reclaimed; in a window, where only the owner knows what is
 * allocated, nobody is, and who is condemned stays so. */
static struct word_fate
judge_word(const struct cgc_span *span, unsigned index) {
  const struct span_word *word = &span->words[index];
  uint64_t allocated = span_word_mask(span, index) & ~span_word_free(span, index);
  uint64_t dead = allocated & ~atom_load_rlx(&word->mark), condemned = atom_load_rlx(&word->condemned);
  if (index == span->window_word)
    return (struct word_fate){0, dead & condemned, allocated & ~(dead & condemned)};
  uint64_t reclaimed = needs_confirmation(span) ? dead & condemned : dead;
  return (struct word_fate){reclaimed, dead & ~reclaimed, allocated & ~dead};
}

static void
add_fate(struct sweep_result *result, struct word_fate fate, size_t block_bytes) {
  result->live_bytes += count_bits(fate.live) * block_bytes;
  result->reclaimed_blocks += count_bits(fate.reclaimed);
  result->reclaimed_bytes += count_bits(fate.reclaimed) * block_bytes;
  result->held_blocks += count_bits(fate.held);
  result->held_bytes += count_bits(fate.held) * block_bytes;
}

/* A slot that is free, in a window too, has none: what comes to lie there next is new. */
static void
leave_marks(struct cgc_span *span, unsigned index, uint64_t kept) {
  struct span_word *word = &span->words[index];
  kept &= atom_load_rlx(&word->mark);
  atom_store_rlx(&word->mark, kept);
  if (span->slot_bytes)
    atom_store_rlx(span_scanned(span, index), kept);
  else if (!kept)
    atom_store_rlx(span_scanned(span, 0), 0);
}

static void
sweep_small(struct cgc_span *span, bool keeps_marks, struct sweep_result *result) {
  bool has_reclaimed = false;
  for (unsigned i = 0; i < span_word_count(span); i++) {
    struct span_word *word = &span->words[i];
    struct word_fate fate = judge_word(span, i);
    atom_store_rlx(&word->condemned, fate.held);
    leave_marks(span, i, keeps_marks ? fate.live : 0);
    if (fate.reclaimed) {
      atom_or_full(&word->remote, fate.reclaimed);   /* as span_free_remote */
      has_reclaimed = true;
    }
    add_fate(result, fate, span->slot_bytes);
  }
  if (has_reclaimed)
    span_list_remote(span);
}

/* True if the block is dead. */
static bool
sweep_large(struct cgc_span *span, bool keeps_marks, struct sweep_result *result) {
  struct word_fate fate = judge_word(span, 0);
  atom_store_rlx(&span->words[0].condemned, fate.held);
  leave_marks(span, 0, keeps_marks ? fate.live : 0);
  add_fate(result, fate, span_bytes(span));
  return fate.reclaimed != 0;
}

void
span_sweep(struct cgc_span *span, bool keeps_marks, struct sweep_result *result) {
  if (span_is_small(span))
    sweep_small(span, keeps_marks, result);
  else if (sweep_large(span, keeps_marks, result))
    page_heap_free(span);
}

/* ---- results ---- */

/* Atomic. */
static struct {
  atom_word live_bytes, reclaimed_blocks, reclaimed_bytes, held_blocks, held_bytes;
} found;

void
sweep_result_add(struct sweep_result *sum, const struct sweep_result *part) {
  sum->live_bytes += part->live_bytes;
  sum->reclaimed_blocks += part->reclaimed_blocks;
  sum->reclaimed_bytes += part->reclaimed_bytes;
  sum->held_blocks += part->held_blocks;
  sum->held_bytes += part->held_bytes;
}

static void
add_found(const struct sweep_result *part) {
  atom_add_full(&found.live_bytes, part->live_bytes);
  if (part->reclaimed_blocks) {
    atom_add_full(&found.reclaimed_blocks, part->reclaimed_blocks);
    atom_add_full(&found.reclaimed_bytes, part->reclaimed_bytes);
  }
  if (part->held_blocks) {
    atom_add_full(&found.held_blocks, part->held_blocks);
    atom_add_full(&found.held_bytes, part->held_bytes);
  }
}

void
span_sweep_read(struct sweep_result *result) {
  *result = (struct sweep_result){
    .live_bytes = atom_load_rlx(&found.live_bytes),
    .reclaimed_blocks = atom_load_rlx(&found.reclaimed_blocks),
    .reclaimed_bytes = atom_load_rlx(&found.reclaimed_bytes),
    .held_blocks = atom_load_rlx(&found.held_blocks),
    .held_bytes = atom_load_rlx(&found.held_bytes),
  };
}

/* ---- turns: of a used span swept_in is the turn of the last mark, or the one before if it has yet to be swept, or the
 * last with a bit while it is being swept.  With the highest bit set they are told from pages of a free run. ---- */

enum { TURN_STEP = 4, TURN_BUSY = 1 };
#define TURN_FLAG ((unsigned)1 << 31)

atom_int span_sweep_turn = TURN_FLAG;

static unsigned
turn_before(unsigned turn) {
  return (turn - TURN_STEP) | TURN_FLAG;
}

void
span_sweep_begin_stw(void) {
  atom_store_rlx(&found.live_bytes, 0);
  atom_store_rlx(&found.reclaimed_blocks, 0);
  atom_store_rlx(&found.reclaimed_bytes, 0);
  atom_store_rlx(&found.held_blocks, 0);
  atom_store_rlx(&found.held_bytes, 0);
  atom_int_store_rel(&span_sweep_turn, (atom_int_load_rlx(&span_sweep_turn) + TURN_STEP) | TURN_FLAG);
}

/* full: its words are read after that, and by nobody else before the store; pairs with span_ensure_swept. */
static bool
try_claimed(struct cgc_span *span, unsigned turn) {
  if (!atom_int_cas_full(&span->swept_in, turn_before(turn), turn | TURN_BUSY))
    return false;
  struct sweep_result result = {0};
  bool is_dead = false;
  if (span_is_small(span))
    sweep_small(span, false, &result);
  else
    is_dead = sweep_large(span, false, &result);
  add_found(&result);
  if (is_dead)
    span->state = SPAN_LIMBO;   /* who has waited for the sweep must find it gone */
  atom_int_store_rel(&span->swept_in, turn);
  if (is_dead)
    page_heap_free(span);
  return true;
}

void
span_sweep_wait(struct cgc_span *span) {
  unsigned turn = atom_int_load_rlx(&span_sweep_turn);
  if (!try_claimed(span, turn))
    span_sweep_await(span);
}

/* The state is looked at first: who makes a used span writes it after swept_in. */
void
span_sweep_try(struct cgc_span *span) {
  unsigned turn = atom_int_load_rlx(&span_sweep_turn);
  if (span_is_used(span) && atom_int_load_rlx(&span->swept_in) == turn_before(turn))
    try_claimed(span, turn);
}

void
span_sweep_await(const struct cgc_span *span) {
  unsigned busy = atom_int_load_rlx(&span_sweep_turn) | TURN_BUSY;
  while (atom_int_load_acq(&span->swept_in) == busy)
    platform_yield();
}

void
span_sweep_adopt_fork(void) {
  for (size_t i = 0; i < span_table_count(); i++)
    if (span_is_used(span_table_at(i)))
      span_sweep_set_done(span_table_at(i));
}
