/* SPDX-License-Identifier: MIT */
/*
 * Failure injection in test builds: CGC_FAIL=call:n makes the nth use of a
 * system call wrapper fail, CGC_FAIL=call:n+ that one and all later ones.
 */
#ifndef CGC_BASE_FAULT_H
#define CGC_BASE_FAULT_H

#include "base/compiler.h"

#include <stdbool.h>

#define FAULT_LIST(X)                                                              \
  X(MAP, "map") X(DISCARD, "discard") X(WIPE, "wipe") X(READ_MEMORY, "read-memory") \
  X(PAGE_SCAN, "page-scan") X(OPEN, "open") X(READ, "read") X(SIGNAL, "signal")     \
  X(CLONE, "clone") X(LIST, "list") X(SIGACTION, "sigaction") X(MEMBARRIER, "membarrier") \
  X(WATCH, "watch") X(COLLECT, "collect") X(HOLD, "hold") X(CLOSE, "close-range") X(MAPPING, "mapping")

enum fault {
#define FAULT_ENUM(name, text) FAULT_##name,
  FAULT_LIST(FAULT_ENUM)
#undef FAULT_ENUM
  FAULT_COUNT
};

/* Parses "call:n" or "call:n+"; false if it is neither. */
bool fault_configure(const char *specification);

/* Whether this use of the call must fail.  Always false outside test builds. */
bool fault_is_due(enum fault fault);

#endif
