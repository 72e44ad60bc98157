/* SPDX-License-Identifier: MIT */
#include "base/options.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/platform.h"

#include <string.h>

enum option_kind { OPTION_KIND_NUMBER, OPTION_KIND_BYTES, OPTION_KIND_MODE, OPTION_KIND_DIRTY,
                   OPTION_KIND_LIMIT, OPTION_KIND_SWITCH, OPTION_KIND_COUNT };

struct option_row {
  const char *name;
  enum option_kind kind;
  uint64_t initial, min, max;
  const char *help;
};

static const struct option_row option_rows[OPTION_COUNT] = {
#define OPTION_ROW(id, name, kind, initial, min, max, help) \
  [OPTION_##id] = {name, OPTION_KIND_##kind, initial, min, max, help},
  OPTION_LIST(OPTION_ROW)
#undef OPTION_ROW
};

/* Before the environment is read these are the defaults. */
uint64_t option_values[OPTION_COUNT] = {
#define OPTION_INITIAL(id, name, kind, initial, min, max, help) [OPTION_##id] = initial,
  OPTION_LIST(OPTION_INITIAL)
#undef OPTION_INITIAL
};

/* Of the kinds that have names for their first values: these, ended by NULL. */
static const char *const *const option_names[OPTION_KIND_COUNT] = {
  [OPTION_KIND_MODE] = (const char *const[]){"off", "collect", "leak", NULL},
  [OPTION_KIND_DIRTY] = (const char *const[]){"auto", "uffd", "stop", NULL},
  [OPTION_KIND_LIMIT] = (const char *const[]){"off", "auto", NULL},
  [OPTION_KIND_SWITCH] = (const char *const[]){"0", "1", "auto", NULL},
};

/* ---- values ---- */

static bool
parse_name(const char *const *names, const char *text, size_t length, uint64_t *value) {
  for (size_t i = 0; names[i]; i++)
    if (strlen(names[i]) == length && !memcmp(names[i], text, length)) {
      *value = i;
      return true;
    }
  return false;
}

static unsigned
suffix_shift(char c) {
  switch (c) {
    case 'k': case 'K': return 10;
    case 'm': case 'M': return 20;
    case 'g': case 'G': return 30;
    default: return 0;
  }
}

static bool
parse_number(const char *text, size_t length, bool allow_suffix, uint64_t *value) {
  uint64_t n = 0;
  size_t i = 0;
  for (; i < length && text[i] >= '0' && text[i] <= '9'; i++)
    if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (uint64_t)(text[i] - '0'), &n))
      return false;
  if (i == 0)
    return false;
  if (allow_suffix && i + 1 == length && suffix_shift(text[i])) {
    unsigned shift = suffix_shift(text[i++]);
    if (n > UINT64_MAX >> shift)
      return false;
    n <<= shift;
  }
  *value = n;
  return i == length;
}

/* Kinds with names only are no numbers. */
static bool
is_numeric(const struct option_row *row) {
  return !option_names[row->kind] || row->kind == OPTION_KIND_LIMIT;
}

/* Numbers beside names: less would be taken for one. */
#define LIMIT_BYTES_MIN (1 * MIB)

static bool
parse_value(const struct option_row *row, const char *text, size_t length, uint64_t *value) {
  const char *const *names = option_names[row->kind];
  if (names && parse_name(names, text, length, value))
    return true;
  if (!is_numeric(row) || !parse_number(text, length, row->kind != OPTION_KIND_NUMBER, value))
    return false;
  return *value >= (names ? LIMIT_BYTES_MIN : row->min) && *value <= row->max;
}

static void
add_value(struct text *line, const struct option_row *row, uint64_t value) {
  const char *const *names = option_names[row->kind];
  if (names && (!is_numeric(row) || value < LIMIT_BYTES_MIN))
    text_add(line, names[value]);
  else
    text_add_u64(line, value);
}

static void
add_names(struct text *line, const struct option_row *row) {
  for (const char *const *name = option_names[row->kind]; *name; name++) {
    text_add(line, *name);
    if (name[1] || is_numeric(row))
      text_add(line, " or ");
  }
}

static void
add_range(struct text *line, const struct option_row *row) {
  if (option_names[row->kind])
    add_names(line, row);
  if (!is_numeric(row))
    return;
  text_add_u64(line, option_names[row->kind] ? LIMIT_BYTES_MIN : row->min);
  text_add(line, " to ");
  text_add_u64(line, row->max);
  if (row->kind != OPTION_KIND_NUMBER)
    text_add(line, " bytes");
}

/* ---- names ---- */

static void
report_unknown(const char *text, size_t length) {
  char buffer[200];
  struct text line = text_in(buffer, sizeof buffer - 1);
  text_add(&line, "cgc: unknown option \"");
  text_add_chars(&line, text, length < 80 ? length : 80);
  text_add(&line, "\" ignored; CGC_OPTIONS=help=1 lists them\n");
  log_write(&line);
}

