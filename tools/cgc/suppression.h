/* SPDX-License-Identifier: MIT */
/* Suppressions in the syntax of LeakSanitizer and in that of Valgrind, which may be mixed. */
#ifndef CGC_TOOL_SUPPRESSION_H
#define CGC_TOOL_SUPPRESSION_H

#include "leaks.h"

/* A line of Valgrind's: fun:NAME, obj:PATH, src:FILE, or ... for any number of frames. */
enum rule_line_kind { RULE_LINE_FUNCTION, RULE_LINE_OBJECT, RULE_LINE_SOURCE, RULE_LINE_ANY };

struct rule_line {
  enum rule_line_kind kind;
  const char         *glob;
};

struct suppression {
  const char *name;      /* the pattern, or the name of the rule */
  bool        is_rule;   /* of Valgrind's */
  bool        is_of_kind[LEAK_KIND_COUNT];
  struct LIST(struct rule_line) lines;
  struct suppression_use use;
};
struct suppressions LIST(struct suppression);

/* Adds what the text says; the program ends if it cannot be understood.  where: the file's name, for messages. */
void suppression_parse(struct suppressions *suppressions, const char *text, const char *where);
void suppression_read_file(struct suppressions *suppressions, const char *path);

/* Gives their verdict to leaks that match and to what hangs off no others, and tells in the report what was used. */
void suppression_apply(struct suppressions *suppressions, struct leak_report *report);

/*
 * Indirect leaks, too, of processes all of whose direct leaks are suppressed: what else could they hang off.
 */
void suppression_apply_to_indirect(struct leak_report *report);

/* For suppression_apply. */
bool suppression_pattern_matches(const struct suppression *suppression, const struct leak *leak);
bool suppression_rule_matches(const struct suppression *suppression, const struct leak *leak);

#endif
