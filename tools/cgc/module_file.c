/* SPDX-License-Identifier: MIT */
#include "module_file.h"

#include "demangle.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEBUG_DIRECTORY "/usr/lib/debug"

struct unit_range {
  Dwarf_Addr start, end;
  Dwarf_Die  unit;
};

struct module_file {
  Dwfl        *dwfl;
  Dwfl_Module *module;
  Dwarf_Addr   elf_bias;
  struct LIST(struct unit_range) unit_ranges;   /* made when it is first needed */
  bool has_unit_ranges;
};

void
module_file_begin(void) {
  elf_version(EV_CURRENT);
}

/* ---- opening ---- */

static const char *
hexadecimal(const unsigned char *bytes, size_t count) {
  char *text = memory_take(count * 2 + 1);
  for (size_t i = 0; i < count; i++)
    sprintf(text + i * 2, "%02x", bytes[i]);
  return text;
}

static bool
has_build_id(Dwfl_Module *module, const char *build_id) {
  const unsigned char *bytes;
  GElf_Addr addr;
  int count = dwfl_module_build_id(module, &bytes, &addr);
  return !*build_id || (count > 0 && strcmp(build_id, hexadecimal(bytes, (size_t)count)) == 0);
}

static struct module_file *
open_path(const char *path, const char *build_id) {
  static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_build_id_find_elf,
                                           .find_debuginfo = dwfl_standard_find_debuginfo,
                                           .section_address = dwfl_offline_section_address};
  struct module_file *file = memory_take(sizeof *file);
  file->dwfl = dwfl_begin(&callbacks);
  file->module = dwfl_report_offline(file->dwfl, path, path, -1);
  dwfl_report_end(file->dwfl, NULL, NULL);
  if (file->module && has_build_id(file->module, build_id) && dwfl_module_getelf(file->module, &file->elf_bias))
    return file;
  dwfl_end(file->dwfl);
  return NULL;
}

/* The debugging information of a file that is gone or has changed, if it was installed. */
static struct module_file *
open_by_build_id(const char *build_id) {
  if (strlen(build_id) < 4 || strchr(build_id, '/'))
    return NULL;
  return open_path(memory_format(DEBUG_DIRECTORY "/.build-id/%.2s/%s.debug", build_id, build_id + 2), build_id);
}

struct module_file *
module_file_open(const char *path, const char *build_id, const char **problem) {
  struct module_file *file = open_path(path, build_id);
  if (!file)
    file = open_by_build_id(build_id);
  if (!file)
    *problem = access(path, R_OK) ? "file cannot be read" : "file has changed";
  return file;
}

void
module_file_close(struct module_file *file) {
  dwfl_end(file->dwfl);
}

/* ---- the compilation unit ---- */

static void
add_ranges(struct module_file *file, Dwarf_Die *unit, Dwarf_Addr bias) {
  Dwarf_Addr base, start, end;
  for (ptrdiff_t next = 0; (next = dwarf_ranges(unit, next, &base, &start, &end)) > 0;)
    *LIST_ADD(&file->unit_ranges) = (struct unit_range){start + bias, end + bias, *unit};
}

static int
compare_ranges(const void *a, const void *b) {
  const struct unit_range *left = a, *right = b;
  return (left->start > right->start) - (left->start < right->start);
}

static void
make_unit_ranges(struct module_file *file) {
  Dwarf_Addr bias;
  for (Dwarf_Die *unit = NULL; (unit = dwfl_module_nextcu(file->module, unit, &bias));)
    add_ranges(file, unit, bias);
  LIST_SORT(&file->unit_ranges, compare_ranges);
  file->has_unit_ranges = true;
}

/* libdw itself needs .debug_aranges, which some compilers do not write. */
static Dwarf_Die *
find_unit_by_ranges(struct module_file *file, Dwarf_Addr addr) {
  size_t low = 0, high;
  if (!file->has_unit_ranges)
    make_unit_ranges(file);
  high = file->unit_ranges.count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (file->unit_ranges.items[middle].start <= addr)
      low = middle + 1;
    else
      high = middle;
  }
  struct unit_range *range = low > 0 ? &file->unit_ranges.items[low - 1] : NULL;
  return range && addr < range->end ? &range->unit : NULL;
}

/* The debugging information may lie at another bias than the module. */
static Dwarf_Die *
find_unit(struct module_file *file, Dwarf_Addr addr, Dwarf_Addr *bias) {
  if (!dwfl_module_getdwarf(file->module, bias))
    return NULL;
  Dwarf_Die *unit = dwfl_module_addrdie(file->module, addr, bias);
  return unit ? unit : find_unit_by_ranges(file, addr);
}

