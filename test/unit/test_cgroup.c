/* SPDX-License-Identifier: MIT */
/* Over directories and files that look like the kernel's. */
#include "base/cgroup.h"

#include "unit.h"

#include <ftw.h>
#include <sys/stat.h>

static char root[] = "/tmp/cgc-cgroup.XXXXXX", root_now[sizeof root];

static void
start(void) {
  memcpy(root_now, root, sizeof root);
  ck_assert_ptr_nonnull(mkdtemp(root_now));
}

static int
remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk) {
  (void)info, (void)type, (void)walk;
  return remove(path);
}

static void
end(void) {
  nftw(root_now, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Makes the file, and the directories above it. */
static void
write_file(const char *path, const char *text) {
  char full[512];
  int length = snprintf(full, sizeof full, "%s%s", root_now, path);
  ck_assert_int_lt(length, (int)sizeof full);
  for (char *slash = full + sizeof root; (slash = strchr(slash, '/')); *slash++ = '/') {
    *slash = 0;
    mkdir(full, 0700);
  }
  FILE *file = fopen(full, "w");
  ck_assert_ptr_nonnull(file);
  fputs(text, file);
  fclose(file);
}

static struct cgroup_limits
read_limits(const char *list) {
  char path[512];
  struct cgroup_limits limits;
  write_file("/list", list);
  snprintf(path, sizeof path, "%s/list", root_now);
  cgroup_read(path, root_now, &limits);
  return limits;
}

START_TEST(cgroup_without_limits_has_none) {
  struct cgroup_limits limits;
  start();
  cgroup_read("/nonexistent", root_now, &limits);
  ck_assert(limits.memory_bytes == UINT64_MAX && limits.cpu_ms_per_s == UINT64_MAX);
  limits = read_limits("0::/a\n");
  ck_assert(limits.memory_bytes == UINT64_MAX && limits.cpu_ms_per_s == UINT64_MAX);
  write_file("/a/memory.max", "max\n");
  write_file("/a/cpu.max", "max 100000\n");
  limits = read_limits("0::/a\n");
  ck_assert(limits.memory_bytes == UINT64_MAX && limits.cpu_ms_per_s == UINT64_MAX);
  end();
}
END_TEST

START_TEST(cgroup_of_version_2_has_the_least_limits_up_to_the_root) {
  start();
  write_file("/a/b/c/memory.max", "3000000\n");
  write_file("/a/b/memory.max", "2000000\n");
  write_file("/a/memory.max", "max\n");
  write_file("/a/b/c/cpu.max", "max 100000\n");
  write_file("/a/b/cpu.max", "250000 100000\n");
  write_file("/a/cpu.max", "150000 50000\n");
  write_file("/elsewhere/memory.max", "1\n");
  struct cgroup_limits limits = read_limits("0::/a/b/c\n");
  ck_assert_uint_eq(limits.memory_bytes, 2000000);
  ck_assert_uint_eq(limits.cpu_ms_per_s, 2500);
  write_file("/memory.max", "1000000\n");
  write_file("/cpu.max", "50000 100000\n");
  limits = read_limits("0::/a/b/c\n");
  ck_assert_uint_eq(limits.memory_bytes, 1000000);
  ck_assert_uint_eq(limits.cpu_ms_per_s, 500);
  limits = read_limits("0::/\n");
  ck_assert_uint_eq(limits.memory_bytes, 1000000);
  end();
}
END_TEST

START_TEST(cgroup_of_version_1_is_found_by_its_controllers) {
  start();
  write_file("/memory/m/memory.limit_in_bytes", "5000000\n");
  write_file("/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write_file("/cpu/c/d/cpu.cfs_quota_us", "300000\n");
  write_file("/cpu/c/d/cpu.cfs_period_us", "100000\n");
  write_file("/cpu/c/cpu.cfs_quota_us", "-1\n");
  write_file("/cpu/c/cpu.cfs_period_us", "100000\n");
  write_file("/cpu/m/cpu.cfs_quota_us", "1\n");
  write_file("/cpu/m/cpu.cfs_period_us", "1000\n");
  struct cgroup_limits limits = read_limits("5:cpuset:/m\n4:memory:/m\n3:cpu,cpuacct:/c/d\n1:name=systemd:/m\n0::/\n");
  ck_assert_uint_eq(limits.memory_bytes, 5000000);
  ck_assert_uint_eq(limits.cpu_ms_per_s, 3000);
  end();
}
END_TEST

START_TEST(cgroup_of_version_2_beside_version_1_counts_too) {
  start();
  write_file("/unified/a/memory.max", "4000000\n");
  write_file("/memory/a/memory.limit_in_bytes", "6000000\n");
  struct cgroup_limits limits = read_limits("4:memory:/a\n0::/a\n");
  ck_assert_uint_eq(limits.memory_bytes, 4000000);
  end();
}
END_TEST

START_TEST(cgroup_files_that_make_no_sense_are_no_limits) {
  static const char *const cpu[] = {"", "\n", "100000", "100000 0\n", "x y\n", " 1 2\n"};
  start();
  write_file("/a/cpu.max", cpu[_i]);
  write_file("/a/memory.max", "many\n");
  struct cgroup_limits limits = read_limits("x\n::\n:\n0::/a\nno end");
  ck_assert(limits.memory_bytes == UINT64_MAX && limits.cpu_ms_per_s == UINT64_MAX);
  end();
}
END_TEST

/* What is left out is no limit; nothing is cut into another group's name. */
START_TEST(cgroup_with_a_name_too_long_is_left_out) {
  char list[400] = "0::/";
  start();
  write_file("/memory.max", "1000\n");
  memset(list + 4, 'a', 300);
  struct cgroup_limits limits = read_limits(list);
  ck_assert_uint_eq(limits.memory_bytes, UINT64_MAX);
  end();
}
END_TEST

Suite *
cgroup_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("cgroup", &tests);
  tcase_add_test(tests, cgroup_without_limits_has_none);
  tcase_add_test(tests, cgroup_of_version_2_has_the_least_limits_up_to_the_root);
  tcase_add_test(tests, cgroup_of_version_1_is_found_by_its_controllers);
  tcase_add_test(tests, cgroup_of_version_2_beside_version_1_counts_too);
  tcase_add_loop_test(tests, cgroup_files_that_make_no_sense_are_no_limits, 0, 6);
  tcase_add_test(tests, cgroup_with_a_name_too_long_is_left_out);
  return suite;
}
