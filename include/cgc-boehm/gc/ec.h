/* SPDX-License-Identifier: MIT */
/**
 * Extensible cords: a cord that grows at its end by single characters, as they come from a stream.
 *
 *   CORD_ec x;
 *   CORD_ec_init(x);
 *   while ((c = getc(f)) != EOF)
 *     CORD_ec_append(x, (char)c);
 *   text = CORD_balance(CORD_ec_to_cord(x));
 *
 * Appended characters are gathered in a buffer first, of which the macros know the layout.  Characters may be zero.
 * Contracts as in cord.h; an extensible cord must not be copied by assignment or memcpy.
 */
#ifndef EC_H
#define EC_H

#ifndef CORD_H
#include "cord.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Of the buffer.  A program may choose another size; the library uses any. */
#ifndef CORD_BUFSZ
#define CORD_BUFSZ 128
#endif

typedef struct CORD_ec_struct {
  CORD ec_cord;                   /* what went before the buffer */
  char *ec_bufptr;                /* end of what is in the buffer */
  char ec_buf[CORD_BUFSZ + 1];
} CORD_ec[1];

/** Makes what is in the buffer a part of ec_cord. */
CORD_API void CORD_ec_flush_buf(CORD_ec);

/** Appends a cord, which is shared, not copied. */
CORD_API void CORD_ec_append_cord(CORD_ec, CORD);

/* Empty. */
#define CORD_ec_init(x) ((x)[0].ec_cord = 0, (void)((x)[0].ec_bufptr = (x)[0].ec_buf))

/* Appends a character; evaluates x more than once. */
#define CORD_ec_append(x, c) \
  ((void)((x)[0].ec_bufptr == (x)[0].ec_buf + CORD_BUFSZ ? (CORD_ec_flush_buf(x), 0) : 0), \
   (void)(*(x)[0].ec_bufptr++ = (c)))

/* What has been appended so far, as a cord; it may grow on. */
#define CORD_ec_to_cord(x) (CORD_ec_flush_buf(x), (x)[0].ec_cord)

#ifdef __cplusplus
}
#endif

#endif
