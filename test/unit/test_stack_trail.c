/* SPDX-License-Identifier: MIT */
/*
 * Stacks as they are recorded, compared with what libgcc finds at the same point: in trees of calls of functions whose
 * frames are made in different ways, so that each stack has some frames of the one before it, and some at the same
 * places.
 */
#include "unit.h"

#include "gc/alloc.h"
#include "gc/runtime.h"
#include "record/record.h"
#include "record/recorder.h"
#include "record/return_site.h"
#include "record/stack_depot.h"
#include "record/stack_trail.h"

#include <signal.h>
#include <ucontext.h>
#include <unwind.h>

enum { PROBES = 4000, LEVELS_MAX = 40, KINDS = UNWIND_UNKNOWN + 1 };

/* ---- two ways to tell a stack ---- */

/* Of return addresses the innermost first. */
struct frames {
  unsigned count;
  uintptr_t at[STACK_FRAMES_MAX];
};

/* The interrupted function is told by the instruction that it was to execute next, and recorded as if it
 * had called there. */
static _Unwind_Reason_Code
add_frame(struct _Unwind_Context *context, void *arg) {
  struct frames *frames = arg;
  int is_interrupted;
  uintptr_t addr = _Unwind_GetIPInfo(context, &is_interrupted);
  if (addr && frames->count < STACK_FRAMES_MAX)
    frames->at[frames->count++] = addr + (is_interrupted != 0);
  return _URC_NO_REASON;
}

static void
read_recorded(uint32_t stack, struct frames *frames) {
  uint32_t sites[STACK_FRAMES_MAX];
  frames->count = stack_depot_read(stack, sites);
  for (unsigned i = 0; i < frames->count; i++)
    frames->at[i] = sites[i] ? return_site_at(sites[i])->return_addr : 0;
}

/* ---- one stack ---- */

/* No call is the last thing a function does. */
#define KEEP(variable) __asm__ volatile("" : : "r"(variable) : "memory")

static unsigned depth = STACK_FRAMES_MAX;
static bool has_end = true;   /* the outermost frame is marked as such */
static unsigned kinds_seen[KINDS], cut_count, probe_count;

static void
print_frames(const char *what, const struct frames *frames) {
  printf("%s:", what);
  for (unsigned i = 0; i < frames->count; i++)
    printf(" %lx", (unsigned long)frames->at[i]);
  printf("\n");
  fflush(stdout);
}

/* The innermost frame is that of the caller of both, at different places of it. */
static bool
are_same(const struct frames *recorded, const struct frames *real) {
  unsigned count = real->count < depth ? real->count : depth;
  return recorded->count == count && !memcmp(recorded->at + 1, real->at + 1, (count - 1) * sizeof real->at[0]);
}

static void
check_stack(uint32_t number, unsigned function, const struct frames *real) {
  struct frames recorded;
  ck_assert_uint_ne(number, 0);
  read_recorded(number, &recorded);
  if (!are_same(&recorded, real)) {
    print_frames("recorded", &recorded);
    print_frames("real", real);
    ck_abort_msg("the stack recorded is not that of probe %u", probe_count);
  }
  ck_assert_uint_eq(stack_depot_at(number)->function, function);
  ck_assert_int_eq(stack_depot_at(number)->is_cut, real->count > depth || !has_end);
  cut_count += real->count > depth;
  probe_count++;
  for (unsigned i = 1; i < recorded.count; i++)
    kinds_seen[site_kind(return_site_of(recorded.at[i]))]++;
}

/* Several are recorded before their numbers are asked for: else each would be the first of its log. */
enum { PENDING_MAX = 7 };

struct probe {
  unsigned function;
  bool has_end;
  struct frames real;
};

static struct probe pending[PENDING_MAX];
static unsigned pending_count;
static __thread void *blocks[PENDING_MAX];   /* of which these are the stacks */

/* Those of this thread. */
static void
check_pending(void) {
  bool has_end_now = has_end;
  recorder_settle();
  for (unsigned i = 0; i < pending_count; i++) {
    const struct cgc_span *span = heap_map_span((uintptr_t)blocks[i]);
    has_end = pending[i].has_end;
    check_stack(record_of(span, span_slot_of(span, (uintptr_t)blocks[i]))->stack, pending[i].function,
                &pending[i].real);
  }
  has_end = has_end_now;
  pending_count = 0;
}

/* The caller has recorded its stack, for the block that is next. */
CGC_NOINLINE static void
check_caller(unsigned function) {
  struct probe *probe = &pending[pending_count++];
  *probe = (struct probe){.function = function, .has_end = has_end};
  _Unwind_Backtrace(add_frame, &probe->real);
  probe->real.count--;
  memmove(probe->real.at, probe->real.at + 1, probe->real.count * sizeof probe->real.at[0]);
  if (pending_count == PENDING_MAX)
    check_pending();
}

