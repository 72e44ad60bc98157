/* SPDX-License-Identifier: MIT */
#include "world/roots.h"

#include "base/arch_x86_64.h"
#include "base/array.h"
#include "base/fallback.h"
#include "base/hull.h"
#include "base/lock.h"
#include "base/platform.h"
#include "world/held_words.h"
#include "world/kernel_held.h"
#include "world/named_roots.h"
#include "world/pages.h"
#include "world/shared_memory.h"
#include "world/stop.h"

#include <errno.h>
#include <string.h>
#include <ucontext.h>

enum { ROOT_PIECE_BYTES = CGC_CONFIG_HOSTILE ? 4096 : 256 * 1024 };

/* Owned by whoever holds the cycle lock. */
static struct array roots;        /* struct root */
static struct array live_stacks;  /* struct live_stack */
static size_t root_bytes;

static bool
add_root(uintptr_t start_addr, uintptr_t end_addr, enum root_kind kind) {
  start_addr = round_up(start_addr, sizeof(void *));
  end_addr = round_down(end_addr, sizeof(void *));
  while (start_addr < end_addr) {
    uintptr_t piece_end = min_u64(end_addr, start_addr + ROOT_PIECE_BYTES);
    struct root *root = array_add(&roots, sizeof *root);
    if (!root)
      return false;
    /* Pieces overlap by a word, which may lie across their border. */
    *root = (struct root){start_addr, min_u64(end_addr, piece_end + sizeof(void *)), kind};
    root_bytes += root->end_addr - root->start_addr;
    start_addr = piece_end;
  }
  return true;
}

static bool
add_word(uintptr_t addr) {
  return add_root(addr, addr + sizeof(uintptr_t), ROOT_DATA);
}

/* ---- reading ---- */

bool roots_may_vanish;

/* Asked of the records, not of the count of the stop: that leaves out who has ended since it was found parked. */
static bool
is_any_unstoppable_stw(void) {
  for (const struct cgc_thread *thread = thread_first(); thread; thread = thread->next)
    if (atom_int_load_rlx(&thread->tid) && stop_world_has(thread) && thread->is_kernel_parked)
      return true;
  return false;
}

/* Memory that may not be read by the program's own rights is read through the kernel's file of it. */
static ssize_t
read_by_file(void *to, uintptr_t from, size_t bytes) {
  int fd = platform_open_read("/proc/thread-self/mem");
  if (fd < 0)
    return fd;
  ssize_t result = platform_read_at(fd, to, bytes, from);
  platform_close(fd);
  return result;
}

ssize_t
roots_read(void *to, uintptr_t from, size_t bytes) {
  ssize_t result = platform_read_memory(to, from, bytes);
  if (result == -EPERM || result == -ENOSYS)
    fallback_note(FALLBACK_MEM);
  if (result <= 0)
    result = read_by_file(to, from, bytes);
  return result == -EIO || result == -EFAULT ? 0 : result;   /* nothing is there any more */
}

/* ---- registered roots ---- */

static struct lock registered_lock = LOCK_INITIALIZER(LOCK_RANK_ROOTS);
static struct array registered;   /* struct page_range; lock: registered_lock.  Empty ones are free. */

static bool
register_locked(uintptr_t start_addr, uintptr_t end_addr) {
  struct page_range *ranges = registered.items, *range = NULL;
  for (size_t i = 0; i < registered.count && !range; i++)
    if (ranges[i].start_addr == ranges[i].end_addr)
      range = &ranges[i];
  if (!range)
    range = array_add(&registered, sizeof *range);
  if (!range)
    return false;
  *range = (struct page_range){start_addr, end_addr};
  return true;
}

int
roots_add(uintptr_t start_addr, uintptr_t end_addr) {
  if (start_addr >= end_addr)
    return EINVAL;
  lock_acquire(&registered_lock);
  bool is_added = register_locked(start_addr, end_addr);
  lock_release(&registered_lock);
  return is_added ? 0 : ENOMEM;
}

/* Cuts [start, end) out of one registered range; what remains behind it becomes a range of its own. */
static bool
cut_locked(size_t index, uintptr_t start_addr, uintptr_t end_addr) {
  struct page_range *range = (struct page_range *)registered.items + index;
  struct page_range old = *range;
  if (old.end_addr <= start_addr || old.start_addr >= end_addr)
    return true;
  if (old.end_addr > end_addr && !register_locked(end_addr, old.end_addr))
    return false;
  range = (struct page_range *)registered.items + index;   /* the array may have moved */
  range->end_addr = old.start_addr < start_addr ? start_addr : old.start_addr;
  return true;
}

