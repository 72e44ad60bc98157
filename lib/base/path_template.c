/* SPDX-License-Identifier: MIT */
#include "base/path_template.h"

#include "base/platform.h"
#include "base/text.h"

#include <string.h>

bool
path_set(struct path_template *path, const char *text, size_t length) {
  if (length >= sizeof path->text)
    return false;
  memcpy(path->text, text, length);
  path->text[length] = 0;
  return true;
}

void
path_expand(const struct path_template *path, char *expanded) {
  struct text out = text_in(expanded, PATH_TEMPLATE_EXPANDED_BYTES - 1);
  for (const char *c = path->text; *c; c++) {
    if (c[0] == '%' && c[1] == 'p') {
      text_add_u64(&out, (uint64_t)platform_process_id());
      c++;
    } else {
      text_add_chars(&out, c, 1);
    }
  }
  expanded[out.length_bytes] = 0;
}