CGC_NOINLINE static void
probe(unsigned function) {
  recorder_note(blocks[pending_count], 1, (enum record_function)function);
  check_caller(function);
  KEEP(&depth);
}

/* ---- trees of calls ---- */

struct tree {
  struct unit_random random;
  unsigned probes;      /* still to come */
  unsigned functions;   /* so many of them */
};

static void grow(struct tree *tree, unsigned level);

#ifdef __clang__
#define WITH_FRAME_POINTER
#define WITHOUT_FRAME_POINTER
#else
#define WITH_FRAME_POINTER __attribute__((optimize("no-omit-frame-pointer")))
#define WITHOUT_FRAME_POINTER __attribute__((optimize("omit-frame-pointer")))
#endif

CGC_NOINLINE WITHOUT_FRAME_POINTER static void
by_stack_pointer(struct tree *tree, unsigned level) {
  grow(tree, level);
  KEEP(tree);
}

CGC_NOINLINE WITHOUT_FRAME_POINTER static void
by_stack_pointer_large(struct tree *tree, unsigned level) {
  char filler[5000];
  KEEP(filler);
  grow(tree, level);
  KEEP(filler);
}

CGC_NOINLINE WITH_FRAME_POINTER static void
by_frame_pointer(struct tree *tree, unsigned level) {
  grow(tree, level);
  KEEP(tree);
}

/* Sizes that make frames of different calls lie at the same places. */
CGC_NOINLINE static void
with_alloca(struct tree *tree, unsigned level) {
  char *filler = __builtin_alloca(16 * unit_random_below(&tree->random, 8) + 1);
  KEEP(filler);
  grow(tree, level);
  KEEP(filler);
}

CGC_NOINLINE static void
with_alignment(struct tree *tree, unsigned level) {
  char filler[64] __attribute__((aligned(64)));
  KEEP(filler);
  grow(tree, level);
  KEEP(filler);
}

/* rbp is used for something else, and restored. */
CGC_NOINLINE WITHOUT_FRAME_POINTER static void
with_other_bp(struct tree *tree, unsigned level) {
  __asm__ volatile("" : : : "rbx", "rbp", "r12", "r13", "r14", "r15");
  grow(tree, level);
  KEEP(tree);
}

/* Arguments on the stack, an alignment and alloca: the frame's base is kept in the frame. */
CGC_NOINLINE static void
with_base_kept(struct tree *tree, unsigned level, long c, long d, long e, long f, long g, long h) {
  char aligned[64] __attribute__((aligned(64)));
  char *filler = __builtin_alloca(16 * unit_random_below(&tree->random, 4) + 1);
  KEEP(aligned);
  KEEP(filler);
  grow(tree, level);
  KEEP(c + d + e + f + g + h);
  KEEP(filler);
}

CGC_NOINLINE static void
with_arguments(struct tree *tree, unsigned level) {
  with_base_kept(tree, level, 1, 2, 3, 4, 5, (long)level);
  KEEP(tree);
}

/* ---- by way of libc ---- */

static __thread struct tree *tree_of_callback;
static __thread unsigned level_of_callback;

static int
compare(const void *a, const void *b) {
  if (level_of_callback) {
    unsigned level = level_of_callback;
    level_of_callback = 0;
    grow(tree_of_callback, level);
  }
  return *(const int *)a - *(const int *)b;
}

CGC_NOINLINE static void
through_qsort(struct tree *tree, unsigned level) {
  int numbers[] = {3, 1, 2};
  tree_of_callback = tree;
  level_of_callback = level;
  qsort(numbers, CGC_COUNT(numbers), sizeof numbers[0], compare);
  KEEP(numbers);
}

static void
on_signal(int signal) {
  KEEP(signal);
  compare(&(int){0}, &(int){0});
  KEEP(signal);
}

CGC_NOINLINE static void
through_signal(struct tree *tree, unsigned level) {
  tree_of_callback = tree;
  level_of_callback = level;
  pthread_kill(pthread_self(), unit_random_below(&tree->random, 2) ? SIGUSR1 : SIGUSR2);
  KEEP(tree);
}

/* The usual ones first. */
static void (*const functions[])(struct tree *, unsigned) = {
  by_stack_pointer, by_stack_pointer, by_stack_pointer_large, by_frame_pointer, with_alloca, with_alignment,
  with_other_bp, through_qsort, through_signal, with_arguments,
};

enum { USUAL_FUNCTIONS = 8, FUNCTIONS_WITH_SIGNALS, ALL_FUNCTIONS };

