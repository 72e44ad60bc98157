/* SPDX-License-Identifier: MIT */
#include "record/unwind_table.h"

#include "base/compiler.h"

#include <string.h>

enum { REGISTER_BP = 6, REGISTER_SP = 7, REGISTER_RETURN = 16 };

/* ---- reading ---- */

struct cursor {
  const uint8_t *at, *end;
};

#define READ_AS(type, cursor)                       \
  ({                                                \
    type value = 0;                                 \
    if (sizeof value <= (size_t)((cursor)->end - (cursor)->at)) { \
      memcpy(&value, (cursor)->at, sizeof value);   \
      (cursor)->at += sizeof value;                 \
    } else {                                        \
      (cursor)->at = (cursor)->end;                 \
    }                                               \
    value;                                          \
  })

static uint64_t
read_uleb(struct cursor *cursor) {
  uint64_t value = 0;
  for (unsigned shift = 0; cursor->at < cursor->end; shift += 7) {
    uint8_t byte = *cursor->at++;
    if (shift < 64)
      value |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80))
      break;
  }
  return value;
}

static int64_t
read_sleb(struct cursor *cursor) {
  uint64_t value = 0;
  unsigned shift = 0;
  uint8_t byte = 0;
  while (cursor->at < cursor->end) {
    byte = *cursor->at++;
    if (shift < 64)
      value |= (uint64_t)(byte & 0x7f) << shift;
    shift += 7;
    if (!(byte & 0x80))
      break;
  }
  return (int64_t)(byte & 0x40 && shift < 64 ? value | ~(uint64_t)0 << shift : value);
}

/* DW_EH_PE_: how a pointer is written. */
enum {
  ENCODED_ABSOLUTE = 0x00, ENCODED_ULEB = 0x01, ENCODED_U2 = 0x02, ENCODED_U4 = 0x03, ENCODED_U8 = 0x04,
  ENCODED_SLEB = 0x09, ENCODED_S2 = 0x0a, ENCODED_S4 = 0x0b, ENCODED_S8 = 0x0c, ENCODED_FORM = 0x0f,
  ENCODED_TO_ITSELF = 0x10, ENCODED_BASE = 0x70, ENCODED_OMITTED = 0xff,
};

static uintptr_t
read_form(struct cursor *cursor, uint8_t form) {
  switch (form) {
    case ENCODED_ABSOLUTE: case ENCODED_U8: case ENCODED_S8: return READ_AS(uint64_t, cursor);
    case ENCODED_ULEB: return read_uleb(cursor);
    case ENCODED_SLEB: return (uintptr_t)read_sleb(cursor);
    case ENCODED_U2: return READ_AS(uint16_t, cursor);
    case ENCODED_S2: return (uintptr_t)(int64_t)READ_AS(int16_t, cursor);
    case ENCODED_U4: return READ_AS(uint32_t, cursor);
    case ENCODED_S4: return (uintptr_t)(int64_t)READ_AS(int32_t, cursor);
    default: cursor->at = cursor->end; return 0;
  }
}

static uintptr_t
read_pointer(struct cursor *cursor, uint8_t encoding) {
  if (encoding == ENCODED_OMITTED)
    return 0;
  uintptr_t itself = (uintptr_t)cursor->at, value = read_form(cursor, encoding & ENCODED_FORM);
  return (encoding & ENCODED_BASE) == ENCODED_TO_ITSELF ? itself + value : value;
}

/* ---- entries: a function's (FDE), and what several of them have in common (CIE) ---- */

struct entry {
  struct cursor program;          /* of the function */
  struct cursor common_program;
  uintptr_t start_addr;           /* of the function */
  uintptr_t code_bytes;
  uint64_t  code_unit;
  int64_t   data_unit;
  uint64_t  return_register;
  uint8_t   encoding;
  bool      has_augmentation_data;
  bool      is_signal_frame;
};

/* The body of the entry there; empty if it is none. */
static struct cursor
entry_at(const uint8_t *at) {
  struct cursor cursor = {at, at + 12};
  uint64_t bytes = READ_AS(uint32_t, &cursor);
  if (bytes == UINT32_MAX)
    bytes = READ_AS(uint64_t, &cursor);
  cursor.end = cursor.at + bytes;
  return cursor;
}

static void
read_augmentation(struct entry *entry, const char *letters, struct cursor *cursor) {
  entry->has_augmentation_data = letters[0] == 'z';
  if (!entry->has_augmentation_data)
    return;
  uint64_t bytes = read_uleb(cursor);
  const uint8_t *end = cursor->at + min_u64(bytes, (uint64_t)(cursor->end - cursor->at));
  for (letters++; *letters; letters++) {
    if (*letters == 'R')
      entry->encoding = READ_AS(uint8_t, cursor);
    else if (*letters == 'L')
      (void)READ_AS(uint8_t, cursor);
    else if (*letters == 'P')
      read_pointer(cursor, READ_AS(uint8_t, cursor));
    else if (*letters == 'S')
      entry->is_signal_frame = true;
  }
  cursor->at = end;
}

