/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/fault.h"
#include "base/meta.h"
#include "world/kernel_held.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Made up: no word of the program looks like it. */
static const uintptr_t VALUE = 0x6b0000000010, OTHER = 0x6b0000000020;

static const uintptr_t *words;
static size_t word_count;

static unsigned
count_words(uintptr_t word) {
  unsigned count = 0;
  ck_assert_int_eq(kernel_held_list_stw(0, &words, &word_count), 0);
  for (size_t i = 0; i < word_count; i++)
    count += words[i] == word;
  return count;
}

static int
new_epoll(void) {
  int fd = epoll_create1(EPOLL_CLOEXEC);
  ck_assert_int_ge(fd, 0);
  return fd;
}

static int
new_event(void) {
  int fd = eventfd(0, EFD_CLOEXEC);
  ck_assert_int_ge(fd, 0);
  return fd;
}

static void
control(int epoll_fd, int op, int fd, uintptr_t value) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = value};
  ck_assert_int_eq(epoll_ctl(epoll_fd, op, fd, &event), 0);
}

static timer_t
new_timer(int notify, uintptr_t value) {
  struct sigevent event = {.sigev_notify = notify, .sigev_signo = SIGRTMIN};
  timer_t timer;
  event.sigev_value.sival_ptr = (void *)value;
  ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
  return timer;
}

/* ---- epoll ---- */

START_TEST(kernel_held_epoll_data_from_add_to_removal) {
  unit_start_runtime();
  int epoll_fd = new_epoll(), fd = new_event();
  control(epoll_fd, EPOLL_CTL_ADD, fd, VALUE);
  ck_assert_uint_eq(count_words(VALUE), 1);
  control(epoll_fd, EPOLL_CTL_MOD, fd, OTHER);
  ck_assert_uint_eq(count_words(VALUE), 0);
  ck_assert_uint_eq(count_words(OTHER), 1);
  control(epoll_fd, EPOLL_CTL_DEL, fd, 0);
  ck_assert_uint_eq(count_words(OTHER), 0);
}
END_TEST

START_TEST(kernel_held_epoll_data_until_the_last_copy_of_the_descriptor_is_closed) {
  unit_start_runtime();
  int epoll_fd = new_epoll(), fd = new_event();
  control(epoll_fd, EPOLL_CTL_ADD, fd, VALUE);
  int copy = dup(fd);
  close(fd);
  ck_assert_uint_eq(count_words(VALUE), 1);
  ck_assert_int_eq(new_event(), fd);   /* the number is another's now; the kernel has both */
  control(epoll_fd, EPOLL_CTL_ADD, fd, OTHER);
  ck_assert_uint_eq(count_words(VALUE), 1);
  ck_assert_uint_eq(count_words(OTHER), 1);
  close(copy);
  ck_assert_uint_eq(count_words(VALUE), 0);
  close(fd);
  ck_assert_uint_eq(count_words(OTHER), 0);
}
END_TEST

START_TEST(kernel_held_epoll_data_until_the_last_copy_of_the_instance_is_closed) {
  unit_start_runtime();
  int epoll_fd = new_epoll(), fd = new_event(), high;
  control(epoll_fd, EPOLL_CTL_ADD, fd, VALUE);
  high = fcntl(epoll_fd, F_DUPFD_CLOEXEC, 700);
  ck_assert_int_eq(close(epoll_fd), 0);
  ck_assert_uint_eq(count_words(VALUE), 1);
  ck_assert_int_eq(dup3(high, 800, O_CLOEXEC), 800);
  ck_assert_int_eq(dup2(fd, high), high);
  ck_assert_uint_eq(count_words(VALUE), 1);
  ck_assert_int_eq(dup2(fd, 800), 800);
  ck_assert_uint_eq(count_words(VALUE), 0);
}
END_TEST

START_TEST(kernel_held_epoll_data_of_raw_system_calls) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = VALUE};
  unit_start_runtime();
  long epoll_fd = syscall(SYS_epoll_create1, 0);
  ck_assert_int_eq(syscall(SYS_epoll_ctl, epoll_fd, EPOLL_CTL_ADD, new_event(), &event), 0);
  ck_assert_uint_eq(count_words(VALUE), 1);
}
END_TEST

