/* SPDX-License-Identifier: MIT */
/*
 * Tables as the assembler writes them for functions that are never called.  Where a function has several rules, each
 * has a label.  What compilers make is tested with real stacks: test_stack_trail.c.
 */
#include "unit.h"

#include "record/unwind_table.h"

#include <link.h>

#define CODE(name) extern const char name[];
#define FUNCTION(name, ...) #name ":\n.cfi_startproc\n" __VA_ARGS__ "nop\n.cfi_endproc\n"
#define LABEL(name) "nop\n" #name ":\n"

/* DW_CFA_def_cfa_expression: of so many bytes. */
#define BASE_EXPRESSION(...) ".cfi_escape 0x0f, " __VA_ARGS__ "\n"

__asm__(
  ".text\n"
  FUNCTION(code_plain,
    LABEL(code_pushed) ".cfi_def_cfa_offset 16\n.cfi_offset rbp, -16\n"
    LABEL(code_framed) ".cfi_def_cfa_register rbp\n.cfi_remember_state\n"
    LABEL(code_popped) ".cfi_restore rbp\n.cfi_def_cfa rsp, 8\n"
    LABEL(code_framed_again) ".cfi_restore_state\n"
    LABEL(code_bp_kept) ".cfi_same_value rbp\n"
    LABEL(code_bp_lost) ".cfi_undefined rbp\n"
    LABEL(code_outermost) ".cfi_undefined rip\n")
  FUNCTION(code_far,
    ".skip 63\n"    LABEL(code_far_1) ".cfi_def_cfa_offset 16\n"
    ".skip 250\n"   LABEL(code_far_2) ".cfi_def_cfa_offset 24\n"
    ".skip 65000\n" LABEL(code_far_3) ".cfi_def_cfa_offset 32\n"
    ".skip 66000\n" LABEL(code_far_4) ".cfi_def_cfa_offset 400000\n")
  FUNCTION(code_signal, ".cfi_signal_frame\n")
  FUNCTION(code_by_rbx, ".cfi_def_cfa rbx, 16\n")
  FUNCTION(code_by_kept_base, BASE_EXPRESSION("3, 0x76, 0x78, 0x06")             /* breg6 -8, deref */
    ".cfi_escape 0x10, 6, 2, 0x76, 0\n")                                         /* expression: rbp, breg6 0 */
  FUNCTION(code_by_sum, BASE_EXPRESSION("5, 0x77, 8, 0x80, 0, 0x22"))            /* breg7 8, breg16 0, plus */
  FUNCTION(code_by_kept_sum, BASE_EXPRESSION("5, 0x76, 0x78, 0x06, 0x23, 8"))    /* breg6 -8, deref, plus_uconst 8 */
  FUNCTION(code_by_expression_then_not, BASE_EXPRESSION("3, 0x76, 0x78, 0x06")
    LABEL(code_by_sp_again) ".cfi_def_cfa rsp, 24\n")
  FUNCTION(code_bp_in_register, ".cfi_register rbp, rbx\n")
  FUNCTION(code_bp_is_value, ".cfi_escape 0x14, 6, 2\n")                             /* val_offset: rbp, 2 * -8 */
  FUNCTION(code_return_elsewhere, ".cfi_offset rip, -24\n")
  FUNCTION(code_others_anyhow,
    ".cfi_register rbx, r10\n.cfi_offset r12, -32\n.cfi_undefined r13\n"
    ".cfi_escape 0x10, 14, 2, 0x76, 0x70\n"                                      /* expression: r14, breg6 -16 */
    ".cfi_escape 0x2e, 16\n")                                                    /* GNU_args_size */
  FUNCTION(code_signed,
    ".cfi_escape 0x12, 7, 0x7c\n"                                                /* def_cfa_sf: rsp, -4 * -8 */
    ".cfi_escape 0x11, 6, 2\n"                                                   /* offset_extended_sf: rbp, 2 * -8 */
    LABEL(code_signed_offset) ".cfi_escape 0x13, 0x7b\n")                        /* def_cfa_offset_sf: -5 * -8 */
  FUNCTION(code_unknown_operation, ".cfi_escape 0x2d\n")                            /* GNU_window_save */
  FUNCTION(code_restored_without_being_kept, ".cfi_escape 0x0b\n")
  FUNCTION(code_kept_too_often, ".rept 9\n.cfi_remember_state\n.endr\n")
  "code_without_table:\n  nop\n");

#define BY_SP(offset, bp_offset)  {UNWIND_BY_SP, offset, bp_offset}
#define BY_BP(offset, bp_offset)  {UNWIND_BY_BP, offset, bp_offset}
#define OF_KIND(kind)             {kind, 0, 0}

