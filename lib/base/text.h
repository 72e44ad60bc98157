/* SPDX-License-Identifier: MIT */
/*
 * Text in a buffer of the caller's; what does not fit is cut off.
 * No stdio, no allocation, no lock: async-signal-safe.
 */
#ifndef CGC_BASE_TEXT_H
#define CGC_BASE_TEXT_H

#include "base/compiler.h"

struct text {
  char  *start;
  size_t length_bytes;
  size_t capacity_bytes;
};

struct text text_in(char *buffer, size_t capacity_bytes);

void text_add(struct text *text, const char *string);
void text_add_chars(struct text *text, const char *chars, size_t length_bytes);
void text_add_u64(struct text *text, uint64_t value);
void text_add_hex(struct text *text, uint64_t value);

/* Two digits. */
void text_add_hex_byte(struct text *text, uint8_t byte);

/* The name of an errno code. */
void text_add_error(struct text *text, int err);

/* value / divisor with the given number of decimals, for example ns as ms. */
void text_add_ratio(struct text *text, uint64_t value, uint64_t divisor, unsigned decimals);

/* "3.2 MiB": one decimal, a binary unit. */
void text_add_bytes(struct text *text, uint64_t bytes);

#endif
