/* SPDX-License-Identifier: MIT */
/*
 * Options: one table, from which the parser, the help text and the tests come.
 * CGC_OPTIONS="name=value:name=value", or each as CGC_NAME (capitals, - as _), which wins.
 */
#ifndef CGC_BASE_OPTIONS_H
#define CGC_BASE_OPTIONS_H

#include "base/hull.h"
#include "base/path_template.h"

#include <stdbool.h>

enum option_mode { OPTION_MODE_OFF, OPTION_MODE_COLLECT, OPTION_MODE_LEAK };
enum option_limit { OPTION_LIMIT_OFF, OPTION_LIMIT_AUTO };   /* or more: bytes */
enum option_switch { OPTION_SWITCH_OFF, OPTION_SWITCH_ON, OPTION_SWITCH_AUTO };
enum option_dirty { OPTION_DIRTY_AUTO, OPTION_DIRTY_UFFD, OPTION_DIRTY_STOP };

/* X(enum, name, kind, default, min, max, help).  Kinds: NUMBER; BYTES (K, M, G as suffix);
 * MODE, DIRTY and SWITCH, one of some names each; LIMIT, one of two names or bytes. */
#define OPTION_LIST(X)                                                                                               \
  X(MODE, "mode", MODE, OPTION_MODE_COLLECT, 0, OPTION_MODE_LEAK,                                                    \
    "off: an allocator only; collect: reclaim what cannot be reached; leak: report it at the end of the process")    \
  X(DEPTH, "depth", NUMBER, 256, 1, 512, "mode=leak: frames that are kept of an allocation's stack")                 \
  X(SAMPLE, "sample", BYTES, 0, 0, HULL_HEAP_BYTES,                                                                  \
    "mode=leak: a stack is recorded about once in so many bytes allocated; 0: of each block")                        \
  X(EXIT_CODE, "exit-code", NUMBER, 23, 0, 255,                                                                      \
    "mode=leak: exit status of a process that has leaks; 0: its own")                                                \
  X(SITES, "sites", NUMBER, 0, 0, 1, "mode=leak: 1: report what can be reached too, by allocation stack")            \
  X(LEAK_INTERVAL, "leak-interval", NUMBER, 0, 0, 86400, "mode=leak: seconds from one check to the next; 0: none")   \
  X(LEAK_DEATH, "leak-death", NUMBER, 0, 0, 1, "mode=leak: 1: check before SIGTERM, SIGINT or SIGHUP ends the process") \
  X(LEAK_SIGNAL, "leak-signal", NUMBER, 0, 0, 64, "mode=leak: a signal that asks for a check; 0: none")              \
  X(PERCENT, "percent", NUMBER, 100, 1, 1000000,                                                                     \
    "growth over the live heap, in percent, before the next cycle ends")                                             \
  X(MIN_HEAP, "min-heap", BYTES, CGC_CONFIG_HOSTILE ? 4 * MIB : 16 * MIB, 64 * KIB, HULL_HEAP_BYTES,                 \
    "no cycle starts by itself in a heap smaller than this")                                                         \
  X(MEMORY_LIMIT, "memory-limit", LIMIT, OPTION_LIMIT_AUTO, 0, HULL_HEAP_BYTES,                                      \
    "memory that the heap should not exceed, its metadata included; auto: what the control group leaves; off: none") \
  X(CONFIRM, "confirm", NUMBER, 2, 1, 2,                                                                             \
    "cycles in a row that must find a malloc block unreachable before it is reclaimed")                              \
  X(STRESS, "stress", NUMBER, 0, 0, 1000000000,                                                                      \
    "a full cycle at every nth slow allocation and every 2 MiB; 0: never")                                           \
  X(STRESS_MS, "stress-ms", NUMBER, 0, 0, 3600000,                                                                   \
    "a full cycle every so many milliseconds, by a thread made for it; 0: never")                                    \
  X(VERIFY, "verify", NUMBER, 0, 0, 1,                                                                               \
    "1: check after each mark that nothing reachable is unmarked, and the heap's invariants")                        \
  X(TRACE, "trace", NUMBER, 0, 0, 2, "1: one line per cycle; 2: its stops and the pace too")                         \
  X(DIRTY, "dirty", DIRTY, OPTION_DIRTY_AUTO, 0, OPTION_DIRTY_STOP,                                                  \
    "how marking sees what the program writes: uffd: by userfaultfd, while the program runs; stop: it is stopped; "  \
    "auto: uffd in heaps that take long, if the system offers it")                                                   \
  X(PARTIAL, "partial", NUMBER, 1, 0, 2,                                                                             \
    "1: cycles that stop the program need not follow again what blocks found by earlier ones point to, but where "   \
    "that has been written to, if it pays; 2: all cycles stop it, and as many as possible do so; 0: none does")      \
  X(MARKERS, "markers", NUMBER, 0, 0, 64,                                                                            \
    "marking threads; 0: as many as the process may use CPUs, by its control group too, at most 8, and half of "     \
    "that beside the program")                                                                                       \
  X(STOP_SIGNAL, "stop-signal", NUMBER, 58, 34, 64,                                                                  \
    "the signal that stops threads; another is chosen if the program has a handler for it")                          \
  X(STOP_TIMEOUT, "stop-timeout", NUMBER, 500, 1, 60000,                                                             \
    "milliseconds after which a cycle is given up because a thread does not stop")                                   \
  X(TAGGED, "tagged", NUMBER, 1, 0, 1,                                                                               \
    "1: words are pointers whatever their highest 16 bits are (NaN boxing)")                                         \
  X(DEMANGLE, "demangle", NUMBER, 1, 0, 2,                                                                           \
    "find pointers that setjmp mangled: 1 in stacks and static data, 2 in the heap too, 0 nowhere")                  \
  X(PACKED, "packed", NUMBER, 1, 0, 1,                                                                               \
    "1: pointers in blocks may also lie at addresses divisible by 4, as in packed structures")                       \
  X(RELATIVE, "relative", SWITCH, OPTION_SWITCH_AUTO, 0, OPTION_SWITCH_AUTO,                                         \
    "1: a word in a block may be the distance from there, the block's start, to the start of another block; 0: none "  \
    "is; auto: 1 while libfontconfig is loaded, which keeps its patterns so")                                       \
  X(HIDDEN, "hidden", NUMBER, 1, 0, 1,                                                                               \
    "1: once SWI-Prolog, Chez Scheme (Racket) or LuaJIT is loaded, which hide references, nothing is reclaimed")      \
  X(PAST_END, "past-end", NUMBER, 1, 0, 1,                                                                           \
    "1: a pointer on a stack just past the end of a block keeps the block")                                          \
  X(RETAIN, "retain", BYTES, 16 * MIB, 0, HULL_HEAP_BYTES,                                                           \
    "free memory kept at least, or an eighth of the heap, or what the last cycle has reclaimed, up to its goal; "     \
    "more goes back to the system at once")                                                                          \
  X(RETAIN_MS, "retain-ms", NUMBER, 1000, 0, 3600000,                                                                \
    "milliseconds after which kept memory goes back to the system as well")                                          \
  X(CHILDREN, "children", NUMBER, 1, 0, 1,                                                                           \
    "0: programs started from this one run without the library: it is taken out of LD_PRELOAD")                      \
  X(ABORT_ON_BAD_FREE, "abort-on-bad-free", NUMBER, 0, 0, 1,                                                         \
    "1: abort after reporting a double, interior or foreign free")                                                   \
  X(HELP, "help", NUMBER, 0, 0, 1, "1: print this table")

