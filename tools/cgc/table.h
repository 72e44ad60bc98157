/* SPDX-License-Identifier: MIT */
/* A hash table from strings to pointers. */
#ifndef CGC_TOOL_TABLE_H
#define CGC_TOOL_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define TABLE_HASH_START UINT64_C(0xcbf29ce484222325)

struct table {
  struct table_entry *entries;
  size_t              count, capacity;
};

/* Where the value of this key is kept, NULL at first.  The key is not copied.  Valid until the next call. */
void **table_slot(struct table *table, const char *key);

/* FNV-1a; of several strings, one after the other, each ended by its zero byte. */
uint64_t table_hash(uint64_t hash, const char *string);

#endif
