/* SPDX-License-Identifier: MIT */
#include "report/leak_text.h"

#include "base/log.h"
#include "base/platform.h"
#include "record/module.h"
#include "record/recorder.h"
#include "record/return_site.h"
#include "report/leak_join.h"

#include <string.h>

enum { LINE_BYTES = 4096 };

static void
write_line(struct text *line) {
  text_add(line, "\n");
  log_write(line);
}

static void
add_count(struct text *line, uint64_t count, const char *what) {
  text_add_u64(line, count);
  text_add(line, what);
}

static void
add_build_id(struct text *line, const struct module *module) {
  text_add(line, " (BuildId: ");
  for (unsigned i = 0; i < module->build_id_bytes; i++)
    text_add_hex_byte(line, module->build_id[i]);
  text_add(line, ")");
}

/* The call lies before the address that it returns to. */
static void
write_frame(unsigned index, const struct return_site *site, const char *function) {
  char buffer[LINE_BYTES];
  struct text line = text_in(buffer, sizeof buffer - 1);
  const struct module *module = site->module ? module_at(site->module) : NULL;
  text_add(&line, "    #");
  text_add_u64(&line, index);
  text_add(&line, " ");
  text_add_hex(&line, site->return_addr - 1);
  text_add(&line, function ? " in " : " ");
  text_add(&line, function ? function : "");
  text_add(&line, " (");
  text_add(&line, module ? module->path : "<unknown module>");
  if (module) {
    text_add(&line, "+");
    text_add_hex(&line, site->return_addr - 1 - module->bias);
  }
  text_add(&line, ")");
  if (module && module->build_id_bytes)
    add_build_id(&line, module);
  write_line(&line);
}

static void
write_stack(uint32_t number) {
  struct recorded_stack stack;
  unsigned index = 0;
  recorder_read_stack(number, &stack);
  if (stack.function_site)
    write_frame(index++, return_site_at(stack.function_site), record_function_names[stack.function]);
  for (unsigned i = 0; i < stack.count; i++)
    write_frame(index++, return_site_at(stack.sites[i]), NULL);
}

static void
write_group(const struct leak_group *group) {
  char buffer[LINE_BYTES];
  struct text line = text_in(buffer, sizeof buffer - 1);
  text_add(&line, group->kind == LEAK_DIRECT ? "Direct leak of " : "Indirect leak of ");
  add_count(&line, group->bytes, " byte(s) in ");
  add_count(&line, group->blocks, " object(s) allocated from:");
  write_line(&line);
  write_stack(group->stack);
  line.length_bytes = 0;
  write_line(&line);
}

static void
write_head(void) {
  char buffer[LINE_BYTES];
  struct text line = text_in(buffer, sizeof buffer - 1);
  text_add(&line, "\n=================================================================\n==");
  text_add_u64(&line, (uint64_t)platform_process_id());
  text_add(&line, "==ERROR: LeakSanitizer: detected memory leaks\n");
  write_line(&line);
}

static void
write_summary(const struct leak_counts *leaked) {
  char buffer[LINE_BYTES];
  struct text line = text_in(buffer, sizeof buffer - 1);
  text_add(&line, "SUMMARY: LeakSanitizer: ");
  add_count(&line, leaked->bytes, " byte(s) leaked in ");
  add_count(&line, leaked->blocks, " allocation(s).");
  write_line(&line);
}

void
leak_text_write(const struct leak_result *result) {
  if (!result->leaked.blocks)
    return;
  leak_join(result->groups, result->group_count);
  write_head();
  for (enum leak_kind kind = LEAK_DIRECT; kind <= LEAK_INDIRECT; kind++)
    for (size_t i = 0; i < result->group_count; i++)
      if (result->groups[i].kind == kind && result->groups[i].blocks)
        write_group(&result->groups[i]);
  write_summary(&result->leaked);
}
