/* SPDX-License-Identifier: MIT */
#include "heap/page_heap.h"

#include "base/fatal.h"
#include "base/lock.h"
#include "base/platform.h"
#include "heap/free_runs.h"
#include "heap/scavenger.h"
#include "heap/span_sweep.h"
#include "heap/span_table.h"

#include <errno.h>
#include <string.h>

enum {
  GROW_PAGES_MIN = CGC_CONFIG_HOSTILE ? 1 : 128,
  GROW_PAGES_MAX = 4096,
  ARENA_ATTEMPTS = 16,
};

/* The rest of one kind's newest arenas, not mapped yet. */
struct growth {
  uintptr_t next_addr, end_addr;
};

/* In a cache line of its own: threads that wait for the lock are not to disturb those that read what lies beside it. */
static struct {
  struct lock lock;

  /* Lock: lock. */
  struct growth growths[2];   /* [span kind & SPAN_KIND_NOSCAN] */

  /* Lock: lock; anyone may read them. */
  atom_word used_pages;
  atom_word mapped_pages;
} CGC_ALIGNED(64) page_heap = {.lock = LOCK_INITIALIZER(LOCK_RANK_PAGE_HEAP)};

void
page_heap_init(void) {
  heap_map_init();
  span_table_init();
}

size_t
page_heap_used_bytes(void) {
  return atom_load_rlx(&page_heap.used_pages) << SPAN_PAGE_BYTES_LOG2;
}

size_t
page_heap_retained_bytes(void) {
  return free_runs_touched_pages() << SPAN_PAGE_BYTES_LOG2;
}

size_t
page_heap_mapped_bytes(void) {
  return atom_load_rlx(&page_heap.mapped_pages) << SPAN_PAGE_BYTES_LOG2;
}

/* ---- growth ---- */

static uintptr_t
heap_end(void) {
  return heap_map.base_addr + atom_load_rlx(&heap_map.extent_bytes);
}

/* Where the next pages go: on in the newest arena, also over its end if nothing lies there; else in
 * a new one. */
static uintptr_t
growth_addr(const struct growth *growth, size_t bytes) {
  bool fits = growth->end_addr - growth->next_addr >= bytes || growth->end_addr == heap_end();
  return fits && growth->next_addr ? growth->next_addr : heap_end();
}

static bool
cover_with_arenas_locked(unsigned kind, uintptr_t end) {
  while (heap_end() < end)
    if (!heap_map_add_arena_locked(kind))
      return false;
  return true;
}

/* The first page of what begins with an arena: its address stands in our static data, which is scanned, so that no
 * block may begin there.  And it keeps the free runs of the two kinds apart. */
static size_t
pages_unused_at(uintptr_t addr) {
  return addr == heap_end();
}

/* Maps that many pages where the kind grows, then makes arenas for them: a request that the system refuses leaves
 * nothing behind. */
static int
map_pages_locked(struct growth *growth, unsigned kind, size_t pages) {
  uintptr_t addr = growth_addr(growth, pages << SPAN_PAGE_BYTES_LOG2);
  size_t unused = pages_unused_at(addr), bytes = (unused + pages) << SPAN_PAGE_BYTES_LOG2;
  uintptr_t end = addr + bytes;
  struct cgc_span *span = end <= hull.end_addr ? span_table_take_locked(0) : NULL;
  int err = span ? platform_map(addr, bytes) : ENOMEM;
  if (!err && !cover_with_arenas_locked(kind, end)) {
    platform_unmap(addr, bytes);
    err = ENOMEM;
  }
  if (err) {
    if (span)
      span_table_give_locked(span);
    return err;
  }
  heap_map_set_mapped(addr, unused + pages);
  heap_map_arena(addr)->unused_pages |= unused;
  if (end > growth->end_addr || addr != growth->next_addr)
    growth->end_addr = heap_end();
  growth->next_addr = end;
  atom_store_rlx(&page_heap.mapped_pages, atom_load_rlx(&page_heap.mapped_pages) + pages);
  free_runs_add_locked(span, kind, addr + (unused << SPAN_PAGE_BYTES_LOG2), pages, 0);
  return 0;
}

