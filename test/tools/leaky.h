/* SPDX-License-Identifier: MIT */
#ifndef CGC_TEST_LEAKY_H
#define CGC_TEST_LEAKY_H

#ifdef __cplusplus
extern "C" {
#endif

void leaky_library(void);
void leaky_cxx(void) __attribute__((weak));   /* only in one of the programs */

#ifdef __cplusplus
}
#endif

#endif
