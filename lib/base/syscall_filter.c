/* SPDX-License-Identifier: MIT */
/* Source of the instructions and of the answers: seccomp(2), and Documentation/networking/filter.rst of Linux. */
#include "base/syscall_filter.h"

#include "base/meta.h"
#include "base/platform.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>

enum { FILTERS_MAX = 64, LENGTH_MAX = BPF_MAXINSNS, SCRATCH_WORDS = BPF_MEMWORDS };

struct filter {
  size_t length;
  struct sock_filter code[];
};

atom_int syscall_filter_count;

static atom_word filters[FILTERS_MAX];   /* struct filter *; 0: none */
static atom_int  forbids_all;

enum { NUMBERS_MAX = 1024, WORD_BITS = 64 };
static atom_word forbidden[NUMBERS_MAX / WORD_BITS];   /* a bit per system call */

/* ---- the list ---- */

void
syscall_filter_forbid_all(void) {
  atom_int_store_rel(&forbids_all, 1);
  atom_int_add_full(&syscall_filter_count, 1);
}

void
syscall_filter_forbid(long number) {
  atom_or_full(&forbidden[number / WORD_BITS], (uintptr_t)1 << number % WORD_BITS);
  atom_int_add_full(&syscall_filter_count, 1);
}

static bool
is_forbidden(long number) {
  return number >= NUMBERS_MAX || atom_load_rlx(&forbidden[number / WORD_BITS]) >> number % WORD_BITS & 1;
}

static int
publish(struct filter *filter) {
  unsigned number = atom_int_add_full(&syscall_filter_count, 1);
  if (number >= FILTERS_MAX) {
    syscall_filter_forbid_all();
    return SYSCALL_FILTER_FULL;
  }
  atom_store_rel(&filters[number], (uintptr_t)filter);
  return (int)number;
}

int
syscall_filter_add(uintptr_t program_addr) {
  struct sock_fprog program;
  if (!platform_read_argument(&program, program_addr, sizeof program) || !program.len || program.len > LENGTH_MAX)
    return SYSCALL_FILTER_NONE;   /* nor does the kernel take it */
  size_t code_bytes = program.len * sizeof *program.filter;
  struct filter *filter = meta_alloc(sizeof *filter + code_bytes);
  if (!filter) {
    syscall_filter_forbid_all();
    return SYSCALL_FILTER_FULL;
  }
  filter->length = program.len;
  if (!platform_read_argument(filter->code, (uintptr_t)program.filter, code_bytes))
    return SYSCALL_FILTER_NONE;
  return publish(filter);
}

void
syscall_filter_forget(int number) {
  if (number >= 0)
    atom_store_rel(&filters[number], 0);
}

/* ---- the machine ---- */

struct machine {
  const struct seccomp_data *data;
  uint32_t a, x, scratch[SCRATCH_WORDS];
};

static uint32_t
load(const struct machine *machine, const struct sock_filter *at) {
  uint32_t word = 0;
  switch (BPF_MODE(at->code)) {
    case BPF_IMM: return at->k;
    case BPF_LEN: return sizeof *machine->data;
    case BPF_MEM: return machine->scratch[at->k % SCRATCH_WORDS];
    case BPF_ABS:
      if (at->k <= sizeof *machine->data - sizeof word)
        memcpy(&word, (const char *)machine->data + at->k, sizeof word);
  }
  return word;
}

static uint32_t
compute(uint16_t code, uint32_t a, uint32_t operand) {
  switch (BPF_OP(code)) {
    case BPF_ADD: return a + operand;
    case BPF_SUB: return a - operand;
    case BPF_MUL: return a * operand;
    case BPF_DIV: return operand ? a / operand : 0;
    case BPF_AND: return a & operand;
    case BPF_OR:  return a | operand;
    case BPF_XOR: return a ^ operand;
    case BPF_LSH: return operand < 32 ? a << operand : 0;
    case BPF_RSH: return operand < 32 ? a >> operand : 0;
    case BPF_NEG: return -a;
  }
  return 0;
}

static bool
compare(uint16_t code, uint32_t a, uint32_t operand) {
  switch (BPF_OP(code)) {
    case BPF_JEQ:  return a == operand;
    case BPF_JGT:  return a > operand;
    case BPF_JGE:  return a >= operand;
    case BPF_JSET: return (a & operand) != 0;
  }
  return false;
}

/* What the filter answers; death if it runs out of its code, which the kernel would not have taken. */
static uint32_t
run(const struct filter *filter, const struct seccomp_data *data) {
  struct machine machine = {.data = data};
  for (size_t pc = 0; pc < filter->length; pc++) {
    const struct sock_filter *at = &filter->code[pc];
    uint32_t operand = BPF_SRC(at->code) == BPF_X ? machine.x : at->k;
    switch (BPF_CLASS(at->code)) {
      case BPF_LD:  machine.a = load(&machine, at); break;
      case BPF_LDX: machine.x = load(&machine, at); break;
      case BPF_ST:  machine.scratch[at->k % SCRATCH_WORDS] = machine.a; break;
      case BPF_STX: machine.scratch[at->k % SCRATCH_WORDS] = machine.x; break;
      case BPF_ALU: machine.a = compute(at->code, machine.a, operand); break;
      case BPF_JMP:
        if (BPF_OP(at->code) == BPF_JA)
          pc += at->k;
        else
          pc += compare(at->code, machine.a, operand) ? at->jt : at->jf;
        break;
      case BPF_RET: return BPF_RVAL(at->code) == BPF_A ? machine.a : at->k;
      case BPF_MISC:
        if (BPF_MISCOP(at->code) == BPF_TAX)
          machine.x = machine.a;
        else
          machine.a = machine.x;
        break;
    }
  }
  return SECCOMP_RET_KILL_PROCESS;
}

/* A supervisor (SECCOMP_RET_USER_NOTIF) may do anything, and take its time. */
static bool
is_harmless(uint32_t answer) {
  switch (answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW: case SECCOMP_RET_LOG: case SECCOMP_RET_ERRNO: case SECCOMP_RET_TRACE:
      return true;
  }
  return false;
}

bool
syscall_filter_permits_slow(long number, const uint64_t arguments[6]) {
  struct seccomp_data data = {.nr = (int)number, .arch = AUDIT_ARCH_X86_64};
  memcpy(data.args, arguments, sizeof data.args);
  if (atom_int_load_acq(&forbids_all) || is_forbidden(number))
    return false;
  for (unsigned i = 0; i < FILTERS_MAX; i++) {
    const struct filter *filter = (const struct filter *)atom_load_acq(&filters[i]);
    if (filter && !is_harmless(run(filter, &data)))
      return false;
  }
  return true;
}
