/* SPDX-License-Identifier: MIT */
#include "report/trace.h"

#include "base/fallback.h"
#include "base/log.h"
#include "base/options.h"
#include "base/platform.h"

#include <errno.h>

enum { NS_PER_MS = 1000000 };

static const char *const cause_names[] = {
  [CYCLE_CAUSE_HEAP] = "heap",         [CYCLE_CAUSE_FORCED] = "forced",
  [CYCLE_CAUSE_PERIODIC] = "periodic", [CYCLE_CAUSE_STRESS] = "stress",
  [CYCLE_CAUSE_NO_MEMORY] = "memory",  [CYCLE_CAUSE_LOOK] = "leaks",
};

static void
add_ms(struct text *line, const char *name, uint64_t from_ns, uint64_t to_ns) {
  text_add(line, name);
  text_add_ratio(line, to_ns - from_ns, NS_PER_MS, 3);
}

static void
add_bytes(struct text *line, const char *name, uint64_t bytes) {
  text_add(line, name);
  text_add_bytes(line, bytes);
}

static void
add_count(struct text *line, const char *name, uint64_t count, const char *unit) {
  text_add(line, name);
  text_add_u64(line, count);
  text_add(line, unit);
}

static void
add_head(struct text *line, const struct cycle_report *report) {
  static uint64_t start_ns;
  if (!start_ns)
    start_ns = report->collection.begin_ns;
  add_count(line, "cgc ", report->number, " @");
  text_add_ratio(line, report->collection.begin_ns - start_ns, (uint64_t)1000 * NS_PER_MS, 3);
  text_add(line, "s ");
  text_add(line, cause_names[report->cause]);
}

static void
add_given_up(struct text *line, const struct collection_report *report) {
  add_ms(line, ": given up after ", report->begin_ns, report->end_ns);
  text_add(line, " ms: ");
  if (report->err == ETIMEDOUT)
    add_count(line, "thread ", (uint64_t)report->stop.silent_tid, " did not stop");
  else if (report->lacks_references)
    text_add(line, "a library was loaded that links blocks by distances");
  else if (report->hides_references)
    text_add(line, "a library is loaded that hides references: nothing is reclaimed any more");
  else if (report->err == EAGAIN)
    text_add(line, "a thread that blocks all signals woke up");
  else
    add_count(line, "error ", (uint64_t)report->err, "");
}

static void
add_stop(struct text *line, const struct collection_stop *stop) {
  add_ms(line, ": stop ", stop->begin_ns, stop->stopped_ns);
  if (stop->roots_ns)
    add_ms(line, " roots ", stop->stopped_ns, stop->roots_ns);
  if (stop->marked_ns)
    add_ms(line, " mark ", stop->roots_ns, stop->marked_ns);
}

static void
add_times_stopped(struct text *line, const struct collection_report *report) {
  const struct collection_stop *stop = &report->stops[report->stop_count - 1];   /* before it one may have been in vain */
  add_stop(line, stop);
  add_ms(line, " sweep ", stop->marked_ns, report->swept_ns);
  add_ms(line, " run ", report->swept_ns, stop->end_ns);
  text_add(line, " ms");
}

/* All stops, and between them what went on beside the program. */
static void
add_times_beside(struct text *line, const struct collection_report *report) {
  uint64_t ran_ns = report->begin_ns;
  text_add(line, ":");
  for (unsigned i = 0; i < report->stop_count; i++) {
    const struct collection_stop *stop = &report->stops[i];
    if (i > 0)
      add_ms(line, i == 1 ? " arm " : " mark ", ran_ns, i == 1 ? report->armed_ns : stop->begin_ns);
    add_ms(line, " stop ", stop->begin_ns, stop->end_ns);
    add_ms(line, " (stopping ", stop->begin_ns, stop->stopped_ns);
    if (stop->collected_ns) {
      add_count(line, ", ", stop->dirty_pages, " pages");
      add_ms(line, " in ", stop->stopped_ns, stop->collected_ns);
    }
    text_add(line, ")");
    ran_ns = stop->end_ns;
  }
  add_ms(line, " sweep ", ran_ns, report->swept_ns);
  for (unsigned i = 0; i < min_u64(report->preclean_rounds, COLLECTION_ROUNDS_MAX); i++)
    add_count(line, i ? "+" : " ms, pre-clean ", report->preclean_pages[i], "");
  text_add(line, " pages");
}

static void
add_sizes(struct text *line, const struct cycle_report *report) {
  const struct sweep_result *sweep = &report->collection.sweep;
  uint64_t after_bytes = sweep->live_bytes + sweep->held_bytes;
  add_bytes(line, ", ", after_bytes + sweep->reclaimed_bytes);
  add_bytes(line, " -> ", after_bytes);
  add_bytes(line, ", memory ", report->collection.held_memory_bytes);
  add_bytes(line, ", goal ", report->goal_before_bytes);
  add_bytes(line, " -> ", report->goal_after_bytes);
  if (report->pacer.is_limited)
    add_bytes(line, " by limit ", report->found.limit_bytes);
  add_count(line, ", reclaimed ", sweep->reclaimed_blocks, " blocks ");
  add_bytes(line, "", sweep->reclaimed_bytes);
  add_count(line, ", held ", sweep->held_blocks, " blocks ");
  add_bytes(line, "", sweep->held_bytes);
}

