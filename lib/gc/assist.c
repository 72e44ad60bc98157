/* SPDX-License-Identifier: MIT */
#include "gc/assist.h"

#include "base/arch_x86_64.h"
#include "base/meta.h"
#include "base/platform.h"
#include "gc/limbo.h"
#include "gc/mark.h"

struct assistant {
  atom_int is_taken;         /* by a thread */

  /* Of that thread. */
  struct marker *marker;
  char *stack;               /* as the collector's: its frames must not count as the program's */
  uint64_t deadline_ns;
  const atom_int *interrupt;   /* as a marker's */
};

static struct assistant assistants[ASSIST_MAX];

/* Atomic.  Who is counted looks whether it is open, and who closes it looks at the count. */
static atom_int is_open;
static atom_int assistant_count;

static atom_word scanned_bytes;

/* Written before it is opened. */
static bool notes_seen;
static int  process_id;

/* ---- the collector's thread ---- */

void
assist_begin(bool notes) {
  notes_seen = notes;
  process_id = platform_process_id();
  assist_go_on();
}

void
assist_go_on(void) {
  atom_int_store_rel(&is_open, 1);
}

bool
assist_hold(void) {
  if (atom_int_load_rlx(&is_open))
    atom_int_swap_full(&is_open, 0);   /* pairs with assist_for */
  return atom_int_load_acq(&assistant_count) == 0;
}

/* Mostly nobody does any more.  A thread of low priority may take its time. */
void
assist_end(void) {
  enum { WAIT_NS = 10 * 1000 };
  while (!assist_hold())
    platform_sleep(WAIT_NS);
}

uint64_t
assist_take_scanned_bytes(void) {
  return atom_swap_full(&scanned_bytes, 0);
}

/* ---- a thread of the program ---- */

static bool
may_go_on(const struct assistant *assistant) {
  return !atom_int_load_rlx(assistant->interrupt) && platform_now_ns() < assistant->deadline_ns;
}

/* False if nobody has anything to spare: a marker that has, gives it away sooner. */
static bool
find_work(const struct assistant *assistant) {
  enum { SPINS = 1000 };
  for (unsigned turn = 0; !mark_queue_has_work_for(assistant->marker->index); turn++) {
    if (!atom_int_load_rlx(&is_open) || turn == SPINS)
      return false;
    atom_pause();
  }
  limbo_let_go(assistant->marker->index);
  return mark_steal(assistant->marker);
}

static void
mark_until_deadline(void *arg, uintptr_t stack_pointer) {
  struct assistant *assistant = arg;
  struct marker *marker = assistant->marker;
  (void)stack_pointer;
  marker_init(marker, false, true);
  marker_set_deadline(marker, assistant->deadline_ns);
  marker->index = CREW_MAX + (unsigned)(assistant - assistants);
  marker->interrupt = assistant->interrupt;
  marker->notes_seen = notes_seen;
  mark_queue_want(1);
  while (may_go_on(assistant) && find_work(assistant))
    mark_drain(marker);
  mark_queue_want(-1);
  mark_hand_over(marker);
  limbo_rest(marker->index);
  atom_add_full(&scanned_bytes, marker->scanned_bytes);
}

static struct assistant *
take_assistant(void) {
  for (unsigned i = 0; i < ASSIST_MAX; i++)
    if (!atom_int_load_rlx(&assistants[i].is_taken) && atom_int_cas_full(&assistants[i].is_taken, 0, 1))
      return &assistants[i];
  return NULL;
}

static bool
equip(struct assistant *assistant) {
  enum { STACK_BYTES = 64 * 1024 };
  if (!assistant->marker)
    assistant->marker = meta_alloc(sizeof *assistant->marker);
  if (!assistant->stack) {
    char *stack = meta_alloc(STACK_BYTES);
    assistant->stack = stack ? stack + STACK_BYTES : NULL;
  }
  return assistant->marker && assistant->stack;
}

uint64_t
assist_for(struct thread_cache *cache, uint64_t ns) {
  uint64_t begin_ns = platform_now_ns();
  if (!atom_int_load_rlx(&is_open) || platform_process_id() != process_id)
    return 0;   /* a vfork child may be killed in the middle */
  struct assistant *assistant = take_assistant();
  if (!assistant)
    return 0;
  assistant->deadline_ns = begin_ns + ns;
  assistant->interrupt = &cache->is_stop_wanted;
  atom_int_add_full(&assistant_count, 1);   /* pairs with assist_hold */
  if (atom_int_load_acq(&is_open) && equip(assistant))
    arch_call_on_stack(mark_until_deadline, assistant, assistant->stack);
  atom_int_add_full(&assistant_count, -1);
  atom_int_store_rel(&assistant->is_taken, 0);
  return platform_now_ns() - begin_ns;
}

void
assist_adopt_fork(void) {
  for (unsigned i = 0; i < ASSIST_MAX; i++)
    atom_int_store_rlx(&assistants[i].is_taken, 0);
  atom_int_store_rlx(&is_open, 0);
  atom_int_store_rlx(&assistant_count, 0);
}
