/* SPDX-License-Identifier: MIT */
/*
 * Whether a loaded object defines a dynamic symbol, by its GNU hash table.
 *
 * An object may still be listed when its memory is gone already (dlclose): so all of it is read as memory that may
 * vanish.
 */
#ifndef CGC_WORLD_EXPORTED_SYMBOL_H
#define CGC_WORLD_EXPORTED_SYMBOL_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>

/* Any of these.  False also of an object without such a table, such as the kernel's. */
bool exported_symbol_is_any_in(const struct link_map *map, const char *const *names, size_t count);

#endif
