/* SPDX-License-Identifier: MIT */
#include "world/exported_symbol.h"

#include <stdint.h>
#include <string.h>

enum { WORD_BITS = 64 };

/* What its dynamic section points to. */
struct symbols {
  const uint32_t  *hash;    /* the table; NULL if there is none */
  const ElfW(Sym) *table;
  const char      *names;
};

/* An object that has just been mapped, and the kernel's always, has offsets there. */
static const void *
address_in(const struct link_map *map, ElfW(Addr) addr) {
  return (const void *)(addr < map->l_addr ? map->l_addr + addr : addr);
}

static struct symbols
find_symbols(const struct link_map *map) {
  struct symbols symbols = {0};
  for (const ElfW(Dyn) *entry = map->l_ld; entry && entry->d_tag != DT_NULL; entry++) {
    if (entry->d_tag == DT_GNU_HASH)
      symbols.hash = address_in(map, entry->d_un.d_ptr);
    else if (entry->d_tag == DT_SYMTAB)
      symbols.table = address_in(map, entry->d_un.d_ptr);
    else if (entry->d_tag == DT_STRTAB)
      symbols.names = address_in(map, entry->d_un.d_ptr);
  }
  return symbols;
}

static uint32_t
hash_name(const char *name) {
  uint32_t hash = 5381;   /* Bernstein's */
  for (; *name; name++)
    hash = hash * 33 + (unsigned char)*name;
  return hash;
}

/* The words of a Bloom filter follow the header, then the first symbol of each bucket, and a hash for each symbol from
 * first_symbol on, the lowest bit of which is set at a bucket's end. */
bool
exported_symbol_is_in(const struct link_map *map, const char *name) {
  struct symbols symbols = find_symbols(map);
  if (!symbols.hash || !symbols.table || !symbols.names || !symbols.hash[0] || !symbols.hash[2])
    return false;
  uint32_t bucket_count = symbols.hash[0], first_symbol = symbols.hash[1], filter_words = symbols.hash[2];
  uint32_t hash = hash_name(name), shift = symbols.hash[3];
  const uint64_t *filter = (const uint64_t *)(symbols.hash + 4);
  const uint32_t *buckets = (const uint32_t *)(filter + filter_words), *hashes = buckets + bucket_count;
  uint64_t word = filter[hash / WORD_BITS % filter_words];
  if (!(word >> hash % WORD_BITS & word >> (hash >> shift) % WORD_BITS & 1))
    return false;
  uint32_t symbol = buckets[hash % bucket_count];
  if (symbol < first_symbol)
    return false;   /* empty */
  for (;; symbol++) {
    uint32_t found = hashes[symbol - first_symbol];
    if ((found | 1) == (hash | 1) && strcmp(symbols.names + symbols.table[symbol].st_name, name) == 0)
      return true;
    if (found & 1)
      return false;
  }
}