static bool
read_common(struct entry *entry, const uint8_t *at) {
  struct cursor cursor = entry_at(at);
  if (READ_AS(uint32_t, &cursor) != 0)
    return false;   /* that is a function's */
  uint8_t version = READ_AS(uint8_t, &cursor);
  const char *letters = (const char *)cursor.at;
  cursor.at += strnlen(letters, (size_t)(cursor.end - cursor.at)) + 1;
  entry->code_unit = read_uleb(&cursor);
  entry->data_unit = read_sleb(&cursor);
  entry->return_register = version == 1 ? READ_AS(uint8_t, &cursor) : read_uleb(&cursor);
  read_augmentation(entry, letters, &cursor);
  entry->common_program = cursor;
  return (version == 1 || version == 3) && (letters[0] == 0 || entry->has_augmentation_data);
}

static bool
read_function(struct entry *entry, const uint8_t *at) {
  struct cursor cursor = entry_at(at);
  const uint8_t *back_from = cursor.at;
  uint32_t back = READ_AS(uint32_t, &cursor);
  if (!back || !read_common(entry, back_from - back))
    return false;
  entry->start_addr = read_pointer(&cursor, entry->encoding);
  entry->code_bytes = read_form(&cursor, entry->encoding & ENCODED_FORM);
  if (entry->has_augmentation_data)
    cursor.at += read_uleb(&cursor);
  entry->program = cursor;
  return true;
}

/* ---- the sorted table of functions ---- */

struct table_row {
  int32_t code, entry;   /* from the header */
};

