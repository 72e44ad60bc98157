/* SPDX-License-Identifier: MIT */
/**
 * Positions in cords: a cord and an index into it, with the way to the character, so that the next one is found fast.
 *
 * Included by cord.h only.  A CORD_pos is large, more than 800 bytes, and must not be copied by assignment or memcpy.  It
 * is valid while its index is less than the cord's length; set, it is read and moved by the functions below, most of
 * which are also macros that evaluate their argument more than once.
 *
 * The macros are compiled into programs: the layout of the structure, what its members mean to the macros and what
 * CORD__pos_fetch, CORD__next and CORD__prev do never change.
 */
#if !defined(CORD_POSITION_H) && defined(CORD_H)
#define CORD_POSITION_H

#ifdef __cplusplus
extern "C" {
#endif

/* No tree is higher. */
#define MAX_DEPTH 48

/* Characters that are computed together. */
#define FUNCTION_BUF_SZ 8

/* A path_len that no path has. */
#define CORD_POS_INVALID 0x55555555

struct CORD_pe {
  CORD pe_cord;
  size_t pe_start_pos;            /* of its first character in the whole cord */
};

typedef struct CORD_Pos {
  size_t cur_pos;
  int path_len;                   /* index of the last member of path, or CORD_POS_INVALID */
  const char *cur_leaf;           /* the characters from cur_start to cur_end */
  size_t cur_start;
  size_t cur_end;                 /* 0 if the characters around cur_pos are not known */
  struct CORD_pe path[MAX_DEPTH + 1];     /* from the whole cord, path[0], down to the leaf */
  char function_buf[FUNCTION_BUF_SZ];     /* where cur_leaf points if they were computed */
} CORD_pos[1];

/** Sets the position to character i of x; it is valid if there is one. */
CORD_API void CORD_set_pos(CORD_pos, CORD /* x */, size_t /* i */);

/** Is there a character?  After a step beyond either end there is none, and the position must be set again. */
CORD_API int CORD_pos_valid(CORD_pos);

/** The character.  The process is aborted if the position is not valid; so it is by CORD_next and CORD_prev. */
CORD_API char CORD_pos_fetch(CORD_pos);

/** One character ahead. */
CORD_API void CORD_next(CORD_pos);

/** One character back. */
CORD_API void CORD_prev(CORD_pos);

/** The cord the position is in. */
CORD_API CORD CORD_pos_to_cord(CORD_pos);

/** The index of the character. */
CORD_API size_t CORD_pos_to_index(CORD_pos);

/* What the macros call when the characters at hand do not suffice. */
CORD_API char CORD__pos_fetch(CORD_pos);
CORD_API void CORD__next(CORD_pos);
CORD_API void CORD__prev(CORD_pos);

#define CORD_pos_valid(p) ((p)[0].path_len != CORD_POS_INVALID)
#define CORD_pos_to_cord(p) ((p)[0].path[0].pe_cord)
#define CORD_pos_to_index(p) ((p)[0].cur_pos)

#define CORD_pos_fetch(p) \
  ((p)[0].cur_end != 0 ? (p)[0].cur_leaf[(p)[0].cur_pos - (p)[0].cur_start] : CORD__pos_fetch(p))

#define CORD_next(p) \
  ((p)[0].cur_pos + 1 < (p)[0].cur_end ? (p)[0].cur_pos++ : (CORD__next(p), (size_t)0))

#define CORD_prev(p) \
  ((p)[0].cur_end != 0 && (p)[0].cur_pos > (p)[0].cur_start ? (p)[0].cur_pos-- : (CORD__prev(p), (size_t)0))

/* For those in a hurry: how many characters, from this one on, are at hand in memory, 0 or less if none; ... */
#define CORD_pos_chars_left(p) ((long)(p)[0].cur_end - (long)(p)[0].cur_pos)

/* ... where that is; ... */
#define CORD_pos_cur_char_addr(p) ((p)[0].cur_leaf + ((p)[0].cur_pos - (p)[0].cur_start))

/* ... and n characters ahead, 0 < n <= CORD_pos_chars_left(p). */
#define CORD_pos_advance(p, n) ((p)[0].cur_pos += (n) - 1, CORD_next(p))

#ifdef __cplusplus
}
#endif

#endif