START_TEST(kernel_held_epoll_data_in_a_forked_child) {
  int status;
  unit_start_runtime();
  int epoll_fd = new_epoll(), fd = new_event();
  control(epoll_fd, EPOLL_CTL_ADD, fd, VALUE);
  pid_t child = fork();
  if (!child) {
    unit_start_runtime();
    close(fd);   /* the parent's copy keeps it registered */
    _exit(count_words(VALUE) == 1 ? 0 : 1);
  }
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(kernel_held_words_in_any_number) {
  enum { COUNT = 800 };
  unit_start_runtime();
  int epoll_fd = new_epoll();
  for (uintptr_t i = 0; i < COUNT; i++)
    control(epoll_fd, EPOLL_CTL_ADD, new_event(), VALUE + i * 16);
  for (uintptr_t i = 0; i < COUNT; i += 97)
    ck_assert_uint_eq(count_words(VALUE + i * 16), 1);
  ck_assert_uint_ge(word_count, COUNT);
}
END_TEST

static void
assert_found_at(int number) {
  int epoll_fd = new_epoll();
  control(epoll_fd, EPOLL_CTL_ADD, new_event(), VALUE);
  ck_assert_int_eq(dup2(epoll_fd, number), number);
  close(epoll_fd);
  ck_assert_uint_eq(count_words(VALUE), 1);
  close(number);
  ck_assert_uint_eq(count_words(VALUE), 0);
}

/* Few are listed; beyond that numbers are tried, unless the table of descriptors is large. */
START_TEST(kernel_held_epoll_behind_many_descriptors) {
  struct rlimit limit;
  unit_start_runtime();
  assert_found_at(900);
  for (int i = 0; i < 600; i++)
    new_event();
  assert_found_at(700);
  assert_found_at(1023);
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
  assert_found_at((int)min_u64(limit.rlim_max, 100000) - 1);
}
END_TEST

START_TEST(kernel_held_epoll_rounds_take_no_memory) {
  enum { ROUNDS = 1000000 };
  unit_start_runtime();
  int epoll_fd = new_epoll();
  count_words(VALUE);
  size_t before = meta_bytes();
  for (uintptr_t i = 0; i < ROUNDS; i++) {
    int fd = new_event();
    control(epoll_fd, EPOLL_CTL_ADD, fd, VALUE + i % 1000 * 16);
    if (i % 10000 == 0)
      ck_assert_uint_eq(count_words(VALUE + i % 1000 * 16), 1);
    close(fd);
  }
  ck_assert_uint_eq(count_words(VALUE), 0);
  ck_assert_uint_eq(meta_bytes(), before);
}
END_TEST

/* ---- what it leaves behind ---- */

static int
lowest_free_descriptor(void) {
  int fd = open("/dev/null", O_RDONLY);
  close(fd);
  return fd;
}

START_TEST(kernel_held_list_leaves_no_descriptor_open_and_changes_no_event) {
  struct epoll_event event;
  unit_start_runtime();
  int epoll_fd = new_epoll(), fd = eventfd(1, 0), next = lowest_free_descriptor();
  control(epoll_fd, EPOLL_CTL_ADD, fd, VALUE);
  control(epoll_fd, EPOLL_CTL_MOD, fd, VALUE);
  struct epoll_event once = {.events = EPOLLIN | EPOLLET | EPOLLONESHOT, .data.u64 = VALUE};
  ck_assert_int_eq(epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &once), 0);
  ck_assert_uint_eq(count_words(VALUE), 1);
  ck_assert_int_eq(lowest_free_descriptor(), next);
  ck_assert_int_eq(epoll_wait(epoll_fd, &event, 1, 0), 1);
  ck_assert_uint_eq(event.data.u64, VALUE);
  ck_assert_uint_eq(count_words(VALUE), 1);   /* shot, but still registered */
}
END_TEST

START_TEST(kernel_held_fails_without_a_free_descriptor) {
  struct rlimit limit = {(rlim_t)lowest_free_descriptor(), 1024};
  unit_start_runtime();
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
  ck_assert_int_eq(kernel_held_list_stw(0, &words, &word_count), EMFILE);
}
END_TEST

static bool
has_word(uintptr_t word) {
  size_t i = 0;
  while (i < word_count && words[i] != word)
    i++;
  return i < word_count;
}

