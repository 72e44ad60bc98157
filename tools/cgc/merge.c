/* SPDX-License-Identifier: MIT */
#include "merge.h"

#include "fingerprint.h"
#include "growth.h"
#include "symbols.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* As many as the library tells of one leak of one process. */
enum { THREADS_MAX = 8 };

/* ---- when two stacks are one ---- */

static const char *
key_of_frame(const struct frame *frame) {
  const char *module = frame->module ? frame->module->path : "";
  if (frame->function && frame->file)
    return memory_format("%s\n%s\n%s:%u:%u", frame->function, module, frame->file, frame->line, frame->column);
  return memory_format("%s\n%s\n%" PRIx64, frame->function ? frame->function : "", module, frame->offset);
}

static const char *
key_of(const char *kind, const struct stack *stack) {
  size_t length_bytes = 0, used_bytes;
  struct strings parts = {NULL, 0, 0};
  *LIST_ADD(&parts) = memory_format("%s\n%s", kind, stack->by);
  LIST_EACH(frame, &stack->frames)
    *LIST_ADD(&parts) = key_of_frame(frame);
  LIST_EACH(part, &parts)
    length_bytes += strlen(*part) + 1;
  char *key = memory_take(length_bytes + 1);
  used_bytes = 0;
  LIST_EACH(part, &parts) {
    used_bytes = (size_t)(stpcpy(key + used_bytes, *part) - key);
    key[used_bytes++] = '\n';
  }
  return key;
}

/* ---- lists of whole numbers and processes, without doubles ---- */

static void
add_process(struct processes *processes, const struct process *process) {
  LIST_EACH(each, processes)
    if (*each == process)
      return;
  *LIST_ADD(processes) = process;
}

static void
add_thread(struct numbers *threads, int64_t thread) {
  LIST_EACH(each, threads)
    if (*each == thread)
      return;
  if (threads->count < THREADS_MAX)
    *LIST_ADD(threads) = thread;
}

/* ---- leaks ---- */

static struct leak *
add_leak(struct leak_report *report, const struct record_leak *recorded, struct stack *stack, const char *place) {
  const char *kind = leak_kind_name(recorded->leak.kind);
  struct leak *leak = memory_take(sizeof *leak);
  leak->kind = recorded->leak.kind;
  leak->verdict = leak->kind <= LEAK_KIND_INDIRECT ? LEAK_VERDICT_NEW : LEAK_VERDICT_UNSURE;
  leak->stack = stack;
  leak->first = recorded->leak.first;
  leak->last = recorded->leak.last;
  leak->fingerprint = fingerprint_make(kind, stack);
  leak->place = place;
  *LIST_ADD(&report->leaks) = leak;
  return leak;
}

static void
sum_up(struct leak *leak, const struct leak *more) {
  leak->is_cycle |= more->is_cycle;
  leak->blocks += more->blocks;
  leak->bytes += more->bytes;
  leak->reach_blocks += more->reach_blocks;
  leak->reach_bytes += more->reach_bytes;
  leak->estimated_blocks += more->estimated_blocks;
  leak->estimated_bytes += more->estimated_bytes;
  if (more->first.age_ms > leak->first.age_ms)
    leak->first = more->first;
  if (more->last.age_ms < leak->last.age_ms)
    leak->last = more->last;
  LIST_EACH(thread, &more->threads)
    add_thread(&leak->threads, *thread);
}

static struct leak **
slot_of(struct table *merged, const char *place) {
  return (struct leak **)table_slot(merged, place);
}

static int
compare_addresses(const void *a, const void *b) {
  uintptr_t left = *(const uintptr_t *)a, right = *(const uintptr_t *)b;
  return (left > right) - (left < right);
}

/* A direct leak with that stack, of the same check, that was merged already. */
static struct leak *
find_owner(struct table *merged, struct image *image, int64_t id) {
  struct record_stack *stack = id ? record_find_stack(image, id) : NULL;
  return stack ? *slot_of(merged, key_of(leak_kind_name(LEAK_KIND_DIRECT), symbols_stack(stack))) : NULL;
}

static void
add_owner(struct leak *leak, struct leak *owner) {
  LIST_EACH(each, &leak->owners)
    if (*each == owner)
      return;
  *LIST_ADD(&leak->owners) = owner;
}

/* What tells it from others of its place. */
static const char *
key_with_owners(const char *place, const struct leak *leak) {
  const char *key = place;
  LIST_EACH(owner, &leak->owners)
    key = memory_format("%s%p\n", key, (void *)*owner);
  return key;
}