/* Somebody else's mapping lies in the way: go on behind the next arena. */
static bool
skip_arena_locked(struct growth *growth, unsigned kind) {
  if (!heap_map_add_arena_locked(kind))
    return false;
  growth->next_addr = growth->end_addr = heap_end();
  return true;
}

/* Small steps: the best fit is often in the newest run, and touches it while memory that is there already is
 * free. */
static size_t
growth_pages(size_t pages) {
  size_t step = atom_load_rlx(&page_heap.mapped_pages) / 64;
  step = step < GROW_PAGES_MIN ? GROW_PAGES_MIN : step > GROW_PAGES_MAX ? GROW_PAGES_MAX : step;
  return pages > step ? pages : step;
}

static bool
grow_locked(unsigned kind, size_t pages) {
  struct growth *growth = &page_heap.growths[kind & SPAN_KIND_NOSCAN];
  for (int attempt = 0; attempt < ARENA_ATTEMPTS; attempt++) {
    int err = map_pages_locked(growth, kind, growth_pages(pages));
    if (err == ENOMEM)
      err = map_pages_locked(growth, kind, pages);
    if (err != EEXIST)
      return err == 0;
    if (!skip_arena_locked(growth, kind))
      return false;
  }
  return false;
}

/* ---- giving memory back ---- */

size_t
page_heap_scavenge(size_t keep_bytes) {
  lock_acquire(&page_heap.lock);
  size_t bytes = scavenger_discard_locked(keep_bytes >> SPAN_PAGE_BYTES_LOG2, UINT64_MAX);
  lock_release(&page_heap.lock);
  return bytes;
}

void
page_heap_give_back_old(void) {
  if (!scavenger_is_due())
    return;
  lock_acquire(&page_heap.lock);
  scavenger_discard_old_locked();
  lock_release(&page_heap.lock);
}

void
page_heap_expect_growth(size_t bytes) {
  lock_acquire(&page_heap.lock);
  scavenger_expect_locked(bytes >> SPAN_PAGE_BYTES_LOG2);
  lock_release(&page_heap.lock);
}

/* ---- used spans ---- */

static void
map_used(struct cgc_span *span, struct cgc_span *entry) {
  struct cgc_span **at = heap_map_entry(span->base_addr);
  for (size_t i = 0; i < span->page_count; i++)
    at[i] = entry;
}

/* Makes an unused structure a used span at addr.  Then slot_count is written, by which it exists for markers, and then
 * the state. */
static void
make_used_locked(struct cgc_span *span, unsigned span_class, uintptr_t addr, size_t pages, bool is_touched) {
  const struct cgc_size_class *size = span_class_size(span_class);
  span->base_addr = addr;
  span->page_count = (uint32_t)pages;
  span->span_class = (uint16_t)span_class;
  span->is_touched = is_touched;
  span->is_retained = false;
  span->client_kind = span->is_kept_by_start = 0;
  atom_store_rlx(&span->owner, 0);
  span->window_word = SPAN_NO_WINDOW;
  span->countdown = SPAN_NO_COUNTDOWN;
  span->slot_bytes = size->slot_bytes;
  span->divide_magic = size->divide_magic;
  span_sweep_set_done(span);
  memset(span->words, 0, span_words_bytes(span->word_capacity));
  for (unsigned slots = size->slot_count, i = 0; i * 64 < slots; i++)
    atom_store_rlx(&span->words[i].free, span_slots_mask(slots, i));
  atom_barrier_compiler();
  span->slot_count = size->slot_count ? size->slot_count : 1;
  atom_barrier_compiler();
  span->state = size->slot_count ? SPAN_FULL : SPAN_LARGE;
  heap_map_set_touched(addr, pages, true);
  heap_map_note_made_locked(addr, pages);
  map_used(span, span);
  atom_store_rlx(&page_heap.used_pages, atom_load_rlx(&page_heap.used_pages) + pages);
}

