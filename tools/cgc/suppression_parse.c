/* SPDX-License-Identifier: MIT */
#include "suppression.h"

#include "file_text.h"
#include "message.h"

#include <string.h>

#define SPACES " \t\r\n"

struct parser {
  struct suppressions *suppressions;
  const char          *where, *rest;
  unsigned             line_number;
};

static _Noreturn void
fail(const struct parser *parser, const char *what) {
  message_die(STATUS_TROUBLE, "%s:%u: %s", parser->where, parser->line_number, what);
}

static bool
begins_with(const char *line, const char *start) {
  return strncmp(line, start, strlen(start)) == 0;
}

/* The next line that says something, without spaces around it, or NULL. */
static const char *
next_line(struct parser *parser) {
  while (*parser->rest) {
    size_t length = strcspn(parser->rest, "\n");
    const char *start = parser->rest + strspn(parser->rest, " \t\r"), *end = parser->rest + length;
    parser->rest = end + (*end == '\n');
    parser->line_number++;
    while (end > start && strchr(SPACES, end[-1]))
      end--;
    if (end > start && *start != '#')
      return memory_copy(start, (size_t)(end - start));
  }
  return NULL;
}

/* ---- Valgrind's ---- */

static const char *
next_line_of_rule(struct parser *parser) {
  const char *line = next_line(parser);
  if (!line)
    fail(parser, "a suppression without its closing }");
  return line;
}

/* match-leak-kinds: a list of definite, indirect, possible, reachable; or all, or none. */
static void
set_kinds(struct parser *parser, struct suppression *rule, const char *list) {
  static const char *const names[LEAK_KIND_COUNT] = {"definite", "indirect", "possible", "possible"};
  bool is_all = strstr(list, "all") != NULL;
  if (!is_all && !strstr(list, "definite") && !strstr(list, "indirect") && !strstr(list, "possible") &&
      !strstr(list, "reachable") && !strstr(list, "none"))
    fail(parser, "unknown leak kinds");
  for (unsigned i = 0; i < LEAK_KIND_COUNT; i++)
    rule->is_of_kind[i] = is_all || strstr(list, names[i]);
}

static bool
add_rule_line(struct suppression *rule, const char *line) {
  static const struct {
    const char         *start;
    enum rule_line_kind kind;
  } starts[] = {{"fun:", RULE_LINE_FUNCTION}, {"obj:", RULE_LINE_OBJECT}, {"src:", RULE_LINE_SOURCE},
                {"...", RULE_LINE_ANY}};
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
    if (begins_with(line, starts[i].start)) {
      *LIST_ADD(&rule->lines) = (struct rule_line){starts[i].kind, line + strlen(starts[i].start)};
      return true;
    }
  return false;
}

/* "Memcheck:Leak", "Memcheck,Helgrind:Leak"; rules for other errors are skipped. */
static bool
is_for_leaks(const char *line) {
  const char *colon = strchr(line, ':');
  return colon && strcmp(colon, ":Leak") == 0 && strstr(line, "Memcheck");
}

static void
parse_rule(struct parser *parser) {
  struct suppression rule = {.name = next_line_of_rule(parser), .is_rule = true,
                             .is_of_kind = {true, true, true, true}};
  bool is_wanted = is_for_leaks(next_line_of_rule(parser));
  for (const char *line; strcmp(line = next_line_of_rule(parser), "}");) {
    if (!is_wanted)
      continue;
    if (begins_with(line, "match-leak-kinds:"))
      set_kinds(parser, &rule, line);
    else if (!add_rule_line(&rule, line))
      fail(parser, "neither fun:, obj:, src:, ... nor match-leak-kinds:");
  }
  if (is_wanted && rule.lines.count == 0)
    fail(parser, "a suppression without frames");
  if (is_wanted)
    *LIST_ADD(parser->suppressions) = rule;
}

/* ---- both ---- */

static void
parse_pattern(struct parser *parser, const char *line) {
  if (!begins_with(line, "leak:"))
    fail(parser, "neither leak:PATTERN nor a suppression in braces");
  const char *pattern = line + strlen("leak:");
  if (!*pattern)
    fail(parser, "an empty pattern would suppress everything");
  *LIST_ADD(parser->suppressions) = (struct suppression){.name = pattern};
}

void
suppression_parse(struct suppressions *suppressions, const char *text, const char *where) {
  struct parser parser = {suppressions, where, text, 0};
  for (const char *line; (line = next_line(&parser));)
    if (strcmp(line, "{") == 0)
      parse_rule(&parser);
    else
      parse_pattern(&parser, line);
}

void
suppression_read_file(struct suppressions *suppressions, const char *path) {
  suppression_parse(suppressions, file_text_read(path), path);
}