enum option {
#define OPTION_ENUM(id, name, kind, initial, min, max, help) OPTION_##id,
  OPTION_LIST(OPTION_ENUM)
#undef OPTION_ENUM
  OPTION_COUNT
};

/* Written by options_read only; [i] is of enum option. */
extern uint64_t option_values[OPTION_COUNT];

CGC_INLINE uint64_t
option(enum option which) {
  return option_values[which];
}

/* X(enum, name, help): those that are paths, none by default. */
#define OPTION_PATH_LIST(X)                                                                               \
  X(LOG, "log", "file to which lines are appended, instead of standard error; %p stands for the process id") \
  X(REPORT, "report",                                                                                     \
    "mode=leak: file to which the record of checks is appended for a tool, instead of a report for people; %p likewise")

enum option_path {
#define OPTION_PATH_ENUM(id, name, help) OPTION_PATH_##id,
  OPTION_PATH_LIST(OPTION_PATH_ENUM)
#undef OPTION_PATH_ENUM
  OPTION_PATH_COUNT
};

const struct path_template *option_path(enum option_path which);

/* Changes a default, before options_read. */
void options_preset(enum option which, uint64_t value);

/* Reads the environment; each unknown name and bad value is reported in one line and the default
 * kept.  A set-user-ID process gets the defaults. */
void options_read(void);

/* Parses "name=value"; on failure reports it and returns false.  For tests and options_read. */
bool options_set(const char *assignment, size_t length_bytes);

#endif