static void
grow(struct tree *tree, unsigned level) {
  for (uint64_t branches = unit_random_below(&tree->random, 4); branches-- && tree->probes;) {
    if (!level || !unit_random_below(&tree->random, 3)) {
      tree->probes--;
      probe((unsigned)unit_random_below(&tree->random, RECORD_FUNCTION_COUNT));
    } else {
      functions[unit_random_below(&tree->random, tree->functions)](tree, level - 1);
    }
  }
}

/* Until all probes are made. */
static void
grow_all(unsigned probes, unsigned function_count) {
  struct tree tree = {unit_random_start(), probes, function_count};
  while (tree.probes)
    grow(&tree, (unsigned)unit_random_below(&tree.random, LEVELS_MAX));
  check_pending();
}

/* ---- tests ---- */

static void
take_blocks(void) {
  struct thread_cache *cache = runtime_enter();
  ck_assert_ptr_nonnull(cache);
  runtime_leave(cache);
  for (unsigned i = 0; i < PENDING_MAX; i++)
    ck_assert_ptr_nonnull(blocks[i] = alloc_block(32, 0));
}

static void
start(unsigned frames) {
  depth = frames + RECORDER_OWN_FRAMES_MAX < STACK_FRAMES_MAX ? frames + RECORDER_OWN_FRAMES_MAX : STACK_FRAMES_MAX;
  recorder_start(frames, 0);
  take_blocks();
}

START_TEST(stack_trail_is_exact_in_trees_of_calls) {
  start(STACK_FRAMES_MAX);
  grow_all(PROBES, USUAL_FUNCTIONS);
  ck_assert_uint_ge(probe_count, PROBES);
  ck_assert(kinds_seen[UNWIND_BY_SP] && kinds_seen[UNWIND_BY_BP]);
}
END_TEST

static const unsigned depths[] = {1, 2, 12, 24};

/* Cut or not in turn, but for those that are less than what leads to each probe. */
START_TEST(stack_trail_keeps_the_innermost_frames) {
  enum { FRAMES_MIN = 8 };
  start(depths[_i]);
  grow_all(PROBES / 2, USUAL_FUNCTIONS);
  ck_assert_uint_gt(cut_count, 0);
  ck_assert(depth < FRAMES_MIN || cut_count < probe_count);
}
END_TEST

static void
handle_signals(void) {
  stack_t stack = {.ss_sp = malloc(1 << 20), .ss_size = 1 << 20};
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_NODEFER};
  ck_assert_int_eq(sigaltstack(&stack, NULL), 0);
  ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
  action.sa_flags |= SA_ONSTACK;
  ck_assert_int_eq(sigaction(SIGUSR2, &action, NULL), 0);
}

START_TEST(stack_trail_is_exact_in_handlers) {
  start(STACK_FRAMES_MAX);
  handle_signals();
  grow_all(PROBES, FUNCTIONS_WITH_SIGNALS);
  ck_assert(kinds_seen[UNWIND_SIGNAL]);
}
END_TEST

static void
on_trap(int signal) {
  probe(RECORD_MALLOC);
  KEEP(signal);
}

/* The return address of the first call is still there when the signal comes. */
CGC_NOINLINE static void
probe_and_trap(void) {
  probe(RECORD_MALLOC);
  __asm__ volatile("int3");
  KEEP(&depth);
}

START_TEST(stack_trail_does_not_take_the_interrupted_function_for_a_caller) {
  struct sigaction action = {.sa_handler = on_trap};
  start(STACK_FRAMES_MAX);
  ck_assert_int_eq(sigaction(SIGTRAP, &action, NULL), 0);
  for (int i = 0; i < PENDING_MAX; i++)
    probe_and_trap();
  check_pending();
}
END_TEST

/* clang keeps no base. */
START_TEST(stack_trail_is_exact_where_a_base_is_kept_in_its_frame) {
  start(STACK_FRAMES_MAX);
  handle_signals();
  grow_all(PROBES, ALL_FUNCTIONS);
#ifndef __clang__
  ck_assert(kinds_seen[UNWIND_BY_BP_AT]);
#endif
}
END_TEST

static void *
grow_in_thread(void *arg) {
  take_blocks();
  grow_all(PROBES / 4, USUAL_FUNCTIONS);
  return arg;
}

START_TEST(stack_trail_is_exact_in_threads) {
  start(STACK_FRAMES_MAX);
  for (int i = 0; i < 3; i++)
    pthread_join(unit_start_thread(grow_in_thread, NULL), NULL);
  ck_assert_uint_ge(probe_count, 3 * (PROBES / 4));
}
END_TEST

/* ---- words of frames that are no more ---- */

CGC_NOINLINE WITHOUT_FRAME_POINTER static void
probe_keeping_bp(void) {
  recorder_note(blocks[pending_count], 1, RECORD_MALLOC);
  check_caller(RECORD_MALLOC);
  KEEP(&depth);
}