int
roots_remove(uintptr_t start_addr, uintptr_t end_addr) {
  if (start_addr >= end_addr)
    return EINVAL;
  bool is_done = true;
  lock_acquire(&registered_lock);
  for (size_t i = 0, count = registered.count; i < count; i++)
    is_done = cut_locked(i, start_addr, end_addr) && is_done;
  lock_release(&registered_lock);
  return is_done ? 0 : ENOMEM;
}

static bool
add_registered_stw(void) {
  const struct page_range *ranges = registered.items;
  for (size_t i = 0; i < registered.count; i++)
    if (!add_root(ranges[i].start_addr, ranges[i].end_addr, ROOT_DATA))
      return false;
  return true;
}

/* A thread that has the program's descriptors; 0 if this one has. */
static int
descriptor_holder_stw(void) {
  const struct cgc_thread *self = thread_self();
  if (self && !self->has_own_descriptors)
    return 0;
  for (const struct cgc_thread *thread = thread_first(); thread; thread = thread->next)
    if (atom_int_load_rlx(&thread->tid) && stop_world_has(thread) && !thread->has_own_descriptors)
      return (int)atom_int_load_rlx(&thread->tid);
  return 0;
}

/* Where roots are named the kernel's words are none, but what threads have returned is. */
static int
list_held_stw(const uintptr_t **words, size_t *count) {
  static struct array returned;   /* of words */
  if (!roots_policy.are_named)
    return kernel_held_list_stw(descriptor_holder_stw(), words, count);
  returned.count = 0;
  int err = held_words_list_stw(&returned);
  *words = returned.items;
  *count = returned.count;
  return err;
}

/* They come back to stacks, and count as if they were there. */
static int
add_held_stw(void) {
  const uintptr_t *words;
  size_t count;
  int err = list_held_stw(&words, &count);
  if (err)
    return err;
  return add_root((uintptr_t)words, (uintptr_t)(words + count), ROOT_STACK) ? 0 : ENOMEM;
}

/* ---- memory shared with children ---- */

/* Where roots are named it is none. */
static int
add_shared_stw(void) {
  static struct array shared;   /* struct page_range; owned by whoever holds the cycle lock */
  shared.count = 0;
  int err = roots_policy.are_named ? 0 : shared_memory_list_stw(&shared);
  const struct page_range *ranges = shared.items;
  for (size_t i = 0; i < shared.count && !err; i++)
    err = add_root(ranges[i].start_addr, ranges[i].end_addr, ROOT_DATA) ? 0 : ENOMEM;
  return err;
}

void
roots_adopt_fork(void) {
  lock_reset(&registered_lock);
  named_roots_adopt_fork();
}

/* ---- stacks ---- */

/* [low, stack_pointer) is dead, [stack_pointer, end) is live. */
struct live_stack {
  uintptr_t low_addr, stack_pointer, end_addr;
};

/* The main stack has no neighbour below it within the kernel's guard gap, so its dead part is what
 * lies below the stack pointer in the same run of pages. */
static bool
is_on_main_stack(uintptr_t stack_pointer) {
  uintptr_t end = platform_main_stack_end();
  return stack_pointer < end && end - stack_pointer < MAIN_STACK_BYTES_MAX;
}

static const struct page_range *
range_around(const struct page_ranges *pages, uintptr_t addr) {
  size_t low = 0, high = pages->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (pages->ranges[middle].end_addr <= addr)
      low = middle + 1;
    else
      high = middle;
  }
  bool is_inside = low < pages->count && pages->ranges[low].start_addr <= addr;
  return is_inside ? &pages->ranges[low] : NULL;
}

/* Pages that were never touched are in no range, and cut the main stack in pieces where a frame left them out. */
static uintptr_t
end_of_pages(uintptr_t stack_pointer, const struct page_range *range, const struct page_ranges *pages) {
  const struct page_range *top = is_on_main_stack(stack_pointer) ? range_around(pages, platform_main_stack_end()) : NULL;
  return top ? top->end_addr : range->end_addr;
}

/* Of a stack of which the client has told the upper end only; another one is live to the end of its pages. */
static uintptr_t
end_of_live(const struct cgc_thread *thread, uintptr_t stack_pointer, uintptr_t pages_end_addr) {
  bool is_told = thread && !thread->stack_low_addr && stack_pointer < thread->stack_end_addr;
  return is_told ? min_u64(thread->stack_end_addr, pages_end_addr) : pages_end_addr;
}

