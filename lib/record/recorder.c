/* SPDX-License-Identifier: MIT */
#include "record/recorder.h"

#include "base/atom.h"
#include "base/meta.h"
#include "base/platform.h"
#include "gc/alloc.h"
#include "gc/runtime.h"
#include "record/record.h"
#include "record/return_site.h"
#include "record/stack_log.h"
#include "record/stack_trail.h"

#include <string.h>

/* What the recorder knows of a thread. */
struct recorder {
  struct recorder *next;      /* of all there are */
  int tid;                    /* records of threads are reused */
  uint32_t number;
  uint32_t sequence;
  unsigned ignores;           /* nested */
  uint32_t time;              /* record_time_now, read a moment ago */
  uint32_t time_second;       /* when it was read */
  unsigned time_uses;         /* until it is read again */
  uint64_t random;            /* state of the generator */
  int64_t  bytes_to_sample;   /* until the next stack is recorded */
  struct stack_trail trail;
  struct stack_log log;       /* of these two most is never touched */
};

const char *const record_function_names[RECORD_FUNCTION_COUNT] = {
#define RECORD_NAME(id, name) [RECORD_##id] = name,
  RECORD_FUNCTIONS(RECORD_NAME)
#undef RECORD_NAME
};

static unsigned depth;
static unsigned walked_depth;   /* with this library's frames */
static uint64_t sample_bytes;

/* Atomic. */
static atom_int thread_count;
static atom_word recorders;   /* struct recorder *: the first of all */
static atom_word lost_stacks;

void
recorder_start(unsigned frames, uint64_t bytes) {
  record_time_now();
  depth = frames;
  walked_depth = (unsigned)min_u64(frames + RECORDER_OWN_FRAMES_MAX, STACK_FRAMES_MAX);
  sample_bytes = bytes;
}

/* ---- sampling ---- */

/* About; u is not 0.  The logarithm of the mantissa, from 1 to 2, is taken for a parabola: at most 0.01 beside it. */
static double
log2_about(uint64_t u) {
  int exponent = 63 - __builtin_clzll(u);
  double mantissa = (double)(u << (63 - exponent)) * 0x1p-63;
  return exponent + (mantissa - 1) * (2 - mantissa) * 0.3465 + (mantissa - 1);
}

/* Source: Marsaglia, "Xorshift RNGs", J. Stat. Software 8 (2003). */
static uint64_t
next_random(struct recorder *recorder) {
  uint64_t random = recorder->random;
  random ^= random << 13;
  random ^= random >> 7;
  return recorder->random = random ^ random << 17;
}

/* Distances are distributed exponentially: then each byte is as likely to be hit as any other. */
static void
set_next_sample(struct recorder *recorder) {
  const double ln2 = 0.6931471805599453;
  double distance = (64 - log2_about(next_random(recorder))) * ln2 * (double)sample_bytes;
  recorder->bytes_to_sample += (int64_t)distance + 1;
}

static bool
is_sampled(struct recorder *recorder, size_t bytes) {
  if (CGC_LIKELY(!sample_bytes))
    return true;
  recorder->bytes_to_sample -= (int64_t)min_u64(bytes ? bytes : 1, INT64_MAX / 2);
  if (recorder->bytes_to_sample > 0)
    return false;
  while (recorder->bytes_to_sample <= 0)
    set_next_sample(recorder);
  return true;
}

/* ---- time ---- */

CGC_NOINLINE static void
read_time(struct recorder *recorder, uint32_t second) {
  enum { TIME_USES = 16 };
  recorder->time = record_time_now();
  recorder->time_second = second;
  recorder->time_uses = TIME_USES;
}

/* To read the processor's counter takes as long as a fifth of all else that is done for a record.  So a few allocations
 * share a time, unless a second ends between them. */
CGC_INLINE uint32_t
time_about(struct recorder *recorder) {
  uint32_t second = platform_now_second();
  if (CGC_UNLIKELY(!recorder->time_uses || second != recorder->time_second))
    read_time(recorder, second);
  recorder->time_uses--;
  return recorder->time;
}

/* ---- threads ---- */

static void
begin_thread(struct recorder *recorder, int tid) {
  recorder->tid = tid;
  recorder->number = (uint32_t)atom_int_add_full(&thread_count, 1) + 1;
  recorder->sequence = recorder->ignores = recorder->time_uses = 0;
  recorder->trail.is_of_use = false;
  recorder->random = (platform_random_seed() + recorder->number) * 0x9e3779b97f4a7c15 | 1;
  recorder->bytes_to_sample = 0;
  if (sample_bytes)
    set_next_sample(recorder);
}

