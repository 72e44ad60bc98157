/* SPDX-License-Identifier: MIT */
/* What programs set by functions alone; the rest are the variables of gc.h. */
#ifndef CGC_LIB_BOEHM_SETTINGS_H
#define CGC_LIB_BOEHM_SETTINGS_H

#include <gc/gc.h>
#include <gc/gc_mark.h>

struct settings {
  GC_warn_proc warn;
  GC_await_finalize_proc await_finalize;
  GC_start_callback_proc start_callback;
  GC_on_collection_event_proc on_collection_event;
  GC_on_thread_event_proc on_thread_event;
  GC_toggleref_func toggleref;
  GC_stop_func stop;
  int log_fd;
  int disables_automatic;
  int unmaps_on_gcollect;
};

/* Words, each set by whatever thread and read by any. */
extern struct settings settings;

void settings_default_warn(char *format, GC_word word);
void settings_default_abort(const char *text);

/* When the library has started: what was set before. */
void settings_start(void);

/* Takes over, before a cycle, what the program has written to the variables. */
void settings_apply(void);

/* Sets how much the heap may grow before a cycle.  Not while the caller may hold off cycles. */
void settings_apply_percent(void);

#endif
