/* SPDX-License-Identifier: MIT */
#include "world/exported_symbol.h"

#include "world/roots.h"

#include <stdint.h>
#include <string.h>

enum { WORD_BITS = 64, NAME_BYTES_MAX = 64 };

/* The header of the table; then come words of a Bloom filter, the first symbol of each bucket, and a hash for each
 * symbol from first_symbol on, the lowest bit of which is set at a bucket's end. */
struct hash_header {
  uint32_t bucket_count, first_symbol, filter_words, filter_shift;
};

/* Of one object: 0 where it has none. */
struct symbols {
  uintptr_t hash_addr, table_addr, names_addr;
  struct hash_header header;
};

static bool
read_all(void *to, uintptr_t from, size_t bytes) {
  return roots_read(to, from, bytes) == (ssize_t)bytes;
}

/* An object that has just been mapped, and the kernel's always, has offsets there. */
static uintptr_t
address_in(const struct link_map *map, ElfW(Addr) addr) {
  return addr < map->l_addr ? map->l_addr + addr : addr;
}

static void
note_entry(const struct link_map *map, const ElfW(Dyn) *entry, struct symbols *symbols) {
  if (entry->d_tag == DT_GNU_HASH)
    symbols->hash_addr = address_in(map, entry->d_un.d_ptr);
  else if (entry->d_tag == DT_SYMTAB)
    symbols->table_addr = address_in(map, entry->d_un.d_ptr);
  else if (entry->d_tag == DT_STRTAB)
    symbols->names_addr = address_in(map, entry->d_un.d_ptr);
}

/* The dynamic section, with what lies behind it in the page. */
static bool
find_symbols(const struct link_map *map, struct symbols *symbols) {
  ElfW(Dyn) entries[64];
  ssize_t bytes = map->l_ld ? roots_read(entries, (uintptr_t)map->l_ld, sizeof entries) : 0;
  size_t count = bytes > 0 ? (size_t)bytes / sizeof *entries : 0;
  *symbols = (struct symbols){0};
  for (size_t i = 0; i < count && entries[i].d_tag != DT_NULL; i++)
    note_entry(map, &entries[i], symbols);
  return symbols->hash_addr && symbols->table_addr && symbols->names_addr &&
         read_all(&symbols->header, symbols->hash_addr, sizeof symbols->header) && symbols->header.bucket_count &&
         symbols->header.filter_words;
}

static uint32_t
hash_name(const char *name) {
  uint32_t hash = 5381;   /* Bernstein's */
  for (; *name; name++)
    hash = hash * 33 + (unsigned char)*name;
  return hash;
}

static bool
passes_filter(const struct symbols *symbols, uint32_t hash) {
  const struct hash_header *header = &symbols->header;
  uint64_t word, index = hash / WORD_BITS % header->filter_words;
  if (!read_all(&word, symbols->hash_addr + sizeof *header + index * sizeof word, sizeof word))
    return false;
  return word >> hash % WORD_BITS & word >> (hash >> header->filter_shift) % WORD_BITS & 1;
}

static bool
is_symbol_named(const struct symbols *symbols, uint32_t number, const char *name) {
  ElfW(Sym) symbol;
  char found[NAME_BYTES_MAX];
  size_t bytes = strlen(name) + 1;
  return bytes <= sizeof found && read_all(&symbol, symbols->table_addr + number * sizeof symbol, sizeof symbol) &&
         read_all(found, symbols->names_addr + symbol.st_name, bytes) && memcmp(found, name, bytes) == 0;
}

static bool
is_in(const struct symbols *symbols, const char *name) {
  enum { BUCKET_MAX = 4096 };   /* no real one is as long */
  const struct hash_header *header = &symbols->header;
  uint32_t hash = hash_name(name), number, found = 0;
  if (!passes_filter(symbols, hash))
    return false;
  uintptr_t buckets_addr = symbols->hash_addr + sizeof *header + header->filter_words * sizeof(uint64_t);
  uintptr_t hashes_addr = buckets_addr + header->bucket_count * sizeof number;
  if (!read_all(&number, buckets_addr + hash % header->bucket_count * sizeof number, sizeof number) ||
      number < header->first_symbol)
    return false;   /* empty */
  for (uint32_t end = number + BUCKET_MAX; number < end && !(found & 1); number++) {
    if (!read_all(&found, hashes_addr + (number - header->first_symbol) * sizeof found, sizeof found))
      return false;
    if ((found | 1) == (hash | 1) && is_symbol_named(symbols, number, name))
      return true;
  }
  return false;
}

bool
exported_symbol_is_any_in(const struct link_map *map, const char *const *names, size_t count) {
  struct symbols symbols;
  bool is_any = false;
  if (find_symbols(map, &symbols))
    for (size_t i = 0; i < count && !is_any; i++)
      is_any = is_in(&symbols, names[i]);
  return is_any;
}
