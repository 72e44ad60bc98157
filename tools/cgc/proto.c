/* SPDX-License-Identifier: MIT */
#include "proto.h"

#include <string.h>

enum wire_type { WIRE_VARINT = 0, WIRE_BYTES = 2 };
enum { VARINT_BITS = 7, VARINT_MORE = 1 << VARINT_BITS };

static void
add_varint(struct proto *message, uint64_t value) {
  for (; value >= VARINT_MORE; value >>= VARINT_BITS)
    *LIST_ADD(message) = (unsigned char)(value | VARINT_MORE);
  *LIST_ADD(message) = (unsigned char)value;
}

static void
add_key(struct proto *message, unsigned field, enum wire_type type) {
  add_varint(message, field << 3 | type);
}

static void
add_bytes(struct proto *message, unsigned field, const void *bytes, size_t count) {
  add_key(message, field, WIRE_BYTES);
  add_varint(message, count);
  for (size_t i = 0; i < count; i++)
    *LIST_ADD(message) = ((const unsigned char *)bytes)[i];
}

void
proto_add_number(struct proto *message, unsigned field, uint64_t value) {
  if (value == 0)
    return;
  add_key(message, field, WIRE_VARINT);
  add_varint(message, value);
}

void
proto_add_numbers(struct proto *message, unsigned field, const uint64_t *values, size_t count) {
  for (size_t i = 0; i < count; i++) {
    add_key(message, field, WIRE_VARINT);
    add_varint(message, values[i]);
  }
}

void
proto_add_string(struct proto *message, unsigned field, const char *string) {
  add_bytes(message, field, string, strlen(string));
}

void
proto_add_message(struct proto *message, unsigned field, const struct proto *inner) {
  add_bytes(message, field, inner->items, inner->count);
}
