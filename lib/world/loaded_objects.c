/* SPDX-License-Identifier: MIT */
#include "world/loaded_objects.h"

#include "world/exported_symbol.h"

#include <string.h>

static const struct r_debug_extended *
next_namespace(const struct r_debug_extended *space) {
  return space->base.r_version > 1 ? space->r_next : NULL;
}

bool
loaded_objects_visit_stw(loaded_object_visitor *visit, void *arg) {
  const struct r_debug_extended *space = (const struct r_debug_extended *)&_r_debug;
  for (; space; space = next_namespace(space))
    for (const struct link_map *map = space->base.r_map; map; map = map->l_next)
      if (!visit(map, arg))
        return false;
  return true;
}

static bool
add_to_fingerprint(const struct link_map *map, void *arg) {
  const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
  const uintptr_t words[] = {(uintptr_t)map, map->l_addr, (uintptr_t)map->l_ld, (uintptr_t)map->l_name};
  uint64_t *fingerprint = arg;
  for (size_t i = 0; i < CGC_COUNT(words); i++)
    *fingerprint = (*fingerprint ^ words[i]) * factor;
  return true;
}

uint64_t
loaded_objects_fingerprint_stw(void) {
  uint64_t fingerprint = 1;
  loaded_objects_visit_stw(add_to_fingerprint, &fingerprint);
  return fingerprint;
}

bool
loaded_objects_have_changed_stw(uint64_t *seen_fingerprint) {
  uint64_t before = *seen_fingerprint;
  *seen_fingerprint = loaded_objects_fingerprint_stw();
  return *seen_fingerprint != before;
}

static bool
is_named_otherwise(const struct link_map *map, void *arg) {
  const char *prefix = arg, *path = map->l_name ? map->l_name : "", *slash = strrchr(path, '/');
  return strncmp(slash ? slash + 1 : path, prefix, strlen(prefix)) != 0;
}

bool
loaded_objects_has_stw(const char *prefix) {
  return !loaded_objects_visit_stw(is_named_otherwise, (void *)prefix);
}

struct names {
  const char *const *names;
  size_t count;
};

static bool
lacks_symbols(const struct link_map *map, void *arg) {
  const struct names *wanted = arg;
  return !exported_symbol_is_any_in(map, wanted->names, wanted->count);
}

bool
loaded_objects_export_any_stw(const char *const *names, size_t count) {
  return !loaded_objects_visit_stw(lacks_symbols, &(struct names){names, count});
}
