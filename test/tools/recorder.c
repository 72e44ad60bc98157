/* SPDX-License-Identifier: MIT */
#include "recorder.h"

#include <execinfo.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FRAMES_MAX = 32, MODULES_MAX = 32, LEAKS_MAX = 32, STACKS_MAX = 64 };

struct module {
  const char *path;
  char        build_id[64];
  size_t      bias, start, end;
};

static struct module modules[MODULES_MAX];
static unsigned module_count, stack_count, check_count, leak_count;
static const char *end_error;
static struct {
  const char *kind;
  size_t      bytes;
  unsigned    stack;
} leaks[LEAKS_MAX];
static struct {
  void *frames[FRAMES_MAX];
  int   count;
} stacks[STACKS_MAX];
static FILE *file;
static char exe[4096];

/* ---- modules ---- */

static void
read_build_id(struct module *module, const ElfW(Phdr) *header) {
  const char *note = (const char *)(module->bias + header->p_vaddr), *end = note + header->p_memsz;
  while (note + sizeof(ElfW(Nhdr)) < end) {
    const ElfW(Nhdr) *start = (const ElfW(Nhdr) *)note;
    const unsigned char *bytes = (const unsigned char *)(start + 1) + (start->n_namesz + 3) / 4 * 4;
    if (start->n_type == NT_GNU_BUILD_ID && start->n_namesz == 4)
      for (unsigned i = 0; i < start->n_descsz; i++)
        sprintf(module->build_id + i * 2, "%02x", bytes[i]);
    note = (const char *)bytes + (start->n_descsz + 3) / 4 * 4;
  }
}

static int
add_module(struct dl_phdr_info *info, size_t size, void *unused) {
  (void)size, (void)unused;
  struct module *module = &modules[module_count++];
  module->path = *info->dlpi_name ? strdup(info->dlpi_name) : exe;
  module->bias = info->dlpi_addr;
  module->start = SIZE_MAX;
  for (unsigned i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    size_t start = info->dlpi_addr + header->p_vaddr;
    if (header->p_type == PT_NOTE)
      read_build_id(module, header);
    if (header->p_type == PT_LOAD && start < module->start)
      module->start = start;
    if (header->p_type == PT_LOAD && start + header->p_memsz > module->end)
      module->end = start + header->p_memsz;
  }
  fprintf(file, "{\"type\":\"module\",\"id\":%u,\"path\":\"%s\",\"build_id\":\"%s\",\"start\":\"0x%zx\","
          "\"end\":\"0x%zx\",\"bias\":\"0x%zx\",\"unloaded\":false}\n", module_count, module->path,
          module->build_id, module->start, module->end, module->bias);
  return module_count == MODULES_MAX;
}

/* ---- stacks ---- */

static void
write_frame(const char *before, size_t address) {
  for (unsigned i = 0; i < module_count; i++)
    if (address >= modules[i].start && address < modules[i].end) {
      fprintf(file, "%s[%u,%zu]", before, i + 1, address - modules[i].bias);
      return;
    }
  fprintf(file, "%s[0,%zu]", before, address);
}

static unsigned
find_stack(void *const *frames, int count) {
  unsigned i = 0;
  size_t bytes = (size_t)count * sizeof *frames;
  while (i < stack_count && (stacks[i].count != count || memcmp(stacks[i].frames, frames, bytes)))
    i++;
  return i;
}

/* Of the caller's caller; what was written before is not written again. */
static __attribute__((noinline)) unsigned
write_stack(void) {
  void *frames[FRAMES_MAX];
  int count = backtrace(frames, FRAMES_MAX);
  unsigned known = find_stack(frames + 2, count - 2);
  if (known < stack_count)
    return known + 1;
  if (stack_count == STACKS_MAX)
    abort();
  stacks[stack_count].count = count - 2;
  memcpy(stacks[stack_count].frames, frames + 2, (size_t)(count - 2) * sizeof *frames);
  fprintf(file, "{\"type\":\"stack\",\"id\":%u,\"by\":\"malloc\",\"frames\":[", ++stack_count);
  for (int i = 2; i < count; i++)
    write_frame(i > 2 ? "," : "", (size_t)frames[i]);
  fputs("],\"is_cut\":false}\n", file);
  return stack_count;
}