/* Returns the part of a free run before and after [addr, addr + pages), `touched` of which hold memory, to the free runs.
 * The structure of the run itself is used for the first of the two. */
static void
trim_locked(struct cgc_span *run, unsigned kind, uintptr_t addr, size_t pages, uint32_t touched, struct cgc_span *spare) {
  uintptr_t run_addr = run->base_addr, run_end = run_addr + span_bytes(run);
  uintptr_t end = addr + (pages << SPAN_PAGE_BYTES_LOG2);
  uint32_t rest_touched = run->touched_pages - touched;
  struct cgc_span *structures[2] = {run, spare};
  unsigned taken = 0;
  free_runs_remove_locked(run);
  if (addr > run_addr) {
    size_t head_pages = (addr - run_addr) >> SPAN_PAGE_BYTES_LOG2;
    uint32_t head_touched = heap_map_count_touched(run_addr, head_pages);
    free_runs_put_locked(structures[taken++], kind, run_addr, head_pages, head_touched);
    rest_touched -= head_touched;
  }
  if (run_end > end)
    free_runs_put_locked(structures[taken++], kind, end, (run_end - end) >> SPAN_PAGE_BYTES_LOG2, rest_touched);
  while (taken < 2 && structures[taken])
    span_table_give_locked(structures[taken++]);
}

static unsigned
words_for(unsigned span_class) {
  unsigned slots = span_class_size(span_class)->slot_count;
  return slots ? (slots + 63) / 64 : 1;
}

static uintptr_t
aligned_in(const struct cgc_span *run, size_t align_pages) {
  return round_up(run->base_addr, align_pages << SPAN_PAGE_BYTES_LOG2);
}

static struct cgc_span *
take_run_locked(unsigned span_class, struct cgc_span *run, size_t pages, size_t align_pages) {
  unsigned kind = span_class_kind(span_class);
  struct cgc_span *span = span_table_take_locked(words_for(span_class));
  struct cgc_span *spare = align_pages > 1 ? span_table_take_locked(0) : NULL;
  if (!span || (align_pages > 1 && !spare)) {
    if (span)
      span_table_give_locked(span);
    if (spare)
      span_table_give_locked(spare);
    return NULL;
  }
  uintptr_t addr = aligned_in(run, align_pages);
  uint32_t touched = heap_map_count_touched(addr, pages);
  scavenger_regret_locked(pages - touched, atom_load_rlx(&page_heap.used_pages) + pages);
  trim_locked(run, kind, addr, pages, touched, spare);
  make_used_locked(span, span_class, addr, pages, touched > 0);
  return span;
}

/* Atomic. */
static atom_word limit_pages = SIZE_MAX;

void
page_heap_set_limit(size_t bytes) {
  atom_store_rlx(&limit_pages, bytes >> SPAN_PAGE_BYTES_LOG2);
}

static struct cgc_span *
find_run_locked(unsigned kind, size_t pages) {
  size_t limit = atom_load_rlx(&limit_pages), used = atom_load_rlx(&page_heap.used_pages);
  if (pages > limit || used > limit - pages)
    return NULL;
  struct cgc_span *run = free_runs_best_fit_locked(kind, pages);
  if (!run && grow_locked(kind, pages))
    run = free_runs_best_fit_locked(kind, pages);
  return run;
}

struct cgc_span *
page_heap_alloc(unsigned span_class, size_t page_count, size_t align_pages) {
  unsigned kind = span_class_kind(span_class);
  size_t wanted_pages = page_count + align_pages - 1;
  lock_acquire(&page_heap.lock);
  struct cgc_span *run = find_run_locked(kind, wanted_pages);
  struct cgc_span *span = run ? take_run_locked(span_class, run, page_count, align_pages) : NULL;
  lock_release(&page_heap.lock);
  return span;
}

/* ---- freed spans ---- */

/* Lock: page_heap.lock. */
static bool is_reuse_deferred;
static struct cgc_span *limbo, *hidden_limbo;   /* linked by next */

/* Anyone may read it. */
static atom_word has_limbo;

