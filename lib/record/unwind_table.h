/* SPDX-License-Identifier: MIT */
/*
 * How to get from a function's frame to its caller's, as compilers write it into .eh_frame for each instruction.  Read
 * here as far as the stack pointer, the return address and rbp go: functions compiled by gcc, clang, rustc and
 * assemblers need no other register at a call.
 *
 * Source: DWARF 5, section 6.4; Linux Standard Base 5.0, "Exception Frames".
 */
#ifndef CGC_RECORD_UNWIND_TABLE_H
#define CGC_RECORD_UNWIND_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/* The frame's base is the stack pointer in the caller after the return; the return address lies below it. */
enum unwind_kind {
  UNWIND_BY_SP = 1,  /* base = stack pointer + base_offset */
  UNWIND_BY_BP,      /* base = rbp + base_offset */
  UNWIND_BY_BP_AT,   /* base = the word at rbp + base_offset; the caller's rbp lies where rbp points */
  UNWIND_SIGNAL,     /* the kernel's frame of a signal handler: the stack pointer is at a ucontext_t */
  UNWIND_END,        /* the outermost frame */
  UNWIND_UNKNOWN,    /* needs more than is kept track of */
};

struct unwind_rule {
  enum unwind_kind kind;
  int32_t base_offset;
  int32_t bp_offset;   /* the caller's rbp lies at base + bp_offset; 0: rbp is the caller's */
};

/* The rule for an instruction, by a module's .eh_frame_hdr.  False if it has none for it. */
bool unwind_table_find(const void *header, uintptr_t code_addr, struct unwind_rule *rule);

#endif
