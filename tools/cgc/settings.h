/* SPDX-License-Identifier: MIT */
/* Options that leaks and report share. */
#ifndef CGC_TOOL_SETTINGS_H
#define CGC_TOOL_SETTINGS_H

#include "format.h"
#include "message.h"
#include "programs.h"

#include <argp.h>

enum fail_on { FAIL_ON_ANY, FAIL_ON_DIRECT, FAIL_ON_GROWTH, FAIL_ON_NONE };

struct output {
  const struct format *format;
  const char          *path;   /* NULL: where all go that name none */
};
struct outputs LIST(struct output);

struct settings {
  struct outputs      outputs;
  const char         *output_path;         /* of -O, or NULL */
  struct format_style style;
  const char         *color;               /* auto, always or never */
  struct programs     programs;
  struct strings      suppression_paths;
  bool                updates_baseline, suppresses_indirect;
  int64_t             min_bytes;
  enum fail_on        fail_on;
  int                 exit_code;
  bool                exit_code_wins, allows_unchecked;
};

#define SETTINGS_DEFAULT ((struct settings){.color = "auto", .exit_code = STATUS_LEAKS})

/* A child parser; its input is a struct settings. */
extern const struct argp settings_argp;

#endif
