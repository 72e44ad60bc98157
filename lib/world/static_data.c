/* SPDX-License-Identifier: MIT */
#include "world/static_data.h"

#include "base/arch_x86_64.h"
#include "world/pages.h"
#include "world/roots.h"

#include <link.h>
#include <string.h>
#include <sys/auxv.h>

enum { HEADERS_MAX = 64 };

static bool
add_range(struct array *ranges, uintptr_t start_addr, uintptr_t end_addr) {
  if (start_addr >= end_addr)
    return true;
  struct page_range *range = array_add(ranges, sizeof *range);
  if (range)
    *range = (struct page_range){start_addr, end_addr};
  return range != NULL;
}

/* ---- one object ---- */

struct object {
  const char *name;
  uintptr_t load_addr;                 /* added to the addresses of its file */
  ElfW(Phdr) headers[HEADERS_MAX];
  size_t header_count;
};

static bool
read_exactly(void *to, uintptr_t from, size_t bytes) {
  return roots_read(to, from, bytes) == (ssize_t)bytes;
}

/* The program itself is first in the list, and may not be loaded where its file's address 0 is. */
static bool
find_headers(const struct link_map *map, uintptr_t *addr, size_t *count) {
  if (!map->l_prev) {
    *addr = getauxval(AT_PHDR);
    *count = getauxval(AT_PHNUM);
    return *addr != 0;
  }
  ElfW(Ehdr) header;
  if (!read_exactly(&header, map->l_addr, sizeof header) || memcmp(header.e_ident, ELFMAG, SELFMAG))
    return false;
  *addr = map->l_addr + header.e_phoff;
  *count = header.e_phnum;
  return header.e_phentsize == sizeof(ElfW(Phdr));
}

/* What cannot be read is being mapped or unmapped. */
static bool
read_object(const struct link_map *map, struct object *object) {
  uintptr_t addr;
  size_t count;
  if (!find_headers(map, &addr, &count))
    return false;
  object->name = map->l_name ? map->l_name : "";
  object->load_addr = map->l_addr;
  object->header_count = min_u64(count, HEADERS_MAX);
  return read_exactly(object->headers, addr, object->header_count * sizeof object->headers[0]);
}

static struct page_range
relro_of(const struct object *object) {
  for (size_t i = 0; i < object->header_count; i++) {
    const ElfW(Phdr) *header = &object->headers[i];
    uintptr_t addr = object->load_addr + header->p_vaddr;
    if (header->p_type == PT_GNU_RELRO)
      return (struct page_range){addr, round_down(addr + header->p_memsz, ARCH_PAGE_BYTES)};
  }
  return (struct page_range){0, 0};
}

static bool
add_segment(const struct object *object, const ElfW(Phdr) *segment, struct page_range relro, struct array *ranges) {
  uintptr_t start_addr = object->load_addr + segment->p_vaddr, end_addr = start_addr + segment->p_memsz;
  if (relro.start_addr >= end_addr || relro.end_addr <= start_addr)
    return add_range(ranges, start_addr, end_addr);
  return add_range(ranges, start_addr, relro.start_addr) && add_range(ranges, max_u64(start_addr, relro.end_addr), end_addr);
}

static bool
add_object(const struct object *object, static_data_filter *filter, struct array *ranges) {
  struct page_range relro = relro_of(object);
  for (size_t i = 0; i < object->header_count; i++) {
    const ElfW(Phdr) *segment = &object->headers[i];
    if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W))
      continue;
    bool is_wanted = !filter || filter(object->name, object->load_addr + segment->p_vaddr, segment->p_memsz);
    if (is_wanted && !add_segment(object, segment, relro, ranges))
      return false;
  }
  return true;
}

/* ---- all objects, of all namespaces ---- */

static const struct r_debug_extended *
next_namespace(const struct r_debug_extended *space) {
  return space->base.r_version > 1 ? space->r_next : NULL;
}

bool
static_data_list_stw(static_data_filter *filter, struct array *ranges) {
  const struct r_debug_extended *space = (const struct r_debug_extended *)&_r_debug;
  for (; space; space = next_namespace(space))
    for (const struct link_map *map = space->base.r_map; map; map = map->l_next) {
      struct object object;
      if (read_object(map, &object) && !add_object(&object, filter, ranges))
        return false;
    }
  return true;
}

/* ---- thread-local variables ---- */

/* The longest that any object has: how long an allocated one is, is known to libc only. */
static size_t
longest_variables_bytes(void) {
  size_t longest = 0;
  for (const struct link_map *map = _r_debug.r_map; map; map = map->l_next) {
    struct object object;
    if (!read_object(map, &object))
      continue;
    for (size_t i = 0; i < object.header_count; i++)
      if (object.headers[i].p_type == PT_TLS)
        longest = max_u64(longest, object.headers[i].p_memsz);
  }
  return longest;
}

/* glibc's vector of a thread's variables, as the ABI of thread-local storage has it: the entry before the first one
 * counts them. */
struct variables_entry {
  uintptr_t addr;          /* or VARIABLES_UNALLOCATED; of the entry at -1: the count */
  uintptr_t to_free_addr;  /* 0: they lie below the control block */
};

#define VARIABLES_UNALLOCATED UINTPTR_MAX

static bool
add_allocated(uintptr_t vector_addr, struct array *ranges) {
  struct variables_entry entry;
  if (!read_exactly(&entry, vector_addr - sizeof entry, sizeof entry))
    return true;
  size_t count = entry.addr, bytes = count ? longest_variables_bytes() : 0;
  for (size_t i = 1; i <= count; i++) {
    if (!read_exactly(&entry, vector_addr + i * sizeof entry, sizeof entry))
      break;
    if (entry.addr && entry.addr != VARIABLES_UNALLOCATED && entry.to_free_addr &&
        !add_range(ranges, entry.addr, entry.addr + bytes))
      return false;
  }
  return true;
}

/* The block holds thread-specific values and where the thread's result goes, too. */
bool
static_data_list_thread_stw(uintptr_t block_addr, struct array *ranges) {
  enum { VARIABLES_BYTES = 64 * 1024, BLOCK_BYTES = 4096, VECTOR_OFFSET = 8 };
  uintptr_t vector_addr;
  if (!add_range(ranges, block_addr - VARIABLES_BYTES, block_addr + BLOCK_BYTES))
    return false;
  return !read_exactly(&vector_addr, block_addr + VECTOR_OFFSET, sizeof vector_addr) ||
         add_allocated(vector_addr, ranges);
}