/* ---- functions and inlined calls ---- */

static const char *
string_attribute(Dwarf_Die *die, unsigned name) {
  Dwarf_Attribute attribute;
  return dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
}

static unsigned
number_attribute(Dwarf_Die *die, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value;
  return dwarf_formudata(dwarf_attr(die, name, &attribute), &value) ? 0 : (unsigned)value;
}

static const char *
raw_name(Dwarf_Die *die) {
  const char *name = string_attribute(die, DW_AT_linkage_name);
  if (!name)
    name = string_attribute(die, DW_AT_MIPS_linkage_name);
  return name ? name : dwarf_diename(die);
}

static void
set_name(struct frame *frame, const char *name) {
  if (!name)
    return;
  frame->raw_name = memory_copy(name, strlen(name));
  frame->function = demangle(frame->raw_name);
}

/* Relative paths are relative to where the compiler ran. */
static void
set_file(struct frame *frame, Dwarf_Die *unit, const char *path) {
  const char *directory = string_attribute(unit, DW_AT_comp_dir);
  if (!path)
    return;
  bool is_joined = *path != '/' && directory && *directory == '/';
  frame->file = is_joined ? memory_format("%s/%s", directory, path) : memory_copy(path, strlen(path));
}

static struct frame
line_of(Dwarf_Die *unit, Dwarf_Addr addr) {
  struct frame frame = {.function = NULL};
  int line_number = 0, column = 0;
  Dwarf_Line *line = dwarf_getsrc_die(unit, addr);
  if (!line)
    return frame;
  set_file(&frame, unit, dwarf_linesrc(line, NULL, NULL));
  dwarf_lineno(line, &line_number);
  dwarf_linecol(line, &column);
  frame.line = (unsigned)line_number;
  frame.column = (unsigned)column;
  return frame;
}

/* Where an inlined function was called. */
static struct frame
call_site_of(Dwarf_Die *unit, Dwarf_Die *call) {
  struct frame frame = {.line = number_attribute(call, DW_AT_call_line),
                        .column = number_attribute(call, DW_AT_call_column)};
  Dwarf_Files *files;
  size_t count;
  if (dwarf_getsrcfiles(unit, &files, &count) == 0)
    set_file(&frame, unit, dwarf_filesrc(files, number_attribute(call, DW_AT_call_file), NULL, NULL));
  return frame;
}

static bool
is_function(Dwarf_Die *die) {
  int tag = dwarf_tag(die);
  return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;
}

/* scopes: the innermost first, and what each lies in, which for inlined calls is not what it was written in. */
static void
add_functions(Dwarf_Die *unit, Dwarf_Addr addr, Dwarf_Die *scopes, int count, struct frames *frames) {
  struct frame frame = line_of(unit, addr);
  for (int i = 0; i < count; i++) {
    if (!is_function(&scopes[i]))
      continue;
    bool is_inlined = dwarf_tag(&scopes[i]) == DW_TAG_inlined_subroutine;
    set_name(&frame, raw_name(&scopes[i]));
    frame.is_inlined = is_inlined;
    *LIST_ADD(frames) = frame;
    if (!is_inlined)
      return;
    frame = call_site_of(unit, &scopes[i]);
  }
}

static void
look_up_in_unit(Dwarf_Die *unit, Dwarf_Addr addr, struct frames *frames) {
  Dwarf_Die *found = NULL, *scopes = NULL;
  if (dwarf_getscopes(unit, addr, &found) > 0) {
    int count = dwarf_getscopes_die(&found[0], &scopes);
    add_functions(unit, addr, scopes, count, frames);
  }
  free(scopes);
  free(found);
}

static void
look_up_in_symbols(struct module_file *file, Dwarf_Addr addr, struct frames *frames) {
  GElf_Off distance;
  GElf_Sym symbol;
  const char *name = dwfl_module_addrinfo(file->module, addr, &distance, &symbol, NULL, NULL, NULL);
  if (name)
    set_name(LIST_ADD(frames), name);
}

void
module_file_look_up(struct module_file *file, uint64_t offset, struct frames *frames) {
  Dwarf_Addr addr = offset + file->elf_bias, bias = 0;
  Dwarf_Die *unit = find_unit(file, addr, &bias);
  if (unit)
    look_up_in_unit(unit, addr - bias, frames);
  if (frames->count == 0)
    look_up_in_symbols(file, addr, frames);
}