static bool
is_on_own_stack(const struct cgc_thread *thread, uintptr_t stack_pointer) {
  return thread && thread->stack_low_addr && thread->stack_low_addr <= stack_pointer &&
         stack_pointer < thread->stack_end_addr;
}

/* Where the stack is that the thread runs on.  On a stack that is not the thread's own, such as a
 * coroutine's, nothing is known to be dead; the thread's own stack is then scanned as data. */
static struct live_stack
locate_stack(const struct cgc_thread *thread, uintptr_t stack_pointer, const struct page_ranges *pages) {
  if (is_on_own_stack(thread, stack_pointer))
    return (struct live_stack){thread->stack_low_addr, stack_pointer, thread->stack_end_addr};
  const struct page_range *range = range_around(pages, stack_pointer);
  if (!range)
    return (struct live_stack){stack_pointer, stack_pointer, stack_pointer};
  uintptr_t low = is_on_main_stack(stack_pointer) ? range->start_addr : stack_pointer;
  uintptr_t pages_end_addr = end_of_pages(stack_pointer, range, pages);
  return (struct live_stack){low, stack_pointer, end_of_live(thread, stack_pointer, pages_end_addr)};
}

/* Where the thread's own stack is not among the data, and it runs on another, all of it may be live. */
static bool
add_left_stack(const struct cgc_thread *thread, uintptr_t stack_pointer) {
  bool is_left = roots_policy.are_named && thread && thread->stack_low_addr &&
                 (stack_pointer < thread->stack_low_addr || stack_pointer >= thread->stack_end_addr);
  return !is_left || add_root(thread->stack_low_addr, thread->stack_end_addr, ROOT_STACK);
}

static bool
add_stack(const struct cgc_thread *thread, uintptr_t stack_pointer, const struct page_ranges *pages) {
  if (!add_left_stack(thread, stack_pointer))
    return false;
  struct live_stack *stack = array_add(&live_stacks, sizeof *stack);
  if (!stack)
    return false;
  *stack = locate_stack(thread, stack_pointer, pages);
  return add_root(stack->stack_pointer, stack->end_addr, ROOT_STACK);
}

/* The vector state in a signal frame tells its size, if the kernel used XSAVE. */
static size_t
vector_state_bytes(const struct _libc_fpstate *state) {
  enum { FXSAVE_BYTES = 512, MAGIC_OFFSET = 464, SIZE_OFFSET = 468, XSAVE_BYTES_MAX = 65536 };
  const uint32_t magic = 0x46505853;
  uint32_t found, bytes;
  memcpy(&found, (const char *)state + MAGIC_OFFSET, sizeof found);
  memcpy(&bytes, (const char *)state + SIZE_OFFSET, sizeof bytes);
  return found == magic && bytes <= XSAVE_BYTES_MAX ? bytes : FXSAVE_BYTES;
}

static bool
add_registers(const ucontext_t *context) {
  const greg_t *registers = context->uc_mcontext.gregs;
  const struct _libc_fpstate *state = context->uc_mcontext.fpregs;
  uintptr_t alternate_stack = (uintptr_t)&context->uc_stack.ss_sp;
  return add_root((uintptr_t)registers, (uintptr_t)(registers + NGREG), ROOT_STACK) && add_word(alternate_stack) &&
         (!state || add_root((uintptr_t)state, (uintptr_t)state + vector_state_bytes(state), ROOT_STACK));
}

/* A coroutine may run on a block whose only pointer is the stack pointer. */
static bool
add_stopped_thread(const struct cgc_thread *thread, const struct page_ranges *pages) {
  return add_word((uintptr_t)&thread->stack_pointer) && add_word((uintptr_t)&thread->alternate_stack_addr) &&
         add_stack(thread, thread->stack_pointer, pages) && (!thread->context || add_registers(thread->context));
}

static bool
add_stopped_threads(const struct page_ranges *pages) {
  const struct cgc_thread *self = thread_self();
  for (const struct cgc_thread *thread = thread_first(); thread; thread = thread->next)
    if (atom_int_load_rlx(&thread->tid) && thread != self && stop_world_has(thread) &&
        !add_stopped_thread(thread, pages))
      return false;
  return true;
}

static void
sort_stacks(struct live_stack *stacks, size_t count) {
  for (size_t gap = count / 2; gap > 0; gap /= 2)   /* Shell, 1959: few, and mostly in order */
    for (size_t i = gap; i < count; i++) {
      struct live_stack moving = stacks[i];
      size_t at = i;
      for (; at >= gap && stacks[at - gap].low_addr > moving.low_addr; at -= gap)
        stacks[at] = stacks[at - gap];
      stacks[at] = moving;
    }
}