/* ---- what the program calls ---- */

void
recorder_leak(const char *kind, size_t bytes) {
  unsigned stack = write_stack();
  if (leak_count == LEAKS_MAX)
    abort();
  leaks[leak_count].kind = kind;
  leaks[leak_count].bytes = bytes;
  leaks[leak_count++].stack = stack;
}

void
recorder_site(size_t bytes) {
  unsigned stack = write_stack();
  fprintf(file, "{\"type\":\"site\",\"check\":%u,\"stack\":%u,\"blocks\":1,\"bytes\":%zu}\n", check_count + 1,
          stack, bytes);
}

static void
write_leaks(void) {
  for (unsigned i = 0; i < leak_count; i++)
    fprintf(file, "{\"type\":\"leak\",\"check\":%u,\"kind\":\"%s\",\"cycle\":false,\"stack\":%u,\"blocks\":1,"
            "\"bytes\":%zu,\"reach_blocks\":2,\"reach_bytes\":%zu,\"threads\":[1],"
            "\"first\":{\"thread\":1,\"sequence\":%u,\"age_ms\":7},"
            "\"last\":{\"thread\":1,\"sequence\":%u,\"age_ms\":7},\"addresses\":[\"0x1000\"]}\n", check_count,
            leaks[i].kind, leaks[i].stack, leaks[i].bytes, leaks[i].bytes + 1, i, i);
}

static void
write_check(const char *error, const char *reason, bool is_last) {
  check_count++;
  if (!error)
    write_leaks();
  const char *quote = error ? "\"" : "";
  fprintf(file, "{\"type\":\"check\",\"number\":%u,\"reason\":\"%s\",\"time_ns\":%u000000000,\"error\":%s%s%s,"
          "\"duration_ms\":1,\"live_blocks\":5,\"live_bytes\":50,\"leaked_blocks\":%u,\"leaked_bytes\":9,"
          "\"ignored_blocks\":0,\"ignored_bytes\":0,\"last\":%s,\"unrecorded_stacks\":0}\n", check_count, reason,
          check_count, quote, error ? error : "null", quote, leak_count, is_last ? "true" : "false");
  fflush(file);
}

void
recorder_check(const char *error) {
  write_check(error, "request", false);
}

void
recorder_fail(const char *error) {
  end_error = error;
}

/* ---- the process ---- */

__attribute__((constructor)) static void
begin(void) {
  const char *path = getenv("CGC_REPORT"), *mode = getenv("CGC_MODE"), *exit_code = getenv("CGC_EXIT_CODE");
  const char *place = path ? strstr(path, "%p") : NULL;
  char name[4096];
  if (!mode || strcmp(mode, "leak") || !exit_code || strcmp(exit_code, "0") || !place)
    return;
  snprintf(name, sizeof name, "%.*s%d%s", (int)(place - path), path, getpid(), place + 2);
  file = fopen(name, "a");
  if (!file || readlink("/proc/self/exe", exe, sizeof exe - 1) < 0)
    abort();
  fprintf(file, "{\"type\":\"process\",\"version\":1,\"pid\":%d,\"ppid\":%d,\"time_ns\":1,\"exe\":\"%s\","
          "\"args\":[\"%s\"],\"cwd\":\"/\",\"cgc\":\"0.1.0\",\"forked\":false,\"depth\":32,\"sample_bytes\":0}\n",
          getpid(), getppid(), exe, exe);
  dl_iterate_phdr(add_module, NULL);
  fflush(file);
}

__attribute__((destructor)) static void
end(void) {
  if (!file || (end_error && !*end_error))
    return;
  write_check(end_error, "exit", true);
  fprintf(file, "{\"type\":\"end\",\"status\":0}\n");
  fclose(file);
}
