/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/syscall_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOAD(field)        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_LOW(n)        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (n))
#define LOAD_HIGH(n)       BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (n) + 4)
#define IF(test, k, t, f)  BPF_JUMP(BPF_JMP | BPF_##test | BPF_K, k, t, f)
#define ANSWER(what)       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_##what)

static void
add(const struct sock_filter *code, size_t length) {
  struct sock_fprog program = {(unsigned short)length, (struct sock_filter *)code};
  ck_assert_int_ge(syscall_filter_add((uintptr_t)&program), 0);
}
#define ADD(...)                                        \
  do {                                                  \
    const struct sock_filter code_[] = {__VA_ARGS__};   \
    add(code_, CGC_COUNT(code_));                       \
  } while (0)

static bool
permits(long number, long first) {
  return syscall_filter_permits(number, first, 0, 0, 0, 0, 0);
}

START_TEST(syscall_filter_none_permits_everything) {
  ck_assert(!syscall_filter_is_known());
  ck_assert(permits(SYS_getpid, 0));
}
END_TEST

static const struct {
  uint32_t answer;
  bool is_harmless;
} answers[] = {
  {SECCOMP_RET_ALLOW, true}, {SECCOMP_RET_LOG, true}, {SECCOMP_RET_ERRNO | EPERM, true}, {SECCOMP_RET_TRACE, true},
  {SECCOMP_RET_KILL_PROCESS, false}, {SECCOMP_RET_KILL_THREAD, false}, {SECCOMP_RET_TRAP, false},
  {SECCOMP_RET_USER_NOTIF, false}, {0x12340000, false},
};

START_TEST(syscall_filter_deadly_answers_forbid) {
  unit_start_heap();
  ADD(BPF_STMT(BPF_RET | BPF_K, answers[_i].answer));
  ck_assert_int_eq(permits(SYS_getpid, 0), answers[_i].is_harmless);
}
END_TEST

START_TEST(syscall_filter_tells_calls_and_arguments_apart) {
  unit_start_heap();
  ADD(LOAD(arch), IF(JEQ, AUDIT_ARCH_X86_64, 1, 0), ANSWER(KILL_PROCESS), LOAD(nr), IF(JEQ, SYS_ioctl, 0, 5), LOAD_LOW(0),
      IF(JEQ, 0x89abcdef, 0, 3), LOAD_HIGH(0), IF(JEQ, 0x01234567, 0, 1), ANSWER(KILL_PROCESS), ANSWER(ALLOW));
  ck_assert(permits(SYS_read, 0x0123456789abcdef));
  ck_assert(permits(SYS_ioctl, 0x89abcdef));
  ck_assert(permits(SYS_ioctl, 0x0123456700000000));
  ck_assert(!permits(SYS_ioctl, 0x0123456789abcdef));
}
END_TEST

START_TEST(syscall_filter_every_one_must_permit) {
  unit_start_heap();
  ADD(ANSWER(ALLOW));
  ADD(LOAD(nr), IF(JEQ, SYS_read, 0, 1), ANSWER(TRAP), ANSWER(ALLOW));
  ADD(LOAD(nr), IF(JEQ, SYS_write, 0, 1), ANSWER(TRAP), ANSWER(ALLOW));
  ck_assert(!permits(SYS_read, 0) && !permits(SYS_write, 0));
  ck_assert(permits(SYS_close, 0));
}
END_TEST

START_TEST(syscall_filter_forgotten_permits) {
  struct sock_filter code[] = {ANSWER(KILL_PROCESS)};
  struct sock_fprog program = {1, code};
  unit_start_heap();
  int number = syscall_filter_add((uintptr_t)&program);
  ck_assert(!permits(SYS_read, 0));
  syscall_filter_forget(number);
  ck_assert(permits(SYS_read, 0));
}
END_TEST

START_TEST(syscall_filter_not_to_be_read_is_none) {
  struct sock_fprog program = {1, (struct sock_filter *)16}, empty = {0, NULL};
  unit_start_heap();
  ck_assert_int_eq(syscall_filter_add(0), SYSCALL_FILTER_NONE);
  ck_assert_int_eq(syscall_filter_add((uintptr_t)&program), SYSCALL_FILTER_NONE);
  ck_assert_int_eq(syscall_filter_add((uintptr_t)&empty), SYSCALL_FILTER_NONE);
  ck_assert(permits(SYS_read, 0));
}
END_TEST

START_TEST(syscall_filter_too_many_forbid_everything) {
  struct sock_filter code[] = {ANSWER(ALLOW)};
  struct sock_fprog program = {1, code};
  unit_start_heap();
  int number = 0;
  for (int i = 0; i < 1000 && number >= 0; i++) {
    ck_assert(permits(SYS_read, 0));
    number = syscall_filter_add((uintptr_t)&program);
  }
  ck_assert_int_eq(number, SYSCALL_FILTER_FULL);
  ck_assert(!permits(SYS_read, 0));
}
END_TEST

/* ---- as the kernel does it ---- */

enum { RANDOM_LENGTH = 12 };

