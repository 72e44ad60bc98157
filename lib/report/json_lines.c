/* SPDX-License-Identifier: MIT */
#include "report/json_lines.h"

#include "base/platform.h"
#include "base/quiet_write.h"

#include <errno.h>
#include <string.h>

/* ---- the file ---- */

static void
flush(struct json_lines *json) {
  if (json->fd >= 0 && !json->err && quiet_write(json->fd, json->text.start, json->text.length_bytes))
    json->err = EIO;
  json->text.length_bytes = 0;
}

void
json_open(struct json_lines *json, const char *path) {
  json->fd = platform_open_append(path);
  json->err = json->fd < 0 ? -json->fd : 0;
  json->needs_comma = false;
  json->text = text_in(json->buffer, sizeof json->buffer);
}

void
json_close(struct json_lines *json) {
  flush(json);
  if (json->fd >= 0)
    platform_close(json->fd);
}

static void
reserve(struct json_lines *json, size_t bytes) {
  if (json->text.capacity_bytes - json->text.length_bytes < bytes)
    flush(json);
}

/* ---- strings ---- */

/* Bytes of the UTF-8 character there; 0 if it is none. */
static size_t
utf8_length(const unsigned char *c, size_t bytes) {
  size_t length = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : c[0] < 0xf5 ? 4 : 0;
  if (length > bytes)
    return 0;
  for (size_t i = 1; i < length; i++)
    if ((c[i] & 0xc0) != 0x80)
      return 0;
  bool is_bad = length > 2 && ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] >= 0xa0) ||
                               (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] >= 0x90));
  return is_bad ? 0 : length;
}

static void
add_escaped_byte(struct text *text, unsigned char byte) {
  text_add(text, "\\u00");
  text_add_hex_byte(text, byte);
}

static void
add_quoted(struct json_lines *json, const char *chars, size_t bytes) {
  enum { ROOM_BYTES = 8 };
  text_add(&json->text, "\"");
  for (size_t i = 0; i < bytes;) {
    reserve(json, ROOM_BYTES);
    const unsigned char *c = (const unsigned char *)chars + i;
    size_t length = utf8_length(c, bytes - i);
    if (*c == '"' || *c == '\\')
      text_add(&json->text, "\\");
    if (length == 0 || *c < ' ')
      add_escaped_byte(&json->text, *c);
    else
      text_add_chars(&json->text, (const char *)c, length);
    i += length ? length : 1;
  }
  reserve(json, ROOM_BYTES);
  text_add(&json->text, "\"");
}

/* ---- members ---- */

static void
begin_member(struct json_lines *json, const char *name) {
  enum { ROOM_BYTES = 128 };   /* for a name and a number */
  reserve(json, ROOM_BYTES);
  if (json->needs_comma)
    text_add(&json->text, ",");
  json->needs_comma = true;
  if (!name)
    return;
  add_quoted(json, name, strlen(name));
  text_add(&json->text, ":");
}

void
json_add_number(struct json_lines *json, const char *name, uint64_t value) {
  begin_member(json, name);
  text_add_u64(&json->text, value);
}

void
json_add_bool(struct json_lines *json, const char *name, bool value) {
  begin_member(json, name);
  text_add(&json->text, value ? "true" : "false");
}

void
json_add_chars(struct json_lines *json, const char *name, const char *chars, size_t bytes) {
  begin_member(json, name);
  add_quoted(json, chars, bytes);
}

void
json_add_string(struct json_lines *json, const char *name, const char *value) {
  if (value) {
    json_add_chars(json, name, value, strlen(value));
    return;
  }
  begin_member(json, name);
  text_add(&json->text, "null");
}

void
json_add_address(struct json_lines *json, const char *name, uintptr_t addr) {
  begin_member(json, name);
  text_add(&json->text, "\"");
  text_add_hex(&json->text, addr);
  text_add(&json->text, "\"");
}

/* ---- structure ---- */

void
json_begin(struct json_lines *json, const char *name, char bracket) {
  begin_member(json, name);
  text_add_chars(&json->text, &bracket, 1);
  json->needs_comma = false;
}

void
json_end(struct json_lines *json, char bracket) {
  reserve(json, 1);
  text_add_chars(&json->text, &bracket, 1);
  json->needs_comma = true;
}

void
json_begin_line(struct json_lines *json, const char *type) {
  json->needs_comma = false;
  json_begin(json, NULL, '{');
  json_add_string(json, "type", type);
}

void
json_end_line(struct json_lines *json) {
  json_end(json, '}');
  reserve(json, 1);
  text_add(&json->text, "\n");
}
