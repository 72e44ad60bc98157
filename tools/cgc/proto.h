/* SPDX-License-Identifier: MIT */
/* The wire format of protocol buffers, as far as a profile needs it. */
#ifndef CGC_TOOL_PROTO_H
#define CGC_TOOL_PROTO_H

#include "memory.h"

#include <stdint.h>

struct proto LIST(unsigned char);

/* Zero is the default of every field, and not written. */
void proto_add_number(struct proto *message, unsigned field, uint64_t value);

/* Repeated fields: zero is written, too. */
void proto_add_numbers(struct proto *message, unsigned field, const uint64_t *values, size_t count);
void proto_add_string(struct proto *message, unsigned field, const char *string);
void proto_add_message(struct proto *message, unsigned field, const struct proto *inner);

#endif
