/* SPDX-License-Identifier: MIT */
/**
 * Cords: immutable strings that are cheap to concatenate and to cut.
 *
 * A CORD is a pointer.  The empty cord is CORD_EMPTY, a null pointer; a C string that is not empty is a cord as it is;
 * every other cord points to a zero byte and is the library's own.  Cords are trees that share their parts, so that the
 * concatenation of two takes constant time and space, and none of them ever changes.  Characters may be any, zero
 * included, except that a C string ends at its first zero.
 *
 *   CORD text = CORD_cat("a cord of ", CORD_from_char_star(name));
 *   CORD_printf("%r\n", text);
 *
 * Contracts common to all functions, unless said otherwise:
 *   errno    Undefined afterwards.
 *   Threads  Any thread that the collector knows.  Cords may be used by several at a time; a CORD_pos, a CORD_ec or a
 *            FILE by one.
 *   Memory   The collector's.  If there is none, CORD_oom_fn is called; if that returns, the process is aborted.
 *   Signals  Not in handlers.
 *   Source   bdwgc 8.2.2; Boehm, Atkinson, Plass: Ropes: an alternative to strings, 1995.
 *
 * Parameters have no names, but in comments, because programs define macros of every name before they include this.
 */
#ifndef CORD_H
#define CORD_H

#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef CORD_API
#ifdef __GNUC__
#define CORD_API extern __attribute__((__visibility__("default")))
#else
#define CORD_API extern
#endif
#endif

typedef const char *CORD;

#define CORD_EMPTY 0

/* Is a cord, which is not empty, a C string?  Those of up to about 30 characters without zeroes mostly are. */
#define CORD_IS_STRING(s) (*(s) != '\0')

/* "Nowhere", where a position is asked for. */
#define CORD_NOT_FOUND ((size_t)(-1))

/* ---- making ---- */

/**
 * x followed by y.  C strings among them become part of the result: they must not be changed afterwards.
 */
CORD_API CORD CORD_cat(CORD /* x */, CORD /* y */);

/**
 * x followed by the C string y, which has that many characters and becomes part of the result.  y may be null or "" if
 * the length is 0.
 */
CORD_API CORD CORD_cat_char_star(CORD /* x */, const char * /* y */, size_t /* length */);

/** x followed by the character c, which may be zero. */
CORD_API CORD CORD_cat_char(CORD /* x */, char /* c */);

/** That many cords, one after the other. */
CORD_API CORD CORD_catn(int /* count */, ... /* CORD */);

/** A copy of a C string, which may be changed afterwards. */
CORD_API CORD CORD_from_char_star(const char * /* string */);

/** That many characters c, in constant space. */
CORD_API CORD CORD_chars(char /* c */, size_t /* length */);
#define CORD_nul(i) CORD_chars('\0', (i))

/**
 * A cord whose character i is what the function returns for i.
 *
 * The function is called when a character is needed, each time anew, and for a few characters near it; of a short cord,
 * at once.  i is always less than length.  client_data is kept alive.
 */
typedef char (*CORD_fn)(size_t /* i */, void * /* client_data */);
CORD_API CORD CORD_from_fn(CORD_fn, void * /* client_data */, size_t /* length */);

/** The part of x from character i on, of at most that many characters; it shares with x all but a few of them. */
CORD_API CORD CORD_substr(CORD /* x */, size_t /* i */, size_t /* length */);

/**
 * A cord of the same characters, the tree of which is so low that a character is found in time proportional to the
 * logarithm of the number of pieces.  Worthwhile after many concatenations, before many other operations.
 */
CORD_API CORD CORD_balance(CORD /* x */);

/* ---- reading ---- */

CORD_API size_t CORD_len(CORD);

/** Character i of x; the process is aborted if i is not less than its length. */
CORD_API char CORD_fetch(CORD /* x */, size_t /* i */);

/**
 * A copy of x as a C string, which may be changed; zeroes in x stay in it.  "" for the empty cord.
 */
CORD_API char *CORD_to_char_star(CORD /* x */);

/** As CORD_to_char_star, but x itself if it is a C string: the result must not be changed. */
CORD_API const char *CORD_to_const_char_star(CORD /* x */);

/**
 * Less than 0, 0 or more than 0 as x is less than, equal to or greater than y: by the first character, taken as
 * unsigned, in which they differ, or else by length.
 */
CORD_API int CORD_cmp(CORD /* x */, CORD /* y */);

/** The same for the parts of at most length characters that begin at the two starts. */
CORD_API int CORD_ncmp(CORD /* x */, size_t /* x_start */, CORD /* y */, size_t /* y_start */, size_t /* length */);

/** The first position from start on where x contains s, or CORD_NOT_FOUND. */
CORD_API size_t CORD_str(CORD /* x */, size_t /* start */, CORD /* s */);