static void
make_free_locked(struct cgc_span *span) {
  span->state = SPAN_UNUSED;   /* first: see page_heap.h */
  atom_barrier_compiler();
  map_used(span, NULL);
  free_runs_add_locked(span, span_kind(span), span->base_addr, span->page_count, span->page_count);
}

static void
free_used_locked(struct cgc_span *span) {
  atom_store_rlx(&page_heap.used_pages, atom_load_rlx(&page_heap.used_pages) - span->page_count);
  if (!is_reuse_deferred) {
    make_free_locked(span);
    return;
  }
  span->state = SPAN_LIMBO;
  atom_store_rlx(&span->owner, 0);
  span->next = limbo;
  limbo = span;
  atom_store_rlx(&has_limbo, 1);
}

void
page_heap_begin_round(bool is_first) {
  lock_acquire(&page_heap.lock);
  heap_map_begin_round_locked(is_first);
  lock_release(&page_heap.lock);
}

void
page_heap_defer_reuse(void) {
  lock_acquire(&page_heap.lock);
  is_reuse_deferred = true;
  lock_release(&page_heap.lock);
}

bool
page_heap_has_limbo(void) {
  return atom_load_rlx(&has_limbo) != 0;
}

static void
make_all_free_locked(struct cgc_span **list) {
  while (*list) {
    struct cgc_span *span = *list;
    *list = span->next;
    span->next = NULL;
    make_free_locked(span);
  }
}

static void
hide_limbo_locked(void) {
  for (struct cgc_span *span = limbo; span; span = span->next) {
    map_used(span, NULL);
    span->slot_count = 0;
  }
  hidden_limbo = limbo;
  limbo = NULL;
}

void
page_heap_turn_limbo(void) {
  lock_acquire(&page_heap.lock);
  make_all_free_locked(&hidden_limbo);
  hide_limbo_locked();
  atom_store_rlx(&has_limbo, hidden_limbo != NULL);
  scavenger_after_free_locked(atom_load_rlx(&page_heap.used_pages));
  lock_release(&page_heap.lock);
}

void
page_heap_let_reuse(bool is_deferred) {
  if (is_deferred && !page_heap_has_limbo())
    return;
  lock_acquire(&page_heap.lock);
  is_reuse_deferred = is_deferred;
  make_all_free_locked(&hidden_limbo);
  make_all_free_locked(&limbo);
  atom_store_rlx(&has_limbo, 0);
  scavenger_after_free_locked(atom_load_rlx(&page_heap.used_pages));
  lock_release(&page_heap.lock);
}

void
page_heap_free(struct cgc_span *span) {
  CGC_ASSERT((span_is_used(span) || span->state == SPAN_LIMBO) && !span->next);
  lock_acquire(&page_heap.lock);
  free_used_locked(span);
  scavenger_after_free_locked(atom_load_rlx(&page_heap.used_pages));
  lock_release(&page_heap.lock);
}

bool
page_heap_extend(struct cgc_span *span, size_t page_count) {
  unsigned kind = span_kind(span);
  uintptr_t end = span->base_addr + span_bytes(span);
  size_t more_pages = page_count - span->page_count;
  lock_acquire(&page_heap.lock);
  struct cgc_span *after = free_runs_at_locked(end);
  bool fits = after && after->base_addr == end && after->page_count >= more_pages;
  if (fits) {
    trim_locked(after, kind, end, more_pages, heap_map_count_touched(end, more_pages), NULL);
    heap_map_set_touched(end, more_pages, true);
    heap_map_note_made_locked(end, more_pages);
    span->page_count = (uint32_t)page_count;
    map_used(span, span);
    atom_store_rlx(&page_heap.used_pages, atom_load_rlx(&page_heap.used_pages) + more_pages);
  }
  lock_release(&page_heap.lock);
  return fits;
}

