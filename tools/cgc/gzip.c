/* SPDX-License-Identifier: MIT */
#include "gzip.h"

#include "memory.h"
#include "message.h"

#include <limits.h>
#include <zlib.h>

enum { GZIP_WINDOW_BITS = 15 + 16, MEMORY_LEVEL = 8, OUTPUT_BYTES = 16 * 1024 };

struct gzip {
  z_stream      stream;
  FILE         *file;
  unsigned char output[OUTPUT_BYTES];
};

struct gzip *
gzip_begin(FILE *file) {
  struct gzip *gzip = memory_take(sizeof *gzip);
  gzip->file = file;
  if (deflateInit2(&gzip->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, MEMORY_LEVEL,
                   Z_DEFAULT_STRATEGY))
    message_die(STATUS_TROUBLE, "there is no memory");
  return gzip;
}

static void
compress_input(struct gzip *gzip, int flush) {
  do {
    gzip->stream.next_out = gzip->output;
    gzip->stream.avail_out = OUTPUT_BYTES;
    deflate(&gzip->stream, flush);
    if (gzip->file)
      fwrite(gzip->output, 1, OUTPUT_BYTES - gzip->stream.avail_out, gzip->file);
  } while (gzip->stream.avail_out == 0);
}

void
gzip_add(struct gzip *gzip, const void *bytes, size_t count) {
  const unsigned char *rest = bytes;
  while (count > 0) {
    uInt part = count < INT_MAX ? (uInt)count : INT_MAX;
    gzip->stream.next_in = (unsigned char *)rest;
    gzip->stream.avail_in = part;
    compress_input(gzip, Z_NO_FLUSH);
    rest += part;
    count -= part;
  }
}

size_t
gzip_size(const struct gzip *gzip) {
  return gzip->stream.total_out;
}

void
gzip_end(struct gzip *gzip) {
  compress_input(gzip, Z_FINISH);
  deflateEnd(&gzip->stream);
}
