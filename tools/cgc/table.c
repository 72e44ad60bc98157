/* SPDX-License-Identifier: MIT */
#include "table.h"

#include "memory.h"

#include <string.h>

enum { CAPACITY_FIRST = 64 };   /* a power of two, as all that follow */

struct table_entry {
  const char *key;
  void       *value;
};

uint64_t
table_hash(uint64_t hash, const char *string) {
  const unsigned char *byte = (const unsigned char *)string;
  do
    hash = (hash ^ *byte) * UINT64_C(0x100000001b3);
  while (*byte++);
  return hash;
}

static struct table_entry *
find(const struct table *table, const char *key) {
  size_t i = table_hash(TABLE_HASH_START, key) & (table->capacity - 1);
  while (table->entries[i].key && strcmp(table->entries[i].key, key))
    i = (i + 1) & (table->capacity - 1);
  return &table->entries[i];
}

static void
enlarge(struct table *table) {
  struct table old = *table;
  table->capacity = old.capacity ? old.capacity * 2 : CAPACITY_FIRST;
  table->entries = memory_take(table->capacity * sizeof *table->entries);
  for (size_t i = 0; i < old.capacity; i++)
    if (old.entries[i].key)
      *find(table, old.entries[i].key) = old.entries[i];
}

void **
table_slot(struct table *table, const char *key) {
  if (table->count >= table->capacity / 2)
    enlarge(table);
  struct table_entry *entry = find(table, key);
  if (!entry->key) {
    entry->key = key;
    table->count++;
  }
  return &entry->value;
}
