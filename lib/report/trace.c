/* SPDX-License-Identifier: MIT */
#include "report/trace.h"

#include "base/fallback.h"
#include "base/log.h"
#include "base/options.h"

#include <errno.h>

enum { NS_PER_MS = 1000000 };

static const char *const cause_names[] = {
  [CYCLE_CAUSE_HEAP] = "heap",         [CYCLE_CAUSE_FORCED] = "forced",
  [CYCLE_CAUSE_PERIODIC] = "periodic", [CYCLE_CAUSE_STRESS] = "stress",
  [CYCLE_CAUSE_NO_MEMORY] = "memory",
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
    start_ns = report->begin_ns;
  add_count(line, "cgc ", report->number, " @");
  text_add_ratio(line, report->begin_ns - start_ns, (uint64_t)1000 * NS_PER_MS, 3);
  text_add(line, "s ");
  text_add(line, cause_names[report->cause]);
}

static void
add_given_up(struct text *line, const struct cycle_report *report) {
  add_ms(line, ": given up after ", report->begin_ns, report->end_ns);
  text_add(line, " ms: ");
  if (report->err == ETIMEDOUT)
    add_count(line, "thread ", (uint64_t)report->stop.silent_tid, " did not stop");
  else if (report->err == EAGAIN)
    text_add(line, "a thread that blocks all signals woke up");
  else
    add_count(line, "error ", (uint64_t)report->err, "");
}

static void
add_times(struct text *line, const struct cycle_report *report) {
  add_ms(line, ": stop ", report->begin_ns, report->stopped_ns);
  add_ms(line, " roots ", report->stopped_ns, report->roots_ns);
  add_ms(line, " mark ", report->roots_ns, report->marked_ns);
  add_ms(line, " sweep ", report->marked_ns, report->swept_ns);
  add_ms(line, " run ", report->swept_ns, report->end_ns);
  text_add(line, " ms");
}

static void
add_sizes(struct text *line, const struct cycle_report *report) {
  const struct sweep_result *sweep = &report->sweep;
  uint64_t after_bytes = sweep->live_bytes + sweep->held_bytes;
  add_bytes(line, ", ", after_bytes + sweep->reclaimed_bytes);
  add_bytes(line, " -> ", after_bytes);
  add_bytes(line, ", memory ", report->held_memory_bytes);
  add_bytes(line, ", goal ", report->goal_before_bytes);
  add_bytes(line, " -> ", report->goal_after_bytes);
  add_count(line, ", reclaimed ", sweep->reclaimed_blocks, " blocks ");
  add_bytes(line, "", sweep->reclaimed_bytes);
  add_count(line, ", held ", sweep->held_blocks, " blocks ");
  add_bytes(line, "", sweep->held_bytes);
}

static void
add_work(struct text *line, const struct cycle_report *report) {
  add_bytes(line, ", roots ", report->root_bytes);
  add_bytes(line, ", scanned ", report->trace.scanned_bytes);
  add_count(line, ", threads ", report->stop.threads, "");
  if (report->stop.kernel_parked)
    add_count(line, " (", report->stop.kernel_parked, " parked)");
  add_count(line, ", markers ", report->trace.markers, ", dirty=stop");
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

void
trace_cycle(const struct cycle_report *report) {
  char buffer[512];
  if (!option(OPTION_TRACE))
    return;
  struct text line = text_in(buffer, sizeof buffer);
  add_head(&line, report);
  if (report->err) {
    add_given_up(&line, report);
  } else {
    add_times(&line, report);
    add_sizes(&line, report);
    add_work(&line, report);
    add_fallbacks(&line);
  }
  text_add(&line, "\n");
  log_write(&line);
}
