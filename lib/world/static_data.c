/* SPDX-License-Identifier: MIT */
#include "world/static_data.h"

#include "base/arch_x86_64.h"
#include "world/loaded_objects.h"
#include "world/pages.h"
#include "world/roots.h"

#include <dlfcn.h>
#include <pthread.h>
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
  return add_range(ranges, start_addr, relro.start_addr) &&
         add_range(ranges, max_u64(start_addr, relro.end_addr), end_addr);
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

/* ---- all objects ---- */

/* What was found the last time; owned by whoever holds the cycle lock. */
static struct {
  uint64_t fingerprint;
  struct array ranges;              /* struct page_range: of all objects */
  size_t longest_variables_bytes;   /* that any object has for a thread: how long an allocated one is, libc knows only */
} seen;

static size_t
variables_bytes(const struct object *object) {
  for (size_t i = 0; i < object->header_count; i++)
    if (object->headers[i].p_type == PT_TLS)
      return object->headers[i].p_memsz;
  return 0;
}

static bool
list_object(const struct link_map *map, void *filter) {
  struct object object;
  if (!read_object(map, &object))
    return true;
  seen.longest_variables_bytes = max_u64(seen.longest_variables_bytes, variables_bytes(&object));
  return add_object(&object, *(static_data_filter **)filter, &seen.ranges);
}

static bool
list_objects(static_data_filter *filter) {
  seen.ranges.count = seen.longest_variables_bytes = 0;
  return loaded_objects_visit_stw(list_object, &filter);
}

bool
static_data_note_stw(static_data_filter *filter) {
  uint64_t fingerprint = loaded_objects_fingerprint_stw();
  if (filter || fingerprint != seen.fingerprint) {
    seen.fingerprint = 0;
    if (!list_objects(filter))
      return false;
    seen.fingerprint = filter ? 0 : fingerprint;
  }
  return true;
}

bool
static_data_list_stw(struct array *ranges) {
  const struct page_range *range = seen.ranges.items;
  for (size_t i = 0; i < seen.ranges.count; i++)
    if (!add_range(ranges, range[i].start_addr, range[i].end_addr))
      return false;
  return true;
}

/* ---- thread-local variables ---- */

/* glibc's vector of a thread's variables, as the ABI of thread-local storage has it: the entry before the first one
 * counts them. */
struct variables_entry {
  uintptr_t addr;          /* or VARIABLES_UNALLOCATED; of the entry at -1: the count */
  uintptr_t to_free_addr;  /* 0: they lie below the control block */
};

#define VARIABLES_UNALLOCATED UINTPTR_MAX

/* How far the variables lie below a thread's control block, and how large that is: more, if libc does not tell.  Below
 * the main thread's there may be another one's stack. */
static size_t below_bytes = 64 * 1024, block_bytes = 4096;

/* glibc tells them to those that make stacks themselves, and to debuggers. */
void
static_data_init(void) {
  typedef size_t minimal_stack_function(const pthread_attr_t *attributes);
  minimal_stack_function *minimal_stack = (minimal_stack_function *)dlsym(RTLD_DEFAULT, "__pthread_get_minstack");
  const uint32_t *told_block_bytes = dlsym(RTLD_DEFAULT, "_thread_db_sizeof_pthread");
  enum { STACK_BYTES_MIN = 16 * 1024 };   /* what it adds may be more, which does no harm */
  size_t stack_bytes = minimal_stack ? minimal_stack(NULL) : 0, beside_bytes = ARCH_PAGE_BYTES + STACK_BYTES_MIN;
  if (!told_block_bytes || stack_bytes <= beside_bytes + *told_block_bytes)
    return;
  block_bytes = *told_block_bytes;
  below_bytes = stack_bytes - beside_bytes - block_bytes;
}

/* What is not there any more belonged to a thread that has ended. */
static bool
read_thread_data(void *to, uintptr_t from, size_t bytes) {
  if (roots_may_vanish)
    return read_exactly(to, from, bytes);
  memcpy(to, (const void *)from, bytes);
  return true;
}

static bool
add_allocated(const struct variables_entry *entries, size_t count, struct array *ranges) {
  for (const struct variables_entry *entry = entries; entry < entries + count; entry++)
    if (entry->addr && entry->addr != VARIABLES_UNALLOCATED && entry->to_free_addr &&
        !add_range(ranges, entry->addr, entry->addr + seen.longest_variables_bytes))
      return false;
  return true;
}

static bool
add_all_allocated(uintptr_t vector_addr, struct array *ranges) {
  enum { PART = 32, MODULES_MAX = 1 << 16 };
  struct variables_entry entries[PART];
  if (!read_thread_data(entries, vector_addr - sizeof *entries, sizeof *entries))
    return true;
  size_t count = min_u64(entries[0].addr, MODULES_MAX);   /* of a vector that was freed it may be anything */
  for (size_t i = 1; i <= count; i += PART) {
    size_t part = min_u64(PART, count - i + 1);
    if (!read_thread_data(entries, vector_addr + i * sizeof *entries, part * sizeof *entries))
      return true;
    if (!add_allocated(entries, part, ranges))
      return false;
  }
  return true;
}

/* The block holds thread-specific values and where the thread's result goes, too. */
bool
static_data_list_thread_stw(uintptr_t block_addr, struct array *ranges) {
  enum { VECTOR_OFFSET = 8 };
  uintptr_t vector_addr;
  if (!read_thread_data(&vector_addr, block_addr + VECTOR_OFFSET, sizeof vector_addr))
    return true;
  return add_range(ranges, block_addr - below_bytes, block_addr + block_bytes) &&
         add_all_allocated(vector_addr, ranges);
}
