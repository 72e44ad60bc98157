/* SPDX-License-Identifier: MIT */
#include "record/module.h"

#include "base/compiler.h"
#include "base/meta.h"
#include "base/platform.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>

static struct module *modules[MODULES_MAX];   /* [number - 1] */
static atom_word count;

/* In glibc from 2.35 on.  It takes no lock, and may be called from anywhere. */
extern __typeof__(_dl_find_object) _dl_find_object __attribute__((weak));

static bool
find_object(uintptr_t addr, struct dl_find_object *object) {
  return _dl_find_object && _dl_find_object((void *)addr, object) == 0;
}

/* ---- what a module is ---- */

static const char *
copy_path(const char *path, size_t length) {
  char *copy = meta_alloc(length + 1);
  if (copy)
    memcpy(copy, path, length);
  return copy ? copy : "";
}

/* The program itself has no name there. */
static const char *
path_of(const struct link_map *map) {
  char path[1024];
  if (map->l_name && map->l_name[0])
    return copy_path(map->l_name, strlen(map->l_name));
  ssize_t length = platform_read_link("/proc/self/exe", path, sizeof path);
  return length > 0 ? copy_path(path, (size_t)length) : "";
}

static bool
note_is_build_id(const ElfW(Nhdr) *note) {
  return note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof ELF_NOTE_GNU &&
         !memcmp(note + 1, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU);
}

static void
read_build_id(struct module *module, uintptr_t at, uintptr_t end) {
  while (at + sizeof(ElfW(Nhdr)) <= end) {
    const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)at;
    uintptr_t text = at + sizeof *note + round_up(note->n_namesz, 4);
    if (note_is_build_id(note) && note->n_descsz <= MODULE_BUILD_ID_BYTES_MAX) {
      module->build_id_bytes = note->n_descsz;
      memcpy(module->build_id, (const void *)text, note->n_descsz);
      return;
    }
    at = text + round_up(note->n_descsz, 4);
  }
}

/* The file's header is at the start of what is mapped. */
static void
read_notes(struct module *module) {
  const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)module->start_addr;
  if (memcmp(header->e_ident, ELFMAG, SELFMAG))
    return;
  const ElfW(Phdr) *segments = (const ElfW(Phdr) *)(module->start_addr + header->e_phoff);
  for (unsigned i = 0; i < header->e_phnum && !module->build_id_bytes; i++) {
    uintptr_t at = module->bias + segments[i].p_vaddr;
    if (segments[i].p_type == PT_NOTE && at >= module->start_addr && at + segments[i].p_memsz <= module->end_addr)
      read_build_id(module, at, at + segments[i].p_memsz);
  }
}

static bool
is_at(const struct module *module, uintptr_t addr) {
  return addr - module->start_addr < module->end_addr - module->start_addr;
}

static struct module *
make_module(const struct dl_find_object *object) {
  struct module *module = meta_alloc(sizeof *module);
  if (!module)
    return NULL;
  module->start_addr = (uintptr_t)object->dlfo_map_start;
  module->end_addr = (uintptr_t)object->dlfo_map_end;
  module->bias = object->dlfo_link_map->l_addr;
  module->unwind_header = object->dlfo_eh_frame;
  module->path = path_of(object->dlfo_link_map);
  module->is_own = is_at(module, (uintptr_t)make_module);
  module->is_loader = module->bias == _r_debug.r_ldbase;
  read_notes(module);
  return module;
}

/* ---- the list ---- */

static unsigned
find_noted(uintptr_t code_addr) {
  for (size_t i = atom_load_rlx(&count); i > 0; i--)
    if (!modules[i - 1]->is_unloaded && is_at(modules[i - 1], code_addr))
      return (unsigned)i;
  return 0;
}

unsigned
module_find_locked(uintptr_t code_addr) {
  struct dl_find_object object;
  unsigned number = find_noted(code_addr);
  size_t listed = atom_load_rlx(&count);
  if (number || listed == MODULES_MAX || !find_object(code_addr, &object))
    return number;
  struct module *module = make_module(&object);
  if (!module)
    return 0;
  modules[listed] = module;
  atom_store_rel(&count, listed + 1);   /* the module is complete */
  return (unsigned)listed + 1;
}

static bool
is_still_loaded(const struct module *module) {
  struct dl_find_object object;
  return find_object(module->start_addr, &object) && (uintptr_t)object.dlfo_map_end == module->end_addr &&
         object.dlfo_link_map->l_addr == module->bias;
}

void
module_refresh_locked(void (*gone)(const struct module *module)) {
  for (size_t i = 0; i < atom_load_rlx(&count); i++) {
    struct module *module = modules[i];
    if (module->is_unloaded || is_still_loaded(module))
      continue;
    module->is_unloaded = true;
    gone(module);
  }
}

const struct module *
module_at(unsigned number) {
  return modules[number - 1];
}
