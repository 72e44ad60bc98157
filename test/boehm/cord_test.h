/* SPDX-License-Identifier: MIT */
/* What the parts of the test of cords share. */
#ifndef CGC_TEST_CORD_TEST_H
#define CGC_TEST_CORD_TEST_H

#include <gc/cord.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the test at once: what comes after a wrong cord means little. */
#define CHECK(condition) \
  ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition), exit(1)))

/* The library is bdwgc's own: where it does other than cord.h promises, and the test says so, it is not asked. */
extern bool is_reference;

uint64_t random_below(uint64_t end);

/* Random use against plain strings. */
void test_model(unsigned long steps);

/* Depth after many operations. */
void test_depth(void);

void test_search(void);
void test_files(void);
void test_threads(void);
void test_printf(void);

/* What ends the process. */
void test_failures(void);

#endif