static void
merge_leak(struct leak_report *report, struct table *merged, const struct record_leak *recorded, struct image *image) {
  struct stack *stack = symbols_stack(recorded->stack);
  const char *place = key_of(leak_kind_name(recorded->leak.kind), stack);
  struct leak found = recorded->leak;
  LIST_EACH(id, &recorded->owners)
    add_owner(&found, find_owner(merged, image, *id));
  LIST_SORT(&found.owners, compare_addresses);
  struct leak **slot = slot_of(merged, key_with_owners(place, &found));
  if (!*slot)
    *slot = add_leak(report, recorded, stack, place);
  (*slot)->owners = found.owners;
  sum_up(*slot, &found);
  add_process(&(*slot)->processes, image->process);
}

static int
compare_leaks(const void *a, const void *b) {
  const struct leak *left = *(struct leak *const *)a, *right = *(struct leak *const *)b;
  if (left->kind != right->kind)
    return left->kind < right->kind ? -1 : 1;
  if (left->bytes != right->bytes)
    return left->bytes > right->bytes ? -1 : 1;
  return strcmp(left->fingerprint, right->fingerprint);
}

/* ---- growth ---- */

static void
merge_growth(struct leak_report *report, struct table *merged, const struct growth_found *found) {
  struct stack *stack = symbols_stack(found->stack);
  void **slot = table_slot(merged, key_of("growth", stack));
  if (!*slot) {
    struct growth *added = LIST_ADD(&report->growths);
    *added = found->growth;
    added->stack = stack;
    added->fingerprint = fingerprint_make("growth", stack);
    *slot = (void *)(uintptr_t)report->growths.count;   /* the list may move */
    return;
  }
  struct growth *growth = &report->growths.items[(uintptr_t)*slot - 1];
  growth->first_bytes += found->growth.first_bytes;
  growth->last_bytes += found->growth.last_bytes;
  growth->bytes_per_second += found->growth.bytes_per_second;
  add_process(&growth->processes, found->growth.processes.items[0]);
}

static int
compare_growths(const void *a, const void *b) {
  const struct growth *left = a, *right = b;
  return (left->bytes_per_second < right->bytes_per_second) - (left->bytes_per_second > right->bytes_per_second);
}

/* ---- all ---- */

static void
want_leaks(const struct image *image) {
  LIST_EACH(recorded, &image->leaks)
    symbols_want(recorded->stack);
}

/* The direct leaks first, as others refer to them. */
static void
merge_image(struct leak_report *report, struct table *merged, struct image *image) {
  *LIST_ADD(&report->processes) = image->process;
  LIST_EACH(recorded, &image->leaks)
    if (recorded->leak.kind == LEAK_KIND_DIRECT)
      merge_leak(report, merged, recorded, image);
  LIST_EACH(recorded, &image->leaks)
    if (recorded->leak.kind != LEAK_KIND_DIRECT)
      merge_leak(report, merged, recorded, image);
}

void
merge_record(struct record *record, struct leak_report *report) {
  struct table merged = {NULL, 0, 0};
  struct growths_found found = {NULL, 0, 0};
  LIST_EACH(image, &record->images) {
    want_leaks(*image);
    growth_find(*image, &found);
  }
  LIST_EACH(growth, &found)
    symbols_want(growth->stack);
  symbols_resolve(record);
  LIST_EACH(image, &record->images)
    merge_image(report, &merged, *image);
  LIST_EACH(growth, &found)
    merge_growth(report, &merged, growth);
  LIST_SORT(&report->leaks, compare_leaks);
  LIST_SORT(&report->growths, compare_growths);
}

/* ---- once all have their verdicts ---- */

static void
add_to(struct leak *leak, const struct leak *more) {
  sum_up(leak, more);
  LIST_EACH(process, &more->processes)
    add_process(&leak->processes, *process);
}

void
merge_places(struct leak_report *report) {
  struct table merged = {NULL, 0, 0};
  struct leaks leaks = report->leaks;
  report->leaks = (struct leaks){NULL, 0, 0};
  LIST_EACH(leak, &leaks) {
    struct leak **slot = slot_of(&merged, memory_format("%s%s", (*leak)->place, leak_verdict_name((*leak)->verdict)));
    if (*slot) {
      add_to(*slot, *leak);
      continue;
    }
    *slot = *leak;
    *LIST_ADD(&report->leaks) = *leak;
  }
  LIST_SORT(&report->leaks, compare_leaks);
}
