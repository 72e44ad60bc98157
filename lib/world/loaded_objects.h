/* SPDX-License-Identifier: MIT */
/*
 * The objects that are loaded: the program and its libraries, of all namespaces.
 *
 * The dynamic linker's list is read as it is in the middle of whatever the stopped threads did: an object is added when
 * it is mapped, before any code of it runs, and it is removed when none will run any more.  The linker's lock, which a
 * stopped thread may hold, is not needed.
 */
#ifndef CGC_WORLD_LOADED_OBJECTS_H
#define CGC_WORLD_LOADED_OBJECTS_H

#include "base/compiler.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

/* Calls a function for each, the program itself first, until that returns false: false then.  World stopped. */
typedef bool loaded_object_visitor(const struct link_map *map, void *arg);
bool loaded_objects_visit_stw(loaded_object_visitor *visit, void *arg);

/* Which there are, and where: as good as unique.  Likewise. */
uint64_t loaded_objects_fingerprint_stw(void);

/* Whether they are others than when the caller asked last, with the same word; 0 at first.  Likewise. */
bool loaded_objects_have_changed_stw(uint64_t *seen_fingerprint);

/* Whether the name of one's file, without directories, begins so.  Likewise. */
bool loaded_objects_has_stw(const char *prefix);

/* Whether one defines a dynamic symbol of one of these names.  Likewise. */
bool loaded_objects_export_any_stw(const char *const *names, size_t count);

#endif
