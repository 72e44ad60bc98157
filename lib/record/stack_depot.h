/* SPDX-License-Identifier: MIT */
/*
 * The depot: every distinct stack of return sites once.
 *
 * Stacks that follow each other mostly share their outer frames, so a stack is stored as another one's outer frames
 * and its own inner ones, whose sites take a byte for each 7 bits of their numbers.
 *
 * A stack's number is where it begins.  Which stack it is is told by a hash of 64 bits alone: with 10 million stacks
 * there is a chance of 1 in 300,000 that any two are taken for one.
 */
#ifndef CGC_RECORD_STACK_DEPOT_H
#define CGC_RECORD_STACK_DEPOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STACK_FRAMES_MAX = 512 };

struct depot_stack {
  uint32_t parent;          /* number; 0: none */
  uint32_t hash_low;        /* the lower half of its hash */
  uint16_t shared_frames;   /* outer ones that are the parent's */
  uint16_t own_frames;
  uint8_t  function;        /* that was called to allocate */
  uint8_t  turn;            /* of stack_depot_take_turn */
  bool     is_cut;          /* there were more frames */
  uint8_t  sites[];         /* of own frames, innermost first: numbers in groups of 7 bits, the lowest first */
};

/* The number of the stack with that hash, or 0. */
uint32_t stack_depot_find(uint64_t hash);

/* Stores one that was not found.  It may share outer frames with a stored one, parent, or none (0).  Its number, or 0 if
 * there is no memory. */
uint32_t stack_depot_add(uint64_t hash, const struct depot_stack *head, const uint32_t *own_sites);

/* By its number. */
const struct depot_stack *stack_depot_at(uint32_t number);

/* Writes the sites of a stack, the innermost first; sites has room for STACK_FRAMES_MAX.  Returns how many. */
unsigned stack_depot_read(uint32_t number, uint32_t *sites);

/* Whether it was not asked so in that turn before.  By one thread at a time. */
bool stack_depot_take_turn(uint32_t number, uint8_t turn);

/* In a forked child. */
void stack_depot_adopt_fork(void);

#endif