static void
report_bad_value(const struct option_row *row, const char *text, size_t length) {
  char buffer[300];
  struct text line = text_in(buffer, sizeof buffer);
  text_add(&line, "cgc: option ");
  text_add(&line, row->name);
  text_add(&line, "=");
  text_add_chars(&line, text, length < 80 ? length : 80);
  text_add(&line, " is not ");
  add_range(&line, row);
  text_add(&line, "; using ");
  add_value(&line, row, option_values[row - option_rows]);
  text_add(&line, "\n");
  log_write(&line);
}

static bool
set_row(const struct option_row *row, const char *text, size_t length) {
  uint64_t value;
  if (!parse_value(row, text, length, &value)) {
    report_bad_value(row, text, length);
    return false;
  }
  option_values[row - option_rows] = value;
  return true;
}

/* ---- paths ---- */

struct path_row {
  const char *name, *help;
};

static const struct path_row path_rows[OPTION_PATH_COUNT] = {
#define OPTION_PATH_ROW(id, name, help) [OPTION_PATH_##id] = {name, help},
  OPTION_PATH_LIST(OPTION_PATH_ROW)
#undef OPTION_PATH_ROW
};

static struct path_template paths[OPTION_PATH_COUNT];

const struct path_template *
option_path(enum option_path which) {
  return &paths[which];
}

static bool
set_path(const struct path_row *row, const char *text, size_t length) {
  char buffer[200];
  if (path_set(&paths[row - path_rows], text, length))
    return true;
  struct text line = text_in(buffer, sizeof buffer);
  text_add(&line, "cgc: option ");
  text_add(&line, row->name);
  text_add(&line, ": the path is too long, and ignored\n");
  log_write(&line);
  return false;
}

static bool
is_named(const char *name, const char *text, size_t length) {
  return strlen(name) == length && !memcmp(name, text, length);
}

bool
options_set(const char *assignment, size_t length) {
  const char *equals = memchr(assignment, '=', length);
  size_t name_length = equals ? (size_t)(equals - assignment) : 0;
  size_t value_length = equals ? length - name_length - 1 : 0;
  for (unsigned i = 0; equals && i < OPTION_PATH_COUNT; i++)
    if (is_named(path_rows[i].name, assignment, name_length))
      return set_path(&path_rows[i], equals + 1, value_length);
  for (unsigned i = 0; equals && i < OPTION_COUNT; i++)
    if (is_named(option_rows[i].name, assignment, name_length))
      return set_row(&option_rows[i], equals + 1, value_length);
  report_unknown(assignment, length);
  return false;
}

/* ---- environment ---- */

static void
read_list(const char *list) {
  while (*list) {
    size_t length = strcspn(list, ":");
    if (length)
      options_set(list, length);
    list += length + (list[length] == ':');
  }
}

static void
variable_name(char *out, const char *name) {
  strcpy(out, "CGC_");
  for (out += 4; *name; name++)
    *out++ = *name == '-' ? '_' : *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
  *out = 0;
}

static void
read_variables(void) {
  char variable[40];
  for (unsigned i = 0; i < OPTION_COUNT; i++) {
    variable_name(variable, option_rows[i].name);
    const char *value = platform_environment(variable);
    if (value)
      set_row(&option_rows[i], value, strlen(value));
  }
}

static void
read_path_variables(void) {
  char variable[40];
  for (unsigned i = 0; i < OPTION_PATH_COUNT; i++) {
    variable_name(variable, path_rows[i].name);
    const char *value = platform_environment(variable);
    if (value)
      set_path(&path_rows[i], value, strlen(value));
  }
}

static void
print_help(void) {
  char buffer[400];
  for (unsigned i = 0; i < OPTION_COUNT; i++) {
    const struct option_row *row = &option_rows[i];
    struct text line = text_in(buffer, sizeof buffer);
    text_add(&line, row->name);
    text_add(&line, "  (");
    add_range(&line, row);
    text_add(&line, ", default ");
    add_value(&line, row, row->initial);
    text_add(&line, ")\n    ");
    text_add(&line, row->help);
    text_add(&line, "\n");
    log_write(&line);
  }
  for (unsigned i = 0; i < OPTION_PATH_COUNT; i++) {
    struct text line = text_in(buffer, sizeof buffer);
    text_add(&line, path_rows[i].name);
    text_add(&line, "  (a path, default none)\n    ");
    text_add(&line, path_rows[i].help);
    text_add(&line, "\n");
    log_write(&line);
  }
}

void
options_preset(enum option which, uint64_t value) {
  option_values[which] = value;
}

void
options_read(void) {
  if (platform_is_secure())
    return;
  log_set_path(option_path(OPTION_PATH_LOG));
  read_path_variables();   /* first, so that complaints go there */
  const char *list = platform_environment("CGC_OPTIONS");
  if (list)
    read_list(list);
  read_path_variables();   /* again: they win over the list */
  read_variables();
  const char *faults = platform_environment("CGC_FAIL");
  if (CGC_CONFIG_FAULTS && faults && !fault_configure(faults))
    report_unknown(faults, strlen(faults));
  if (option(OPTION_HELP))
    print_help();
}