static struct recorder *
first_recorder(void) {
  return (struct recorder *)atom_load_acq(&recorders);   /* pairs with make_recorder */
}

static struct recorder *
make_recorder(void) {
  struct recorder *recorder = meta_alloc(sizeof *recorder);
  if (!recorder)
    return NULL;
  do
    recorder->next = first_recorder();
  while (!atom_cas_full(&recorders, (uintptr_t)recorder->next, (uintptr_t)recorder));
  return recorder;
}

CGC_COLD static struct recorder *
renew_recorder(struct cgc_thread *thread, int tid) {
  if (!thread->recorder)
    thread->recorder = make_recorder();
  if (thread->recorder)
    begin_thread(thread->recorder, tid);
  return thread->recorder;
}

/* NULL if there is no memory. */
CGC_INLINE struct recorder *
recorder_of(struct cgc_thread *thread) {
  int tid = (int)atom_int_load_rlx(&thread->tid);
  struct recorder *recorder = thread->recorder;
  return CGC_LIKELY(recorder && recorder->tid == tid) ? recorder : renew_recorder(thread, tid);
}

/* The main thread's stack grows down from its end; mappings are placed at least so far below it. */
CGC_INLINE void
find_stack(const struct cgc_thread *thread, struct stack_start *start) {
  enum { MAIN_STACK_BYTES = 128 * 1024 * 1024 };
  static uintptr_t main_end_addr;
  uintptr_t end_addr = 0;
  if (!main_end_addr)
    main_end_addr = platform_main_stack_end();
  if (thread->stack_low_addr <= start->return_at && start->return_at < thread->stack_end_addr)
    end_addr = thread->stack_end_addr;
  else if (main_end_addr - start->return_at < MAIN_STACK_BYTES)
    end_addr = main_end_addr;
  start->low_addr = start->return_at;
  start->word_room = end_addr ? end_addr - start->low_addr - (sizeof(uintptr_t) - 1) : 0;
}

/* ---- allocations ---- */

/* The mark for the record; 0: there was no memory. */
CGC_INLINE uint32_t
record_stack(struct recorder *recorder, struct stack_start *start, enum record_function function,
             struct record *record) {
  uint32_t *sites = stack_log_room(&recorder->log, walked_depth);
  if (CGC_UNLIKELY(!sites)) {
    atom_add_full(&lost_stacks, 1);
    return 0;
  }
  unsigned shared = stack_trail_follow(&recorder->trail, start, walked_depth, sites);
  return stack_log_add(&recorder->log, record, &recorder->trail, shared, function);
}

CGC_INLINE void
write_record(struct record *record, const struct cgc_span *span, size_t bytes, struct recorder *recorder,
             uint32_t stack) {
  *record = (struct record){
    .stack = stack,
    .sequence = ++recorder->sequence,
    .time = time_about(recorder),
    .unused_bytes = (uint16_t)min_u64(span_block_bytes(span) - bytes, UINT16_MAX),
    .thread = min_u64(recorder->number, RECORD_THREAD_MAX) & RECORD_THREAD_MAX,
    .is_ignored = recorder->ignores != 0,
  };
}

/* Inside the library, so that no stop sees a record half written, or a lock taken. */
CGC_INLINE void
note(struct thread_cache *cache, const struct cgc_span *span, void *block, size_t bytes, enum record_function function,
     struct stack_start *start) {
  struct cgc_thread *thread = thread_of_cache(cache);
  struct recorder *recorder = recorder_of(thread);
  struct record *record = recorder && span ? record_make(span, span_slot_of(span, (uintptr_t)block)) : NULL;
  uint32_t stack = RECORD_STACK_NOT_SAMPLED;
  if (CGC_UNLIKELY(!record)) {
    atom_add_full(&lost_stacks, 1);
    return;
  }
  if (is_sampled(recorder, bytes)) {
    find_stack(thread, start);
    stack = record_stack(recorder, start, function, record);
  }
  write_record(record, span, bytes, recorder, stack);
}

CGC_NOINLINE void *
recorder_note(void *block, size_t bytes, enum record_function function) {
  const uintptr_t *frame = __builtin_frame_address(0);
  struct stack_start start = {.return_at = (uintptr_t)(frame + 1), .bp = frame[0]};
  struct thread_cache *cache = block ? runtime_enter() : NULL;
  if (cache) {
    note(cache, heap_map_span((uintptr_t)block), block, bytes, function, &start);
    runtime_leave(cache);
  }
  return block;
}