#define RULES(X)                                                                                             \
  X(code_plain, BY_SP(8, 0)) X(code_pushed, BY_SP(16, -16)) X(code_framed, BY_BP(16, -16))                   \
  X(code_popped, BY_SP(8, 0)) X(code_framed_again, BY_BP(16, -16)) X(code_bp_kept, BY_BP(16, 0))             \
  X(code_bp_lost, BY_BP(16, 0)) X(code_outermost, OF_KIND(UNWIND_END))                                       \
  X(code_far, BY_SP(8, 0)) X(code_far_1, BY_SP(16, 0)) X(code_far_2, BY_SP(24, 0)) X(code_far_3, BY_SP(32, 0)) \
  X(code_far_4, BY_SP(400000, 0)) X(code_signal, OF_KIND(UNWIND_SIGNAL))                                     \
  X(code_by_rbx, OF_KIND(UNWIND_UNKNOWN)) X(code_by_kept_base, RULE_BY_KEPT_BASE)                            \
  X(code_by_sum, OF_KIND(UNWIND_UNKNOWN)) X(code_by_kept_sum, OF_KIND(UNWIND_UNKNOWN))                       \
  X(code_by_expression_then_not, OF_KIND(UNWIND_UNKNOWN)) X(code_by_sp_again, BY_SP(24, 0))                        \
  X(code_bp_in_register, OF_KIND(UNWIND_UNKNOWN)) X(code_bp_is_value, OF_KIND(UNWIND_UNKNOWN))               \
  X(code_return_elsewhere, OF_KIND(UNWIND_UNKNOWN)) X(code_others_anyhow, BY_SP(8, 0))                       \
  X(code_signed, BY_SP(32, -16)) X(code_signed_offset, BY_SP(40, -16))                                       \
  X(code_unknown_operation, OF_KIND(UNWIND_UNKNOWN)) X(code_restored_without_being_kept, OF_KIND(UNWIND_UNKNOWN)) \
  X(code_kept_too_often, OF_KIND(UNWIND_UNKNOWN))

#define RULE_BY_KEPT_BASE {UNWIND_BY_BP_AT, -8, 0}

#define DECLARE(name, ...) CODE(name)
RULES(DECLARE)
CODE(code_without_table)

struct rule_of_code {
  const char *name, *code;
  struct unwind_rule rule;
};

static const struct rule_of_code rules[] = {
#define ROW(name, ...) {#name, name, __VA_ARGS__},
  RULES(ROW)
#undef ROW
};

/* ---- the program's table ---- */

/* The program comes first. */
static int
take_header(struct dl_phdr_info *object, size_t bytes, void *header) {
  (void)bytes;
  for (unsigned i = 0; i < object->dlpi_phnum; i++)
    if (object->dlpi_phdr[i].p_type == PT_GNU_EH_FRAME)
      *(const void **)header = (const void *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
  return 1;
}

static const void *
header_of_program(void) {
  const void *header = NULL;
  dl_iterate_phdr(take_header, &header);
  ck_assert_ptr_nonnull(header);
  return header;
}

START_TEST(unwind_table_gives_the_rule_of_each_instruction) {
  const struct rule_of_code *row = &rules[_i];
  struct unwind_rule rule;
  ck_assert_msg(unwind_table_find(header_of_program(), (uintptr_t)row->code, &rule), "%s: none", row->name);
  ck_assert_msg(rule.kind == row->rule.kind, "%s: kind %d", row->name, (int)rule.kind);
  if (rule.kind == UNWIND_UNKNOWN || rule.kind == UNWIND_END || rule.kind == UNWIND_SIGNAL)
    return;
  ck_assert_msg(rule.base_offset == row->rule.base_offset, "%s: base offset %d", row->name, rule.base_offset);
  ck_assert_msg(rule.bp_offset == row->rule.bp_offset, "%s: rbp offset %d", row->name, rule.bp_offset);
}
END_TEST

START_TEST(unwind_table_has_nothing_for_other_code) {
  struct unwind_rule rule;
  ck_assert(!unwind_table_find(header_of_program(), (uintptr_t)code_without_table, &rule));
  ck_assert(!unwind_table_find(header_of_program(), 4096, &rule));
  ck_assert(!unwind_table_find(header_of_program(), UINTPTR_MAX, &rule));
}
END_TEST

START_TEST(unwind_table_of_another_form_is_not_read) {
  static const uint8_t headers[][16] __attribute__((aligned(4))) = {
    {2, 0x1b, 0x03, 0x3b, 0, 0, 0, 0, 1}, {1, 0x1b, 0x03, 0x1b, 0, 0, 0, 0, 1},
    {1, 0x1b, 0xff, 0xff}, {1, 0xff, 0x03, 0x3b},
  };
  struct unwind_rule rule;
  for (size_t i = 0; i < CGC_COUNT(headers); i++)
    ck_assert_msg(!unwind_table_find(headers[i], (uintptr_t)code_plain, &rule), "%zu", i);
}
END_TEST

Suite *
unwind_table_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("unwind_table", &tests);
  tcase_add_loop_test(tests, unwind_table_gives_the_rule_of_each_instruction, 0, CGC_COUNT(rules));
  tcase_add_test(tests, unwind_table_has_nothing_for_other_code);
  tcase_add_test(tests, unwind_table_of_another_form_is_not_read);
  return suite;
}
