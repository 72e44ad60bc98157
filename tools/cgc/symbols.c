/* SPDX-License-Identifier: MIT */
#include "symbols.h"

#include "module_file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Opening a large file takes as long as some hundred addresses in it do. */
enum { THREADS_MAX = 8, PART_PLACES = 1024 };

struct place {
  uint64_t      offset;
  struct frames frames;
};

struct module_places LIST(struct place);

static int
compare_places(const void *a, const void *b) {
  uint64_t left = ((const struct place *)a)->offset, right = ((const struct place *)b)->offset;
  return (left > right) - (left < right);
}

/* ---- what is wanted ---- */

static void
want_place(struct module *module, uint64_t offset) {
  if (!module->places)
    module->places = memory_take(sizeof *module->places);
  LIST_ADD(module->places)->offset = offset;
}

void
symbols_want(struct record_stack *stack) {
  if (!stack || stack->is_wanted)
    return;
  stack->is_wanted = true;
  LIST_EACH(frame, &stack->frames)
    if (frame->module && !module_is_library(frame->module))
      want_place(frame->module, frame->offset);
}

static void
sort_places(struct module_places *places) {
  size_t kept = 0;
  LIST_SORT(places, compare_places);
  LIST_EACH(place, places)
    if (kept == 0 || places->items[kept - 1].offset != place->offset)
      places->items[kept++] = *place;
  places->count = kept;
}

/* ---- parts ---- */

/* Some places of one module; a thread opens the file for itself, as libdwfl's handles cannot be shared. */
struct part {
  struct module *module;
  size_t         first, end;
};

static struct {
  pthread_mutex_t lock;
  struct LIST(struct part) parts;
  size_t next;   /* index of the first part that no thread has taken yet */
} work = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
add_parts(struct module *module) {
  sort_places(module->places);
  for (size_t first = 0; first < module->places->count; first += PART_PLACES) {
    size_t rest = module->places->count - first;
    *LIST_ADD(&work.parts) = (struct part){module, first, first + (rest < PART_PLACES ? rest : PART_PLACES)};
  }
}

/* Every part of a module has the same problem; one of them tells. */
static void
resolve_part(const struct part *part) {
  struct module *module = part->module;
  const char *problem = NULL;
  struct module_file *file = module_file_open(module->path, module->build_id, &problem);
  if (part->first == 0)
    module->problem = problem;
  if (!file)
    return;
  for (size_t i = part->first; i < part->end; i++)
    module_file_look_up(file, module->places->items[i].offset, &module->places->items[i].frames);
  module_file_close(file);
}

/* ---- all of them ---- */

static void
show_progress(void) {
  if (isatty(STDERR_FILENO))
    fprintf(stderr, "\r\033[Kcgc: resolving addresses, part %zu of %zu", work.next, work.parts.count);
}

static void
clear_progress(void) {
  if (isatty(STDERR_FILENO))
    fputs("\r\033[K", stderr);
}

static const struct part *
take_part(void) {
  const struct part *taken = NULL;
  pthread_mutex_lock(&work.lock);
  if (work.next < work.parts.count) {
    taken = &work.parts.items[work.next++];
    show_progress();
  }
  pthread_mutex_unlock(&work.lock);
  return taken;
}

static void *
resolve_parts(void *unused) {
  for (const struct part *part; (part = take_part());)
    resolve_part(part);
  return unused;
}

static size_t
count_threads(void) {
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  size_t count = processors > 0 ? (size_t)processors : 1;
  count = count < THREADS_MAX ? count : THREADS_MAX;
  return count < work.parts.count ? count : work.parts.count;
}

/* The calling thread works, too, so that it does not matter if no other can be started. */
void
symbols_resolve(struct record *record) {
  pthread_t helpers[THREADS_MAX];
  size_t started = 0;
  work.parts.count = work.next = 0;
  LIST_EACH(module, &record->modules)
    if ((*module)->places)
      add_parts(*module);
  module_file_begin();
  while (started + 1 < count_threads() && !pthread_create(&helpers[started], NULL, resolve_parts, NULL))
    started++;
  resolve_parts(NULL);
  while (started > 0)
    pthread_join(helpers[--started], NULL);
  clear_progress();
}

/* ---- stacks ---- */

static const struct frames *
frames_at(const struct module *module, uint64_t offset) {
  const struct place key = {.offset = offset};
  const struct place *place =
    bsearch(&key, module->places->items, module->places->count, sizeof key, compare_places);
  return &place->frames;
}

static struct frame
frame_at(const struct record_frame *recorded) {
  return (struct frame){.module = recorded->module, .offset = recorded->offset, .addr = recorded->addr};
}

static void
add_frame(struct stack *stack, struct frame frame, const struct record_frame *recorded) {
  frame.module = recorded->module;
  frame.offset = recorded->offset;
  frame.addr = recorded->addr;
  *LIST_ADD(&stack->frames) = frame;
}

static void
add_frames(struct stack *stack, const struct record_frame *recorded) {
  const struct frames *frames = recorded->module ? frames_at(recorded->module, recorded->offset) : NULL;
  if (!frames || frames->count == 0) {
    *LIST_ADD(&stack->frames) = frame_at(recorded);
    return;
  }
  LIST_EACH(frame, frames)
    add_frame(stack, *frame, recorded);
}

struct stack *
symbols_stack(struct record_stack *recorded) {
  static struct stack unknown = {.by = "malloc"};
  if (!recorded)
    return &unknown;
  if (recorded->resolved)
    return recorded->resolved;
  struct stack *stack = memory_take(sizeof *stack);
  stack->by = recorded->by;
  stack->is_cut = recorded->is_cut;
  stack->by_frame = frame_at(&recorded->by_frame);
  LIST_EACH(frame, &recorded->frames)
    if (!frame->module || !module_is_library(frame->module))   /* it lies between a thread's start and its function */
      add_frames(stack, frame);
  recorded->resolved = stack;
  return stack;
}
