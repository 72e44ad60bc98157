/* SPDX-License-Identifier: MIT */
#include "pattern.h"

#include <stddef.h>
#include <string.h>

/* A part between stars. */
struct piece {
  const char *chars;
  size_t      length;
  bool        ends_text;   /* followed by $ */
};

static struct piece
next_piece(const char **pattern) {
  struct piece piece = {*pattern, strcspn(*pattern, "*"), false};
  *pattern += piece.length + ((*pattern)[piece.length] == '*');
  if (**pattern == 0 && piece.length > 0 && piece.chars[piece.length - 1] == '$') {
    piece.length--;
    piece.ends_text = true;
  }
  return piece;
}

/* Just behind the piece in the text, or NULL if it is not there. */
static const char *
skip_piece(const char *text, const struct piece *piece, bool begins_text) {
  size_t length = strlen(text);
  if (length < piece->length)
    return NULL;
  const char *last = text + length - piece->length;
  const char *from = piece->ends_text && !begins_text ? last : text, *to = begins_text ? text : last;
  if (piece->ends_text && from != last)
    return NULL;
  for (; from <= to; from++)
    if (memcmp(from, piece->chars, piece->length) == 0)
      return from + piece->length;
  return NULL;
}

bool
pattern_is_found(const char *pattern, const char *text) {
  bool begins_text = *pattern == '^';
  pattern += begins_text;
  do {
    struct piece piece = next_piece(&pattern);
    text = skip_piece(text, &piece, begins_text);
    begins_text = false;
  } while (text && *pattern);
  return text != NULL;
}
