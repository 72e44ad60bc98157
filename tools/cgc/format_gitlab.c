/* SPDX-License-Identifier: MIT */
/* GitLab's Code Quality.  GitLab compares with the target branch by fingerprints, of which no two may be the same. */
#include "format.h"

#include "json_text.h"
#include "leak_text.h"
#include "selection.h"
#include "source_root.h"

#include <string.h>

/* Something relative it must be: of a file that is not in the tree, all but the slash at its beginning. */
static const char *
path_of(const char *root, const struct frame *site) {
  const char *path = site && site->file ? site->file : site && site->module ? site->module->path : "unknown";
  const char *relative = source_root_relative(root, path);
  return relative ? relative : path + strspn(path, "/");
}

static const char *
fingerprint_of(const struct leak *leak, struct table *seen) {
  unsigned ordinal = selection_ordinal(seen, leak->fingerprint);
  return ordinal > 1 ? memory_format("%s-%u", leak->fingerprint, ordinal) : leak->fingerprint;
}

static json_t *
entry(const struct leak *leak, const char *root, struct table *seen) {
  const struct frame *site = source_root_site(root, leak->stack);
  const int line = site && site->line > 0 ? (int)site->line : 1;
  return json_pack("{s:o, s:s, s:s, s:s, s:{s:o, s:{s:i}}}", "description",
                   json_text(leak_text_summary(leak, site)), "check_name",
                   memory_format("cgc/%s", leak_text_rule(leak->kind)), "fingerprint", fingerprint_of(leak, seen),
                   "severity", leak->kind == LEAK_KIND_DIRECT ? "major" : "minor", "location", "path",
                   json_text(path_of(root, site)), "lines", "begin", line);
}

void
format_gitlab(FILE *file, const struct leak_report *report, const struct format_style *style) {
  struct leaks leaks = selection_by_size(report, 1 << LEAK_VERDICT_NEW);
  struct table seen = {NULL, 0, 0};
  json_t *entries = json_array();
  LIST_EACH(leak, &leaks)
    json_array_append_new(entries, entry(*leak, style->source_root, &seen));
  json_dumpf(entries, file, JSON_INDENT(2));
  fputc('\n', file);
  json_decref(entries);
}