CGC_NOINLINE void *
recorder_alloc(size_t bytes, unsigned kind, bool is_zeroed, enum record_function function) {
  const uintptr_t *frame = __builtin_frame_address(0);
  struct stack_start start = {.return_at = (uintptr_t)(frame + 1), .bp = frame[0]};
  unsigned size_class = size_class_of(bytes);
  if (CGC_UNLIKELY(size_class == SIZE_CLASS_LARGE))
    return recorder_note(is_zeroed ? alloc_zeroed(bytes, kind) : alloc_slow(bytes, kind), bytes, function);
  unsigned span_class = span_class_of(size_class, kind);
  struct thread_cache *cache = runtime_enter();
  void *block = cache ? alloc_inside(cache, span_class) : NULL;
  if (CGC_LIKELY(block != NULL)) {
    if (is_zeroed)
      memset(block, 0, bytes);
    note(cache, cache->windows[span_class].span, block, bytes, function, &start);
  }
  if (cache)
    runtime_leave(cache);
  return block;
}

CGC_NOINLINE uintptr_t
recorder_find_caller(uintptr_t code_addr, size_t code_bytes) {
  const uintptr_t *frame = __builtin_frame_address(0);
  struct stack_start start = {.return_at = (uintptr_t)(frame + 1), .bp = frame[0]};
  struct thread_cache *cache = runtime_enter();
  if (!cache)
    return 0;
  find_stack(thread_self(), &start);
  uintptr_t stack_pointer = stack_find_caller(&start, code_addr, code_bytes);
  runtime_leave(cache);
  return stack_pointer;
}

void
recorder_settle(void) {
  for (struct recorder *recorder = first_recorder(); recorder; recorder = recorder->next)
    stack_log_settle(&recorder->log);
}

/* A site that could not be noted, for want of memory, is left out. */
void
recorder_read_stack(uint32_t number, struct recorded_stack *stack) {
  bool is_inside = true;
  unsigned count = number ? stack_depot_read(number, stack->sites) : 0;
  stack->function = number ? stack_depot_at(number)->function : RECORD_MALLOC;
  stack->is_cut = number && stack_depot_at(number)->is_cut;
  stack->function_site = stack->count = 0;
  for (unsigned i = 0; i < count; i++) {
    uint32_t site = stack->sites[i];
    is_inside &= site && return_site_at(site)->is_own;
    if (is_inside)
      stack->function_site = site;
    else if (site && stack->count < depth)
      stack->sites[stack->count++] = site;
    else if (site)
      stack->is_cut = true;
  }
}

/* What the dynamic loader allocates for itself it points to in its own ways. */
bool
recorder_is_of_loader(uint32_t number) {
  struct recorded_stack stack;
  recorder_read_stack(number, &stack);
  return stack.count && return_site_at(stack.sites[0])->is_loader;
}

uint64_t
recorder_lost_stacks(void) {
  uint64_t count = atom_load_rlx(&lost_stacks);
  for (const struct recorder *recorder = first_recorder(); recorder; recorder = recorder->next)
    count += recorder->log.lost_count;
  return count;
}

/* ---- exceptions ---- */

static void
change_ignores(int by) {
  struct thread_cache *cache = runtime_enter();
  if (!cache)
    return;
  struct recorder *recorder = recorder_of(thread_self());
  if (recorder && (by > 0 || recorder->ignores))
    recorder->ignores += (unsigned)by;
  runtime_leave(cache);
}

void
recorder_ignore(void) {
  change_ignores(1);
}

void
recorder_heed(void) {
  change_ignores(-1);
}

bool
recorder_ignore_block(const void *block) {
  enum free_verdict verdict;
  struct thread_cache *cache = runtime_enter();
  if (!cache)
    return false;
  const struct cgc_span *span = alloc_find_block(block, &verdict);
  struct record *record = span ? record_make(span, span_slot_of(span, (uintptr_t)block)) : NULL;
  if (record)
    record->is_ignored = true;
  runtime_leave(cache);
  return record != NULL;
}

/* ---- changes of the process ---- */

void
recorder_note_unloading(void) {
  struct thread_cache *cache = runtime_enter();
  if (!cache)
    return;
  return_sites_refresh();
  runtime_leave(cache);
}

void
recorder_adopt_fork(void) {
  return_sites_adopt_fork();
  stack_depot_adopt_fork();
  record_adopt_fork();
}
