/* SPDX-License-Identifier: MIT */
#include "report/leak_record.h"

#include "base/log.h"
#include "base/options.h"
#include "base/platform.h"
#include "record/module.h"
#include "record/recorder.h"
#include "record/return_site.h"
#include "report/json_lines.h"
#include "report/version.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_MS = 1000000 };

static const char *const kind_names[] = {
  [LEAK_DIRECT] = "direct", [LEAK_INDIRECT] = "indirect", [LEAK_POSSIBLE] = "possible", [LEAK_DOUBTFUL] = "doubtful",
};

/* Used by one thread at a time: of a check, or of the start or the end of the process. */
static struct json_lines json;
static uint64_t check_count;
static bool has_failed;

/* What this process has written; a forked child begins anew. */
static uint8_t turn = 1;
static uint8_t module_written_in[MODULES_MAX];

/* ---- the file ---- */

bool
leak_record_is_wanted(void) {
  return option_path(OPTION_PATH_REPORT)->text[0] != 0;
}

static void
begin_writing(void) {
  char path[PATH_TEMPLATE_EXPANDED_BYTES];
  path_expand(option_path(OPTION_PATH_REPORT), path);
  json_open(&json, path);
}

/* Said once: the tool finds that the record ends too early. */
static void
report_failure(void) {
  char buffer[PATH_TEMPLATE_EXPANDED_BYTES + 200], path[PATH_TEMPLATE_EXPANDED_BYTES];
  struct text line = text_in(buffer, sizeof buffer);
  path_expand(option_path(OPTION_PATH_REPORT), path);
  text_add(&line, "cgc: the record of leak checks, ");
  text_add(&line, path);
  text_add(&line, ", cannot be written: ");
  text_add_error(&line, json.err);
  text_add(&line, "\n");
  log_write(&line);
}

static void
end_writing(void) {
  json_close(&json);
  if (json.err && !has_failed)
    report_failure();
  has_failed |= json.err != 0;
}

static uint64_t
now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- the process ---- */

static void
add_link(const char *name, const char *path) {
  char target[4096];
  ssize_t length = platform_read_link(path, target, sizeof target);
  json_add_chars(&json, name, target, length > 0 ? (size_t)length : 0);
}

/* In pieces: a part of an argument waits for the rest, as far as the buffer goes. */
static void
add_arguments(void) {
  char buffer[16 * 1024];
  size_t have = 0;
  ssize_t got = 0;
  int fd = platform_open_read("/proc/self/cmdline");
  json_begin(&json, "args", '[');
  while (fd >= 0 && (got = platform_read(fd, buffer + have, sizeof buffer - have)) > 0) {
    const char *argument = buffer, *end;
    have += (size_t)got;
    while ((end = memchr(argument, 0, have - (size_t)(argument - buffer)))) {
      json_add_chars(&json, NULL, argument, (size_t)(end - argument));
      argument = end + 1;
    }
    have -= (size_t)(argument - buffer);
    memmove(buffer, argument, have);
    have = have == sizeof buffer ? 0 : have;   /* one that is longer than that is left out */
  }
  json_end(&json, ']');
  if (fd >= 0)
    platform_close(fd);
}

void
leak_record_process(bool is_forked) {
  turn += is_forked;
  begin_writing();
  json_begin_line(&json, "process");
  json_add_number(&json, "version", 1);
  json_add_number(&json, "pid", (uint64_t)platform_process_id());
  json_add_number(&json, "ppid", (uint64_t)getppid());
  json_add_number(&json, "time_ns", now_ns());
  add_link("exe", "/proc/self/exe");
  add_arguments();
  add_link("cwd", "/proc/self/cwd");
  json_add_string(&json, "cgc", VERSION_OF_LIBRARY);
  json_add_bool(&json, "forked", is_forked);
  json_add_number(&json, "depth", option(OPTION_DEPTH));
  json_add_number(&json, "sample_bytes", option(OPTION_SAMPLE));
  json_end_line(&json);
  end_writing();
}

static void
write_line(const char *type, const char *name, const char *text) {
  begin_writing();
  json_begin_line(&json, type);
  json_add_string(&json, name, text);
  json_end_line(&json);
  end_writing();
}

void
leak_record_suppressions(const char *text) {
  write_line("suppressions", "text", text);
}

void
leak_record_exec(const char *path) {
  write_line("exec", "path", path ? path : "");
}

void
leak_record_end(int status) {
  begin_writing();
  json_begin_line(&json, "end");
  json_add_number(&json, "status", (uint64_t)(status & 0xff));
  json_end_line(&json);
  end_writing();
}

/* ---- modules and stacks ---- */

static void
add_build_id(const struct module *module) {
  char digits[2 * MODULE_BUILD_ID_BYTES_MAX];
  struct text text = text_in(digits, sizeof digits);
  for (unsigned i = 0; i < module->build_id_bytes; i++)
    text_add_hex_byte(&text, module->build_id[i]);
  json_add_chars(&json, "build_id", digits, text.length_bytes);
}