/* Or does without what failed. */
START_TEST(kernel_held_fails_when_the_system_does) {
  static const char *const faults[] = {"open:%d", "read:%d", "list:%d"};
  static const int expected[] = {EMFILE, EIO, EIO}, counts[] = {4, 3, 2};
  unit_start_runtime();
  control(new_epoll(), EPOLL_CTL_ADD, new_event(), VALUE);
  int next = lowest_free_descriptor();
  for (size_t i = 0; i < CGC_COUNT(faults); i++)
    for (int n = 1; n <= counts[i]; n++) {
      pid_t child = fork();
      int status;
      if (!child) {
        char fault[32];
        unit_start_runtime();
        new_timer(SIGEV_NONE, OTHER);
        snprintf(fault, sizeof fault, faults[i], n);
        bool is_set = fault_configure(fault);
        int err = kernel_held_list_stw(0, &words, &word_count);
        bool is_right = err == expected[i] || (!err && has_word(VALUE) && has_word(OTHER));
        _exit(is_set && is_right && lowest_free_descriptor() == next ? 0 : 1);
      }
      waitpid(child, &status, 0);
      ck_assert_msg(status == 0, "%s %d", faults[i], n);
    }
}
END_TEST

START_TEST(kernel_held_fails_without_memory) {
  unit_start_runtime();
  ck_assert(fault_configure("map:1+"));
  while (meta_alloc(64))
    ;
  ck_assert_int_eq(kernel_held_list_stw(0, &words, &word_count), ENOMEM);
}
END_TEST

/* ---- timers ---- */

START_TEST(kernel_held_timer_values_until_deleted) {
  struct itimerspec soon = {.it_value.tv_nsec = 1}, late = {.it_value.tv_sec = 1000};
  unit_start_runtime();
  signal(SIGRTMIN, SIG_IGN);
  timer_t idle = new_timer(SIGEV_SIGNAL, VALUE), armed = new_timer(SIGEV_SIGNAL, OTHER), fired = new_timer(SIGEV_NONE, VALUE);
  timer_settime(armed, 0, &late, NULL);
  timer_settime(fired, 0, &soon, NULL);
  ck_assert_uint_eq(count_words(VALUE), 2);
  ck_assert_uint_eq(count_words(OTHER), 1);
  timer_delete(idle);
  timer_delete(armed);
  ck_assert_uint_eq(count_words(VALUE), 1);
  ck_assert_uint_eq(count_words(OTHER), 0);
  timer_delete(fired);
  ck_assert_uint_eq(count_words(VALUE), 0);
}
END_TEST

START_TEST(kernel_held_timer_values_not_in_a_forked_child) {
  int status;
  unit_start_runtime();
  new_timer(SIGEV_SIGNAL, VALUE);
  pid_t child = fork();
  if (!child) {
    unit_start_runtime();
    _exit(count_words(VALUE) == 0 ? 0 : 1);
  }
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_int_eq(status, 0);
}
END_TEST

/* ---- signal stack ---- */

START_TEST(kernel_held_alternate_stack_of_the_caller) {
  static char memory[65536];
  stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
  unit_start_runtime();
  ck_assert_uint_eq(count_words((uintptr_t)memory), 0);
  ck_assert_int_eq(sigaltstack(&stack, NULL), 0);
  ck_assert_uint_eq(count_words((uintptr_t)memory), 1);
  stack.ss_flags = SS_DISABLE;
  ck_assert_int_eq(sigaltstack(&stack, NULL), 0);
  ck_assert_uint_eq(count_words((uintptr_t)memory), 0);
}
END_TEST

Suite *
kernel_held_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("kernel_held", &tests);
  tcase_add_test(tests, kernel_held_epoll_data_from_add_to_removal);
  tcase_add_test(tests, kernel_held_epoll_data_until_the_last_copy_of_the_descriptor_is_closed);
  tcase_add_test(tests, kernel_held_epoll_data_until_the_last_copy_of_the_instance_is_closed);
  tcase_add_test(tests, kernel_held_epoll_data_of_raw_system_calls);
  tcase_add_test(tests, kernel_held_epoll_data_in_a_forked_child);
  tcase_add_test(tests, kernel_held_words_in_any_number);
  tcase_add_test(tests, kernel_held_epoll_behind_many_descriptors);
  tcase_add_test(tests, kernel_held_epoll_rounds_take_no_memory);
  tcase_add_test(tests, kernel_held_list_leaves_no_descriptor_open_and_changes_no_event);
  tcase_add_test(tests, kernel_held_fails_without_a_free_descriptor);
  tcase_add_test(tests, kernel_held_timer_values_until_deleted);
  tcase_add_test(tests, kernel_held_timer_values_not_in_a_forked_child);
  tcase_add_test(tests, kernel_held_alternate_stack_of_the_caller);
  if (CGC_CONFIG_FAULTS) {
    tcase_add_test(tests, kernel_held_fails_when_the_system_does);
    tcase_add_test(tests, kernel_held_fails_without_memory);
  }
  return suite;
}