void
page_heap_shrink(struct cgc_span *span, size_t page_count) {
  size_t fewer_pages = span->page_count - page_count;
  uintptr_t end = span->base_addr + (page_count << SPAN_PAGE_BYTES_LOG2);
  lock_acquire(&page_heap.lock);
  struct cgc_span *rest = span_table_take_locked(0);
  if (rest) {
    span->page_count = (uint32_t)page_count;
    memset(heap_map_entry(end), 0, fewer_pages * sizeof(struct cgc_span *));
    atom_store_rlx(&page_heap.used_pages, atom_load_rlx(&page_heap.used_pages) - fewer_pages);
    free_runs_add_locked(rest, span_kind(span), end, fewer_pages, (uint32_t)fewer_pages);
    scavenger_after_free_locked(atom_load_rlx(&page_heap.used_pages));
  }
  lock_release(&page_heap.lock);
}

/* ---- after fork ---- */

static void
forget_free_runs(void) {
  free_runs_forget_locked();
  for (size_t i = 0; i < span_table_count(); i++)
    if (!span_is_used(span_table_at(i)))
      span_table_at(i)->state = SPAN_UNUSED;
  span_table_rebuild_locked();
}

static void
map_used_spans(void) {
  size_t pages = 0;
  memset(heap_map.pages, 0, (atom_load_rlx(&heap_map.extent_bytes) >> SPAN_PAGE_BYTES_LOG2) * sizeof heap_map.pages[0]);
  for (size_t i = 0; i < span_table_count(); i++) {
    struct cgc_span *span = span_table_at(i);
    if (!span_is_used(span))
      continue;
    map_used(span, span);
    heap_map_set_touched(span->base_addr, span->page_count, true);
    pages += span->page_count;
  }
  atom_store_rlx(&page_heap.used_pages, pages);
}

/* The gaps between used spans of one arena become free runs, up to where it is mapped.  What
 * another thread was mapping at the fork is met as a foreign mapping later. */
static void
free_gaps_of_arena(uintptr_t arena_addr, unsigned kind) {
  uintptr_t end = arena_addr + heap_map_arena(arena_addr)->mapped_bytes;
  uintptr_t addr = arena_addr + (heap_map_arena(arena_addr)->unused_pages << SPAN_PAGE_BYTES_LOG2);
  while (addr < end) {
    struct cgc_span *used = heap_map_span(addr);
    if (used) {
      addr = used->base_addr + span_bytes(used);
      continue;
    }
    uintptr_t gap = addr;
    while (addr < end && !heap_map_span(addr))
      addr += SPAN_PAGE_BYTES;
    struct cgc_span *span = span_table_take_locked(0);
    size_t pages = (addr - gap) >> SPAN_PAGE_BYTES_LOG2;
    if (span)
      free_runs_add_locked(span, kind, gap, pages, heap_map_count_touched(gap, pages));
  }
}

void
page_heap_rebuild(void) {
  lock_reset(&page_heap.lock);
  is_reuse_deferred = false;
  limbo = hidden_limbo = NULL;
  atom_store_rlx(&has_limbo, 0);
  forget_free_runs();
  map_used_spans();
  size_t extent_bytes = atom_load_rlx(&heap_map.extent_bytes);
  for (size_t at = 0; at < extent_bytes; at += ARENA_BYTES) {
    uintptr_t addr = heap_map.base_addr + at;
    free_gaps_of_arena(addr, heap_map_arena(addr)->kind & SPAN_KIND_NOSCAN);
  }
}

/* ---- checks ---- */

static void
check_used_span(const struct cgc_span *span) {
  for (size_t i = 0; i < span->page_count; i++)
    CGC_CHECK(heap_map_span(span->base_addr + (i << SPAN_PAGE_BYTES_LOG2)) == span);
  span_check(span);
}

void
page_heap_check(void) {
  size_t used = 0, touched = 0;
  for (size_t i = 0; i < span_table_count(); i++) {
    const struct cgc_span *span = span_table_at(i);
    if (span->state == SPAN_FREE)
      touched += free_runs_check(span);
    if (!span_is_used(span))
      continue;
    check_used_span(span);
    used += span->page_count;
  }
  CGC_CHECK(used == atom_load_rlx(&page_heap.used_pages));
  CGC_CHECK(touched == free_runs_touched_pages());
}
