/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/fault.h"

/* The uses of a call that must fail among the first 64, as bits. */
static uint64_t
due_uses(enum fault fault) {
  uint64_t due = 0;
  for (unsigned use = 0; use < 64; use++)
    due |= (uint64_t)fault_is_due(fault) << use;
  return due;
}

/* What is expected of a build that can inject failures; of another, none. */
static uint64_t
if_enabled(uint64_t due) {
  return CGC_CONFIG_FAULTS ? due : 0;
}

START_TEST(fault_unconfigured_is_never_due) {
  for (unsigned i = 0; i < FAULT_COUNT; i++)
    ck_assert_uint_eq(due_uses((enum fault)i), 0);
}
END_TEST

START_TEST(fault_nth_use_is_due_once) {
  ck_assert(fault_configure("map:3"));
  ck_assert_uint_eq(due_uses(FAULT_MAP), if_enabled(1u << 2));
}
END_TEST

START_TEST(fault_nth_use_with_plus_stays_due) {
  ck_assert(fault_configure("signal:3+"));
  ck_assert_uint_eq(due_uses(FAULT_SIGNAL), if_enabled(UINT64_MAX << 2));
}
END_TEST

START_TEST(fault_of_one_call_leaves_others_alone) {
  ck_assert(fault_configure("read:1+"));   /* a prefix of read-memory */
  for (unsigned i = 0; i < FAULT_COUNT; i++)
    ck_assert_uint_eq(due_uses((enum fault)i), i == FAULT_READ ? if_enabled(UINT64_MAX) : 0);
}
END_TEST

START_TEST(fault_every_name_is_understood) {
#define CONFIGURE(name, text) ck_assert_msg(fault_configure(text ":1"), "%s", text);
  FAULT_LIST(CONFIGURE)
#undef CONFIGURE
  for (unsigned i = 0; i < FAULT_COUNT; i++)
    ck_assert_uint_eq(due_uses((enum fault)i), if_enabled(1));
}
END_TEST

START_TEST(fault_malformed_specification_is_refused) {
  static const char *const bad[] = {"", "map", "map:", "map:+", "map:x", "map:1x", "map:1++", "map:1+x", ":1",
                                    "maps:1", "map 1", "MAP:1", "map:-1", "map:99999999999"};
  for (size_t i = 0; i < CGC_COUNT(bad); i++)
    ck_assert_msg(!fault_configure(bad[i]), "\"%s\" was taken", bad[i]);
}
END_TEST

Suite *
fault_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("fault", &tests);
  tcase_add_test(tests, fault_unconfigured_is_never_due);
  tcase_add_test(tests, fault_nth_use_is_due_once);
  tcase_add_test(tests, fault_nth_use_with_plus_stays_due);
  tcase_add_test(tests, fault_of_one_call_leaves_others_alone);
  tcase_add_test(tests, fault_every_name_is_understood);
  tcase_add_test(tests, fault_malformed_specification_is_refused);
  return suite;
}