/** The first position from i on where x has the character c, which may be zero, or CORD_NOT_FOUND. */
CORD_API size_t CORD_chr(CORD /* x */, size_t /* i */, int /* c */);

/** The last position up to and including i, which must be less than the length, where x has c, or CORD_NOT_FOUND. */
CORD_API size_t CORD_rchr(CORD /* x */, size_t /* i */, int /* c */);

/** Writes the tree of x to stdout, for people; the form may change. */
CORD_API void CORD_dump(CORD /* x */);

/* ---- every character in turn ---- */

/* For one character, and for a C string instead of all its characters; they return 0 to go on. */
typedef int (*CORD_iter_fn)(char /* c */, void * /* client_data */);
typedef int (*CORD_batched_iter_fn)(const char * /* string */, void * /* client_data */);
#define CORD_NO_FN ((CORD_batched_iter_fn)0)

/**
 * Calls the first function for the characters of x from i on, or, unless it is CORD_NO_FN, the second for runs of them
 * that are C strings, until one returns other than 0.
 *
 * Returns  What the last function called returned, 0 if none was.
 */
CORD_API int CORD_iter5(CORD /* x */, size_t /* i */, CORD_iter_fn, CORD_batched_iter_fn, void * /* client_data */);

/** The same for all characters, one by one. */
CORD_API int CORD_iter(CORD /* x */, CORD_iter_fn, void * /* client_data */);
#define CORD_iter(x, f1, cd) CORD_iter5(x, 0, f1, CORD_NO_FN, cd)

/** The same from character i, which must be less than the length, backwards to the first. */
CORD_API int CORD_riter4(CORD /* x */, size_t /* i */, CORD_iter_fn, void * /* client_data */);

/** The same from the last character backwards. */
CORD_API int CORD_riter(CORD /* x */, CORD_iter_fn, void * /* client_data */);

#ifdef __cplusplus
}
#endif

#include "cord_pos.h"

/* Steps a CORD_pos through all characters of a cord. */
#define CORD_FOR(pos, cord) for (CORD_set_pos(pos, cord, 0); CORD_pos_valid(pos); CORD_next(pos))

#ifdef __cplusplus
extern "C" {
#endif

/* ---- memory ---- */

/** Called when there is no memory, unless it is null.  It should not return. */
CORD_API void (*CORD_oom_fn)(void);

/* ---- files ---- */

/**
 * The contents of a file, which from then on belongs to the cord: it is closed when it is not needed any more.
 *
 * A file of moderate size is read and closed at once, as by CORD_from_file_eager but from its beginning; the characters
 * of a larger one are read when they are needed, as by CORD_from_file_lazy.
 */
CORD_API CORD CORD_from_file(FILE *);

/** What remains to be read of a file, which need not be seekable and is closed.  It ends where reading fails. */
CORD_API CORD CORD_from_file_eager(FILE *);

/**
 * All of a file, read when its characters are needed.
 *
 * It must not change, nor be read or sought by others, also in a forked process.  It is closed by a finalizer.
 * The process is aborted if it cannot be read.  A file that is not seekable, or empty, is read and closed at once.
 */
CORD_API CORD CORD_from_file_lazy(FILE *);

/**
 * Writes x, without anything after it.
 * Returns  1, or EOF after an error, with errno as fwrite sets it.
 */
CORD_API int CORD_put(CORD /* x */, FILE *);

#ifdef __cplusplus
}
#endif

/* ---- printf ---- */

#ifndef CORD_NO_IO

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * As the functions of stdio with these names, but the format is a cord, and the conversion %r takes a CORD, with flags,
 * width and precision as for %s.
 *
 * CORD_sprintf and CORD_vsprintf store a new cord, of which the cords given are parts; they are not copied.  All
 * conversions and length modifiers of the C library's printf are known, but neither arguments by number (%1$d) nor
 * registered ones.
 *
 * Returns  The number of characters; -1 if the format is wrong (EINVAL), a wide character cannot be converted (EILSEQ),
 *          there are more than INT_MAX (EOVERFLOW) or writing fails.  Then nothing is stored.
 */
CORD_API int CORD_sprintf(CORD * /* result */, CORD /* format */, ...);
CORD_API int CORD_vsprintf(CORD * /* result */, CORD /* format */, va_list);
CORD_API int CORD_fprintf(FILE *, CORD /* format */, ...);
CORD_API int CORD_vfprintf(FILE *, CORD /* format */, va_list);
CORD_API int CORD_printf(CORD /* format */, ...);
CORD_API int CORD_vprintf(CORD /* format */, va_list);

#ifdef __cplusplus
}
#endif

#endif /* CORD_NO_IO */

#endif