static struct sock_filter
random_instruction(struct unit_random *random, unsigned left) {
  static const uint16_t codes[] = {
    BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_IMM, BPF_LDX | BPF_IMM, BPF_LD | BPF_MEM, BPF_LDX | BPF_MEM, BPF_ST, BPF_STX,
    BPF_LD | BPF_W | BPF_LEN, BPF_LDX | BPF_W | BPF_LEN, BPF_MISC | BPF_TAX, BPF_MISC | BPF_TXA,
    BPF_ALU | BPF_ADD | BPF_K, BPF_ALU | BPF_SUB | BPF_X, BPF_ALU | BPF_MUL | BPF_K, BPF_ALU | BPF_DIV | BPF_K,
    BPF_ALU | BPF_AND | BPF_X, BPF_ALU | BPF_OR | BPF_K, BPF_ALU | BPF_XOR | BPF_X, BPF_ALU | BPF_LSH | BPF_K,
    BPF_ALU | BPF_RSH | BPF_K, BPF_ALU | BPF_NEG, BPF_JMP | BPF_JA, BPF_JMP | BPF_JEQ | BPF_K, BPF_JMP | BPF_JGT | BPF_X,
    BPF_JMP | BPF_JGE | BPF_K, BPF_JMP | BPF_JSET | BPF_K,
  };
  struct sock_filter at = {.code = codes[unit_random_below(random, CGC_COUNT(codes))]};
  at.k = (uint32_t)unit_random_below(random, 5);
  if (BPF_CLASS(at.code) == BPF_LD && BPF_MODE(at.code) == BPF_ABS)
    at.k = 4 * (uint32_t)unit_random_below(random, sizeof(struct seccomp_data) / 4);
  if (BPF_CLASS(at.code) == BPF_ALU && BPF_OP(at.code) == BPF_DIV)
    at.k++;
  if (BPF_CLASS(at.code) == BPF_JMP) {
    at.jt = (uint8_t)unit_random_below(random, left);
    at.jf = (uint8_t)unit_random_below(random, left);
    at.k = BPF_OP(at.code) == BPF_JA ? at.jt : at.k;
  }
  return at;
}

enum { START_LENGTH = 8, END_LENGTH = 7, LENGTH = START_LENGTH + RANDOM_LENGTH + END_LENGTH };

/* Random code between a start, which fills the scratch memory that it uses, and an end: getpriority gets the answer
 * if the lowest bit that was computed is 1. */
static void
write_random(struct sock_filter *code, uint64_t seed, uint32_t answer) {
  const struct sock_filter start[START_LENGTH] = {
    LOAD_LOW(0), BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_ST, 0), BPF_STMT(BPF_ST, 1),
    LOAD_HIGH(1), BPF_STMT(BPF_ST, 2), BPF_STMT(BPF_STX, 3), BPF_STMT(BPF_ST, 4)};
  const struct sock_filter end[END_LENGTH] = {
    BPF_STMT(BPF_ST, 5), LOAD(nr), IF(JEQ, SYS_getpriority, 0, 2), BPF_STMT(BPF_LD | BPF_MEM, 5),
    IF(JSET, 1, 1, 0), ANSWER(ALLOW), BPF_STMT(BPF_RET | BPF_K, answer)};
  struct unit_random random = {seed * 0x9e3779b97f4a7c15};
  memcpy(code, start, sizeof start);
  for (unsigned i = 0; i < RANDOM_LENGTH; i++)
    do   /* the kernel alone knows the address of the call */
      code[START_LENGTH + i] = random_instruction(&random, RANDOM_LENGTH - i);
    while (code[START_LENGTH + i].code == (BPF_LD | BPF_W | BPF_ABS) &&
           code[START_LENGTH + i].k / 8 == offsetof(struct seccomp_data, instruction_pointer) / 8);
  memcpy(code + START_LENGTH + RANDOM_LENGTH, end, sizeof end);
}

#define ARGUMENTS 0x123456789abcdef, 0xfedcba987654321, 3, 4, 5, 6

static bool
is_refused_by_kernel(struct sock_filter *code) {
  const struct sock_fprog program = {LENGTH, code};
  pid_t child = fork();
  if (child == 0) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
      _exit(2);
    _exit(syscall(SYS_getpriority, ARGUMENTS) == -1 && errno == ENODATA);
  }
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) != 2);
  return WEXITSTATUS(status);
}

START_TEST(syscall_filter_computes_as_the_kernel_does) {
  struct sock_filter code[LENGTH];
  unit_start_heap();
  write_random(code, (uint64_t)_i, SECCOMP_RET_ERRNO | ENODATA);
  bool is_refused = is_refused_by_kernel(code);
  write_random(code, (uint64_t)_i, SECCOMP_RET_KILL_PROCESS);
  add(code, LENGTH);
  ck_assert_int_eq(!syscall_filter_permits(SYS_getpriority, ARGUMENTS), is_refused);
}
END_TEST

Suite *
syscall_filter_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("syscall_filter", &tests);
  tcase_add_test(tests, syscall_filter_none_permits_everything);
  tcase_add_loop_test(tests, syscall_filter_deadly_answers_forbid, 0, (int)CGC_COUNT(answers));
  tcase_add_test(tests, syscall_filter_tells_calls_and_arguments_apart);
  tcase_add_test(tests, syscall_filter_every_one_must_permit);
  tcase_add_test(tests, syscall_filter_forgotten_permits);
  tcase_add_test(tests, syscall_filter_not_to_be_read_is_none);
  tcase_add_test(tests, syscall_filter_too_many_forbid_everything);
  tcase_add_loop_test(tests, syscall_filter_computes_as_the_kernel_does, 1, 200);
  return suite;
}
