/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <string.h>

struct text
text_in(char *buffer, size_t capacity_bytes) {
  return (struct text){.start = buffer, .capacity_bytes = capacity_bytes};
}

void
text_add_chars(struct text *text, const char *chars, size_t length_bytes) {
  size_t room = text->capacity_bytes - text->length_bytes;
  size_t fits = length_bytes < room ? length_bytes : room;
  memcpy(text->start + text->length_bytes, chars, fits);
  text->length_bytes += fits;
}

void
text_add(struct text *text, const char *string) {
  text_add_chars(text, string, strlen(string));
}

static void
text_add_digits(struct text *text, uint64_t value, unsigned base, unsigned digits_min) {
  char digits[24];
  unsigned count = 0;
  do {
    digits[sizeof digits - ++count] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value || count < digits_min);
  text_add_chars(text, digits + sizeof digits - count, count);
}

void
text_add_u64(struct text *text, uint64_t value) {
  text_add_digits(text, value, 10, 1);
}

void
text_add_hex_byte(struct text *text, uint8_t byte) {
  text_add_digits(text, byte, 16, 2);
}

void
text_add_error(struct text *text, int err) {
  const char *name = strerrorname_np(err);
  text_add(text, name ? name : "error");
}

void
text_add_hex(struct text *text, uint64_t value) {
  text_add(text, "0x");
  text_add_digits(text, value, 16, 1);
}

void
text_add_ratio(struct text *text, uint64_t value, uint64_t divisor, unsigned decimals) {
  uint64_t scale = 1;
  for (unsigned i = 0; i < decimals; i++)
    scale *= 10;
  text_add_u64(text, value / divisor);
  text_add(text, ".");
  text_add_digits(text, value % divisor * scale / divisor, 10, decimals);
}

void
text_add_bytes(struct text *text, uint64_t bytes) {
  static const char *const units[] = {" KiB", " MiB", " GiB", " TiB"};
  uint64_t divisor = 1024;
  unsigned unit = 0;
  while (unit + 1 < CGC_COUNT(units) && bytes / divisor >= 1024) {
    divisor *= 1024;
    unit++;
  }
  text_add_ratio(text, bytes, divisor, 1);
  text_add(text, units[unit]);
}