CGC_NOINLINE WITHOUT_FRAME_POINTER static void
probe_saving_bp(void) {
  __asm__ volatile("" : : : "rbx", "rbp", "r12");
  probe(RECORD_MALLOC);
  KEEP(&depth);
}

static void (*innermost)(void);

/* Some room that is not written to. */
CGC_NOINLINE static void
leave_room(size_t bytes) {
  char *room = __builtin_alloca(bytes);
  KEEP(room);
  innermost();
  KEEP(room);
}

CGC_NOINLINE WITHOUT_FRAME_POINTER static void
leave_room_outside(size_t bytes) {
  char room[256];
  KEEP(room);
  leave_room(bytes % 16);
  KEEP(room);
}

/* For one size of the room the frames inside it lie where they did in the call before, where there was one more frame
 * outside, whose words are still there. */
START_TEST(stack_trail_does_not_take_old_words_for_frames) {
  static void (*const functions_inside[])(void) = {probe_keeping_bp, probe_saving_bp};
  static void (*const in_turn[])(size_t) = {leave_room_outside, leave_room};
  enum { ROOM_MAX = 1024 };
  start(STACK_FRAMES_MAX);
  innermost = functions_inside[_i];
  for (size_t i = 0; i < 2 * ROOM_MAX / 16; i++)
    in_turn[i % 2](i / 2 * 16);   /* one call for both: its return address is the same */
  check_pending();
}
END_TEST

/* ---- coroutines ---- */

static ucontext_t main_context, coroutine_context;

static void
run_coroutine(void) {
  for (int i = 0; i < 10; i++) {
    has_end = false;
    grow_all(PROBES / 40, USUAL_FUNCTIONS);
    has_end = true;
    swapcontext(&coroutine_context, &main_context);
  }
}

/* Two stacks in turn, on one of which there are no frames of the trail. */
START_TEST(stack_trail_is_exact_in_coroutines) {
  enum { STACK_BYTES = 1 << 20 };
  start(STACK_FRAMES_MAX);
  ck_assert_int_eq(getcontext(&coroutine_context), 0);
  coroutine_context.uc_stack = (stack_t){.ss_sp = malloc(STACK_BYTES), .ss_size = STACK_BYTES};
  coroutine_context.uc_link = &main_context;
  makecontext(&coroutine_context, run_coroutine, 0);
  for (int i = 0; i < 10; i++) {
    ck_assert_int_eq(swapcontext(&main_context, &coroutine_context), 0);
    grow_all(PROBES / 40, USUAL_FUNCTIONS);
  }
}
END_TEST

/* ---- no stacks ---- */

/* What follows from rbp where no table tells how to unwind: a place that cannot be read, or is no frame's. */
static const uintptr_t wrong_bps[] = {0, 8, 1, (uintptr_t)1 << 46, UINTPTR_MAX - 7, UINTPTR_MAX - 15};

static void
check_wrong_bp(uintptr_t bp, size_t word_room) {
  static struct stack_trail trail;
  static uintptr_t words[4];
  uint32_t sites[STACK_FRAMES_MAX];
  words[0] = (uintptr_t)words;   /* no code */
  struct stack_start stack = {.return_at = (uintptr_t)words, .bp = bp, .low_addr = (uintptr_t)words,
                              .word_room = word_room};
  ck_assert_uint_eq(stack_trail_follow(&trail, &stack, STACK_FRAMES_MAX, sites), 0);
  ck_assert_uint_eq(trail.count, 1);
  ck_assert(trail.is_cut);
  ck_assert_uint_eq(return_site_at(sites[0])->return_addr, (uintptr_t)words);
}

START_TEST(stack_trail_ends_where_rbp_leads_nowhere) {
  start(STACK_FRAMES_MAX);
  check_wrong_bp(wrong_bps[_i], 0);
  check_wrong_bp(wrong_bps[_i], 3 * sizeof(uintptr_t) + 1);
}
END_TEST

Suite *
stack_trail_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("stack_trail", &tests);
  tcase_add_test(tests, stack_trail_is_exact_in_trees_of_calls);
  tcase_add_test(tests, stack_trail_is_exact_where_a_base_is_kept_in_its_frame);
  tcase_add_loop_test(tests, stack_trail_keeps_the_innermost_frames, 0, CGC_COUNT(depths));
  tcase_add_test(tests, stack_trail_is_exact_in_handlers);
  tcase_add_test(tests, stack_trail_does_not_take_the_interrupted_function_for_a_caller);
  tcase_add_test(tests, stack_trail_is_exact_in_threads);
  tcase_add_loop_test(tests, stack_trail_does_not_take_old_words_for_frames, 0, 2);
  tcase_add_test(tests, stack_trail_is_exact_in_coroutines);
  tcase_add_loop_test(tests, stack_trail_ends_where_rbp_leads_nowhere, 0, CGC_COUNT(wrong_bps));
  return suite;
}