/* ---- data ---- */

/* All pages less the stacks; both in ascending order. */
static bool
add_data(const struct page_ranges *pages) {
  const struct live_stack *stack = live_stacks.items, *last = stack + live_stacks.count;
  for (size_t i = 0; i < pages->count; i++) {
    uintptr_t at = pages->ranges[i].start_addr, end = pages->ranges[i].end_addr;
    for (; stack < last && stack->low_addr < end; stack++) {
      if (stack->end_addr <= at)
        continue;
      if (stack->low_addr > at && !add_root(at, stack->low_addr, ROOT_DATA))
        return false;
      at = stack->end_addr;
      if (at >= end)
        break;   /* it may reach into the next range */
    }
    if (at < end && !add_root(at, end, ROOT_DATA))
      return false;
  }
  return true;
}

/* ---- pages ---- */

static struct array wanted;   /* struct page_range; owned by whoever holds the cycle lock */

/* Where the main stack's live part begins, at its end if no thread runs there.  False if one runs on a stack of which
 * only the pages tell how far it reaches. */
static bool
find_main_stack_stw(uintptr_t stack_pointer, uintptr_t *main_addr) {
  const struct cgc_thread *self = thread_self();
  bool are_known = !stack_pointer || is_on_own_stack(self, stack_pointer) || is_on_main_stack(stack_pointer);
  *main_addr = is_on_main_stack(stack_pointer) ? stack_pointer : platform_main_stack_end();
  for (const struct cgc_thread *thread = thread_first(); thread && are_known; thread = thread->next) {
    if (!atom_int_load_rlx(&thread->tid) || thread == self || !stop_world_has(thread))
      continue;
    bool is_main = is_on_main_stack(thread->stack_pointer);
    are_known = is_main || is_on_own_stack(thread, thread->stack_pointer);
    if (is_main)
      *main_addr = min_u64(*main_addr, thread->stack_pointer);
  }
  return are_known;
}

/* The named ones, and above them the main stack, with what the kernel has put at its end. */
static bool
want_named_stw(const struct page_ranges *named, uintptr_t main_addr) {
  wanted.count = 0;
  for (size_t i = 0; i < named->count; i++) {
    struct page_range *range = array_add(&wanted, sizeof *range);
    if (!range)
      return false;
    *range = named->ranges[i];
  }
  struct page_range *main_stack = array_add(&wanted, sizeof *main_stack);
  if (main_stack)
    *main_stack = (struct page_range){main_addr, PAGES_END_ADDR};
  return main_stack != NULL;
}

/* Where roots are named, no others are looked for, unless a stack's extent has to be found. */
static int
list_pages_stw(uintptr_t stack_pointer, struct page_ranges *pages) {
  struct page_ranges named;
  uintptr_t main_addr;
  if (!roots_policy.are_named)
    return pages_list(pages);
  if (!named_roots_list_stw(&named))
    return ENOMEM;
  uintptr_t named_end_addr = named.count ? named.ranges[named.count - 1].end_addr : 0;
  if (!find_main_stack_stw(stack_pointer, &main_addr) || main_addr < named_end_addr)
    return pages_list(pages);
  if (!want_named_stw(&named, main_addr))
    return ENOMEM;
  return pages_list_wanted(&(struct page_ranges){wanted.items, wanted.count}, pages);
}

/* ---- all of them ---- */

int
roots_list_stw(uintptr_t stack_pointer, struct root_list *result) {
  struct page_ranges pages;
  int err = list_pages_stw(stack_pointer, &pages);
  if (err)
    return err;
  roots.count = live_stacks.count = 0;
  root_bytes = 0;
  roots_may_vanish = is_any_unstoppable_stw();
  err = add_held_stw();
  if (!err)
    err = add_shared_stw();
  if (err)
    return err;
  bool has_own_stack = stack_pointer != 0;
  bool is_complete = (!has_own_stack || add_stack(thread_self(), stack_pointer, &pages)) &&
                     add_stopped_threads(&pages) && add_registered_stw();
  sort_stacks(live_stacks.items, live_stacks.count);
  size_t data_index = roots.count;
  if (roots_policy.are_named)
    is_complete = is_complete && named_roots_select_stw(&pages, &pages);
  is_complete = is_complete && add_data(&pages);
  *result = (struct root_list){roots.items, roots.count, data_index, root_bytes};
  return is_complete ? 0 : ENOMEM;
}
