/* SPDX-License-Identifier: MIT */
/*
 * Runs all suites, or those named as arguments.
 * CK_RUN_CASE and CK_FORK work as Check documents them.
 */
#include "unit.h"

struct suite_row {
  const char *name;
  Suite *(*make)(void);
};

static const struct suite_row suite_rows[] = {
#define SUITE_ROW(name) {#name, name##_suite},
  SUITES(SUITE_ROW)
#undef SUITE_ROW
};

static bool
is_wanted(const char *name, int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    if (!strcmp(argv[i], name))
      return true;
  return argc <= 1;
}

int
main(int argc, char **argv) {
  SRunner *runner = srunner_create(NULL);
  for (size_t i = 0; i < CGC_COUNT(suite_rows); i++)
    if (is_wanted(suite_rows[i].name, argc, argv))
      srunner_add_suite(runner, suite_rows[i].make());
  unit_print_seed();
  srunner_run_all(runner, CK_ENV);
  bool has_failed = srunner_ntests_failed(runner) > 0, has_run = srunner_ntests_run(runner) > 0;
  srunner_free(runner);
  if (!has_run)
    fprintf(stderr, "no such suite\n");
  return has_failed || !has_run ? EXIT_FAILURE : EXIT_SUCCESS;
}
