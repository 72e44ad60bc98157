/* SPDX-License-Identifier: MIT */
/* Whether a loaded object defines a dynamic symbol, by its GNU hash table. */
#ifndef CGC_WORLD_EXPORTED_SYMBOL_H
#define CGC_WORLD_EXPORTED_SYMBOL_H

#include <link.h>
#include <stdbool.h>

/* False also of an object without such a table, such as the kernel's. */
bool exported_symbol_is_in(const struct link_map *map, const char *name);

#endif