static void
add_work(struct text *line, const struct collection_report *report) {
  add_bytes(line, ", roots ", report->root_bytes);
  add_bytes(line, ", scanned ", report->trace.scanned_bytes);
  add_count(line, ", threads ", report->stop.threads, "");
  if (report->stop.kernel_parked)
    add_count(line, " (", report->stop.kernel_parked, " parked)");
  add_count(line, ", markers ", report->trace.markers, ", dirty=");
  text_add(line, report->is_beside ? "uffd" : "stop");
  if (report->is_partial)
    add_count(line, ", partial: ", report->written_pages, " pages");
}

/* Of all processors that the program may use, from the end of the cycle before to that of this one. */
static void
add_share(struct text *line, const struct cycle_report *report) {
  uint64_t cpu_ns = report->collection.cpu_ns + report->assisted_ns;
  add_ms(line, ", waits ", 0, report->waited_ns);
  add_ms(line, " (marking ", 0, report->assisted_ns);
  text_add(line, ") ms, cpu ");
  text_add_ratio(line, cpu_ns * 100, max_u64(report->interval_ns, 1) * platform_cpu_count(), 1);
  text_add(line, "%");
}

static void
add_fallbacks(struct text *line) {
  const char *before = ", instead: ";
  for (unsigned i = 0; i < FALLBACK_COUNT; i++)
    if (fallback_noted() >> i & 1) {
      text_add(line, before);
      text_add(line, fallback_name((enum fallback)i));
      before = " ";
    }
}

/* ---- trace=2 ---- */

static void
trace_stop(const struct cycle_report *report, unsigned i) {
  char buffer[256];
  const struct collection_stop *stop = &report->collection.stops[i];
  uint64_t from_ns = stop->collected_ns ? stop->collected_ns : stop->stopped_ns;
  struct text line = text_in(buffer, sizeof buffer);
  add_count(&line, "cgc ", report->number, "");
  add_count(&line, " stop ", i + 1, "");
  add_ms(&line, ": stopping ", stop->begin_ns, stop->stopped_ns);
  if (stop->collected_ns)
    add_ms(&line, " pages ", stop->stopped_ns, stop->collected_ns);
  if (stop->roots_ns)
    add_ms(&line, " roots ", from_ns, stop->roots_ns);
  if (stop->marked_ns)
    add_ms(&line, " mark ", stop->roots_ns, stop->marked_ns);
  add_ms(&line, " rest ", stop->marked_ns ? stop->marked_ns : stop->roots_ns ? stop->roots_ns : from_ns, stop->end_ns);
  text_add(&line, " ms\n");
  log_write(&line);
}

static void
trace_pace(const struct cycle_report *report) {
  char buffer[512];
  const struct pacer *pacer = &report->pacer;
  struct text line = text_in(buffer, sizeof buffer);
  add_count(&line, "cgc ", report->number, " pace: ");
  add_bytes(&line, "live ", report->found.live_bytes);
  add_bytes(&line, ", grown meanwhile ", report->found.grown_bytes);
  add_count(&line, ", percent ", pacer->percent, "");
  add_count(&line, " x ", pacer->multiplier, "");
  add_count(&line, " / ", pacer->cycles_to_reclaim, " cycles");
  add_bytes(&line, ", goal ", pacer->goal_bytes);
  add_bytes(&line, ", lead ", pacer->lead_bytes);
  add_bytes(&line, ", next count after ", pacer->distance_bytes);
  if (report->found.limit_bytes && report->found.limit_bytes != UINT64_MAX)
    add_bytes(&line, ", limit ", report->found.limit_bytes);
  text_add(&line, pacer->is_limited ? ", limited\n" : "\n");
  log_write(&line);
}

static void
trace_details(const struct cycle_report *report) {
  for (unsigned i = 0; i < report->collection.stop_count; i++)
    trace_stop(report, i);
  if (!report->collection.err)
    trace_pace(report);
}

/* ---- a cycle ---- */

void
trace_cycle(const struct cycle_report *report) {
  char buffer[1024];
  const struct collection_report *collection = &report->collection;
  if (!option(OPTION_TRACE))
    return;
  struct text line = text_in(buffer, sizeof buffer);
  add_head(&line, report);
  if (collection->err) {
    add_given_up(&line, collection);
  } else {
    if (collection->is_beside)
      add_times_beside(&line, collection);
    else
      add_times_stopped(&line, collection);
    add_sizes(&line, report);
    add_work(&line, collection);
    add_share(&line, report);
    add_fallbacks(&line);
  }
  text_add(&line, "\n");
  log_write(&line);
  if (option(OPTION_TRACE) >= 2)
    trace_details(report);
}
