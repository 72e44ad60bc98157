/* SPDX-License-Identifier: MIT */
#include "base/fault.h"

#include "base/atom.h"

#include <string.h>

static const char *const fault_names[FAULT_COUNT] = {
#define FAULT_NAME(name, text) [FAULT_##name] = text,
  FAULT_LIST(FAULT_NAME)
#undef FAULT_NAME
};

static unsigned fault_first[FAULT_COUNT];   /* 0: never */
static bool     fault_stays[FAULT_COUNT];
static atom_int fault_uses[FAULT_COUNT];

static bool
fault_parse_count(enum fault fault, const char *digits) {
  unsigned n = 0;
  const char *c = digits;
  for (; *c >= '0' && *c <= '9' && n < 100000000; c++)
    n = n * 10 + (unsigned)(*c - '0');
  fault_stays[fault] = *c == '+';
  if (c == digits || c[fault_stays[fault]])
    return false;
  fault_first[fault] = n;
  return true;
}

bool
fault_configure(const char *specification) {
  for (unsigned i = 0; i < FAULT_COUNT; i++) {
    size_t length = strlen(fault_names[i]);
    if (!strncmp(specification, fault_names[i], length) && specification[length] == ':')
      return fault_parse_count((enum fault)i, specification + length + 1);
  }
  return false;
}

bool
fault_is_due(enum fault fault) {
  if (!CGC_CONFIG_FAULTS || !fault_first[fault])
    return false;
  unsigned use = atom_int_add_full(&fault_uses[fault], 1) + 1;
  return use == fault_first[fault] || (fault_stays[fault] && use > fault_first[fault]);
}