static void
write_module(unsigned number) {
  const struct module *module = number ? module_at(number) : NULL;
  if (!module || module_written_in[number - 1] == turn)
    return;
  module_written_in[number - 1] = turn;
  json_begin_line(&json, "module");
  json_add_number(&json, "id", number);
  json_add_string(&json, "path", module->path);
  add_build_id(module);
  json_add_address(&json, "start", module->start_addr);
  json_add_address(&json, "end", module->end_addr);
  json_add_address(&json, "bias", module->bias);
  json_add_bool(&json, "unloaded", module->is_unloaded);
  json_end_line(&json);
}

static void
add_frame(const char *name, uint32_t number) {
  const struct return_site *site = return_site_at(number);
  json_begin(&json, name, '[');
  json_add_number(&json, NULL, site->module);
  json_add_number(&json, NULL, site->return_addr - (site->module ? module_at(site->module)->bias : 0));
  json_end(&json, ']');
}

static void
write_modules(const struct recorded_stack *stack) {
  if (stack->function_site)
    write_module(return_site_at(stack->function_site)->module);
  for (unsigned i = 0; i < stack->count; i++)
    write_module(return_site_at(stack->sites[i])->module);
}

static void
write_stack(uint32_t number) {
  struct recorded_stack stack;
  if (!number || !stack_depot_take_turn(number, turn))
    return;
  recorder_read_stack(number, &stack);
  write_modules(&stack);
  json_begin_line(&json, "stack");
  json_add_number(&json, "id", number);
  json_add_string(&json, "by", record_function_names[stack.function]);
  if (stack.function_site)
    add_frame("by_frame", stack.function_site);
  json_begin(&json, "frames", '[');
  for (unsigned i = 0; i < stack.count; i++)
    add_frame(NULL, stack.sites[i]);
  json_end(&json, ']');
  json_add_bool(&json, "is_cut", stack.is_cut);
  json_end_line(&json);
}

/* ---- leaks ---- */

static void
add_birth(const char *name, const struct leak_birth *birth) {
  json_begin(&json, name, '{');
  json_add_number(&json, "thread", birth->thread);
  json_add_number(&json, "sequence", birth->sequence);
  json_add_number(&json, "age_ms", record_age_ms(birth->time));
  json_end(&json, '}');
}

static void
add_counts(const char *blocks_name, const char *bytes_name, uint64_t blocks, uint64_t bytes) {
  json_add_number(&json, blocks_name, blocks);
  json_add_number(&json, bytes_name, bytes);
}

/* Of these stacks those whose bits are set. */
static void
add_owners(uint64_t owners, const uint32_t *stacks) {
  json_begin(&json, "owners", '[');
  for (; owners; owners &= owners - 1)
    json_add_number(&json, NULL, stacks[__builtin_ctzll(owners)]);
  json_end(&json, ']');
}

static void
add_details(const struct leak_group *group, const uint32_t *owner_stacks) {
  if (group->kind == LEAK_DIRECT)
    add_counts("reach_blocks", "reach_bytes", group->reach_blocks, group->reach_bytes);
  if (group->kind == LEAK_INDIRECT)
    add_owners(group->owners, owner_stacks);
  json_begin(&json, "threads", '[');
  for (unsigned i = 0; i < group->thread_count; i++)
    json_add_number(&json, NULL, group->threads[i]);
  json_end(&json, ']');
  add_birth("first", &group->first);
  add_birth("last", &group->last);
  json_begin(&json, "addresses", '[');
  for (unsigned i = 0; i < group->address_count; i++)
    json_add_address(&json, NULL, group->addresses[i]);
  json_end(&json, ']');
}

static void
write_group(const struct leak_group *group, const uint32_t *owner_stacks) {
  bool is_site = group->kind == LEAK_REACHABLE;
  write_stack(group->stack);
  json_begin_line(&json, is_site ? "site" : "leak");
  json_add_number(&json, "check", check_count);
  if (!is_site) {
    json_add_string(&json, "kind", kind_names[group->kind]);
    json_add_bool(&json, "cycle", group->is_cycle);
  }
  json_add_number(&json, "stack", group->stack);
  add_counts("blocks", "bytes", group->blocks, group->bytes);
  if (!is_site)
    add_details(group, owner_stacks);
  json_end_line(&json);
}

void
leak_record_check(const struct leak_result *result, const char *reason, bool is_last) {
  begin_writing();
  check_count++;
  for (size_t i = 0; i < result->group_count; i++)
    write_group(&result->groups[i], result->owner_stacks);
  json_begin_line(&json, "check");
  json_add_number(&json, "number", check_count);
  json_add_string(&json, "reason", reason);
  json_add_number(&json, "time_ns", now_ns());
  json_add_string(&json, "error", result->err ? strerrorname_np(result->err) : NULL);
  json_add_number(&json, "duration_ms", result->duration_ns / NS_PER_MS);
  add_counts("live_blocks", "live_bytes", result->live.blocks, result->live.bytes);
  add_counts("leaked_blocks", "leaked_bytes", result->leaked.blocks, result->leaked.bytes);
  add_counts("ignored_blocks", "ignored_bytes", result->ignored.blocks, result->ignored.bytes);
  json_add_bool(&json, "last", is_last);
  json_add_number(&json, "unrecorded_stacks", recorder_lost_stacks());
  json_end_line(&json);
  end_writing();
}