/* The last row whose function begins at or before the address, or NULL. */
static const struct table_row *
find_row(const struct table_row *rows, size_t count, int64_t code) {
  size_t low = 0;
  while (count > 0) {
    size_t half = count / 2;
    if (rows[low + half].code <= code) {
      low += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return low ? &rows[low - 1] : NULL;
}

static bool
find_function(const void *header, uintptr_t code_addr, struct entry *entry) {
  enum { HEADER_VERSION = 1, TABLE_ENCODING = 0x3b /* from the header, S4 */, HEAD_BYTES = 4 };
  const uint8_t *start = header;
  if (start[0] != HEADER_VERSION || start[3] != TABLE_ENCODING)
    return false;
  struct cursor cursor = {start + HEAD_BYTES, start + HEAD_BYTES + 16};
  read_pointer(&cursor, start[1]);
  size_t count = read_form(&cursor, start[2] & ENCODED_FORM);
  const struct table_row *row = find_row((const struct table_row *)cursor.at, count,
                                         (int64_t)(code_addr - (uintptr_t)header));
  return row && read_function(entry, start + row->entry) && code_addr - entry->start_addr < entry->code_bytes;
}

/* ---- the programs that make the rows of one function ---- */

enum saved_how { SAVED_NOT, SAVED_AT_OFFSET, SAVED_UNDEFINED, SAVED_AT_BP, SAVED_ELSEWHERE };

struct saved {
  enum saved_how how;
  int64_t offset;   /* from the base */
};

struct row {
  uint64_t base_register;
  int64_t  base_offset;
  struct cursor base_expression;   /* empty, or it gives the base */
  struct saved bp, return_addr;
};

struct machine {
  const struct entry *entry;
  struct row row, initial;
  struct row kept[8];   /* DW_CFA_remember_state */
  unsigned kept_count;
  bool is_at_end;       /* the row is that of the instruction looked for */
  bool has_failed;
  uintptr_t code_addr, wanted_addr;
};

static void
set_saved(struct machine *machine, uint64_t number, enum saved_how how, int64_t offset) {
  struct saved saved = {how, offset};
  if (number == REGISTER_BP)
    machine->row.bp = saved;
  else if (number == machine->entry->return_register)
    machine->row.return_addr = saved;
}

static void
restore(struct machine *machine, uint64_t number) {
  if (number == REGISTER_BP)
    machine->row.bp = machine->initial.bp;
  else if (number == machine->entry->return_register)
    machine->row.return_addr = machine->initial.return_addr;
}

static void
advance(struct machine *machine, uint64_t units) {
  machine->code_addr += units * machine->entry->code_unit;
  machine->is_at_end = machine->code_addr > machine->wanted_addr;
}

static void
set_base(struct machine *machine, uint64_t number, int64_t offset) {
  machine->row.base_register = number;
  machine->row.base_offset = offset;
  machine->row.base_expression = (struct cursor){0};
}

static struct cursor
read_block(struct cursor *cursor) {
  uint64_t bytes = read_uleb(cursor);
  bytes = min_u64(bytes, (uint64_t)(cursor->end - cursor->at));
  struct cursor block = {cursor->at, cursor->at + bytes};
  cursor->at += bytes;
  return block;
}

static void
keep_row(struct machine *machine, bool is_restored) {
  if (is_restored && machine->kept_count)
    machine->row = machine->kept[--machine->kept_count];
  else if (!is_restored && machine->kept_count < CGC_COUNT(machine->kept))
    machine->kept[machine->kept_count++] = machine->row;
  else
    machine->has_failed = true;
}

/* DW_CFA_ */
enum {
  OP_ADVANCE = 1, OP_OFFSET = 2, OP_RESTORE = 3,   /* in the highest two bits */
  OP_NOP = 0x00, OP_SET_LOC = 0x01, OP_ADVANCE1 = 0x02, OP_ADVANCE2 = 0x03, OP_ADVANCE4 = 0x04, OP_OFFSET_EXTENDED = 0x05,
  OP_RESTORE_EXTENDED = 0x06, OP_UNDEFINED = 0x07, OP_SAME_VALUE = 0x08, OP_REGISTER = 0x09, OP_REMEMBER_STATE = 0x0a,
  OP_RESTORE_STATE = 0x0b, OP_DEF_CFA = 0x0c, OP_DEF_CFA_REGISTER = 0x0d, OP_DEF_CFA_OFFSET = 0x0e,
  OP_DEF_CFA_EXPRESSION = 0x0f, OP_EXPRESSION = 0x10, OP_OFFSET_EXTENDED_SF = 0x11, OP_DEF_CFA_SF = 0x12,
  OP_DEF_CFA_OFFSET_SF = 0x13, OP_VAL_OFFSET = 0x14, OP_VAL_OFFSET_SF = 0x15, OP_VAL_EXPRESSION = 0x16,
  OP_GNU_ARGS_SIZE = 0x2e,
};

static void
run_moves(struct machine *machine, struct cursor *cursor, uint8_t op) {
  switch (op) {
    case OP_NOP: break;
    case OP_SET_LOC:
      machine->code_addr = read_pointer(cursor, machine->entry->encoding);
      advance(machine, 0);
      break;
    case OP_ADVANCE1: advance(machine, READ_AS(uint8_t, cursor)); break;
    case OP_ADVANCE2: advance(machine, READ_AS(uint16_t, cursor)); break;
    case OP_ADVANCE4: advance(machine, READ_AS(uint32_t, cursor)); break;
    case OP_REMEMBER_STATE: keep_row(machine, false); break;
    case OP_RESTORE_STATE: keep_row(machine, true); break;
    case OP_GNU_ARGS_SIZE: read_uleb(cursor); break;
    default: machine->has_failed = true;
  }
}

static void
run_base(struct machine *machine, struct cursor *cursor, uint8_t op) {
  int64_t unit = machine->entry->data_unit;
  uint64_t number = machine->row.base_register;
  switch (op) {
    case OP_DEF_CFA:
      number = read_uleb(cursor);
      set_base(machine, number, (int64_t)read_uleb(cursor));
      break;
    case OP_DEF_CFA_SF:
      number = read_uleb(cursor);
      set_base(machine, number, read_sleb(cursor) * unit);
      break;
    case OP_DEF_CFA_REGISTER: set_base(machine, read_uleb(cursor), machine->row.base_offset); break;
    case OP_DEF_CFA_OFFSET: set_base(machine, number, (int64_t)read_uleb(cursor)); break;
    case OP_DEF_CFA_OFFSET_SF: set_base(machine, number, read_sleb(cursor) * unit); break;
    case OP_DEF_CFA_EXPRESSION: machine->row.base_expression = read_block(cursor); break;
    default: run_moves(machine, cursor, op);
  }
}

/* Where rbp points: DW_OP_breg6 0. */
static bool
is_at_bp(struct cursor expression) {
  enum { BASE_REGISTER_BP = 0x76 };
  bool is_bp = READ_AS(uint8_t, &expression) == BASE_REGISTER_BP && read_sleb(&expression) == 0;
  return is_bp && expression.at == expression.end;
}

static void
run_saved(struct machine *machine, struct cursor *cursor, uint8_t op) {
  int64_t unit = machine->entry->data_unit;
  uint64_t number = read_uleb(cursor);
  switch (op) {
    case OP_OFFSET_EXTENDED: set_saved(machine, number, SAVED_AT_OFFSET, (int64_t)read_uleb(cursor) * unit); break;
    case OP_OFFSET_EXTENDED_SF: set_saved(machine, number, SAVED_AT_OFFSET, read_sleb(cursor) * unit); break;
    case OP_RESTORE_EXTENDED: restore(machine, number); break;
    case OP_UNDEFINED: set_saved(machine, number, SAVED_UNDEFINED, 0); break;
    case OP_SAME_VALUE: set_saved(machine, number, SAVED_NOT, 0); break;
    case OP_REGISTER: case OP_VAL_OFFSET:
      read_uleb(cursor);
      set_saved(machine, number, SAVED_ELSEWHERE, 0);
      break;
    case OP_VAL_OFFSET_SF:
      read_sleb(cursor);
      set_saved(machine, number, SAVED_ELSEWHERE, 0);
      break;
    case OP_EXPRESSION:
      set_saved(machine, number, is_at_bp(read_block(cursor)) ? SAVED_AT_BP : SAVED_ELSEWHERE, 0);
      break;
    default:   /* OP_VAL_EXPRESSION */
      read_block(cursor);
      set_saved(machine, number, SAVED_ELSEWHERE, 0);
  }
}

static bool
is_about_saved(uint8_t op) {
  return (op >= OP_OFFSET_EXTENDED && op <= OP_REGISTER) || op == OP_EXPRESSION || op == OP_OFFSET_EXTENDED_SF ||
         (op >= OP_VAL_OFFSET && op <= OP_VAL_EXPRESSION);
}

static void
run_one(struct machine *machine, struct cursor *cursor) {
  uint8_t op = READ_AS(uint8_t, cursor), low = op & 0x3f;
  switch (op >> 6) {
    case OP_ADVANCE: advance(machine, low); break;
    case OP_OFFSET:
      set_saved(machine, low, SAVED_AT_OFFSET, (int64_t)read_uleb(cursor) * machine->entry->data_unit);
      break;
    case OP_RESTORE: restore(machine, low); break;
    default:
      if (is_about_saved(op))
        run_saved(machine, cursor, op);
      else
        run_base(machine, cursor, op);
  }
}

static void
run(struct machine *machine, struct cursor program) {
  while (program.at < program.end && !machine->has_failed) {
    struct row before = machine->row;
    run_one(machine, &program);
    if (machine->is_at_end) {
      machine->row = before;
      return;
    }
  }
}

/* ---- from a row to a rule ---- */

/* A function that aligns its stack keeps the base in its frame: DW_OP_breg6 offset, DW_OP_deref. */
static bool
base_is_kept_at(struct cursor expression, int64_t *offset) {
  enum { BASE_REGISTER_BP = 0x76, DEREFERENCE = 0x06 };
  if (READ_AS(uint8_t, &expression) != BASE_REGISTER_BP)
    return false;
  *offset = read_sleb(&expression);
  return READ_AS(uint8_t, &expression) == DEREFERENCE && expression.at == expression.end;
}

static struct unwind_rule
rule_of(const struct row *row, bool is_signal_frame) {
  struct unwind_rule unknown = {.kind = UNWIND_UNKNOWN}, rule = unknown;
  int64_t offset = row->base_offset;
  if (is_signal_frame)
    return (struct unwind_rule){.kind = UNWIND_SIGNAL};
  if (row->return_addr.how == SAVED_UNDEFINED)
    return (struct unwind_rule){.kind = UNWIND_END};
  if (row->base_expression.at)
    rule.kind = base_is_kept_at(row->base_expression, &offset) ? UNWIND_BY_BP_AT : UNWIND_UNKNOWN;
  else if (row->base_register == REGISTER_SP)
    rule.kind = UNWIND_BY_SP;
  else if (row->base_register == REGISTER_BP)
    rule.kind = UNWIND_BY_BP;
  bool is_usual = row->return_addr.how == SAVED_AT_OFFSET && row->return_addr.offset == -8;
  bool is_bp_known = rule.kind == UNWIND_BY_BP_AT ? row->bp.how == SAVED_AT_BP : row->bp.how <= SAVED_UNDEFINED;
  if (!is_usual || offset != (int32_t)offset || !is_bp_known)
    return unknown;
  rule.base_offset = (int32_t)offset;
  rule.bp_offset = row->bp.how == SAVED_AT_OFFSET ? (int32_t)row->bp.offset : 0;
  return rule;
}

bool
unwind_table_find(const void *header, uintptr_t code_addr, struct unwind_rule *rule) {
  struct entry entry = {.encoding = ENCODED_ABSOLUTE};
  if (!find_function(header, code_addr, &entry))
    return false;
  struct machine machine = {.entry = &entry, .code_addr = entry.start_addr, .wanted_addr = code_addr};
  run(&machine, entry.common_program);
  machine.initial = machine.row;
  if (!machine.is_at_end)
    run(&machine, entry.program);
  *rule = machine.has_failed ? (struct unwind_rule){.kind = UNWIND_UNKNOWN}
                             : rule_of(&machine.row, entry.is_signal_frame);
  return true;
}
