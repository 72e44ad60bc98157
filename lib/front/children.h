/* SPDX-License-Identifier: MIT */
#ifndef CGC_FRONT_CHILDREN_H
#define CGC_FRONT_CHILDREN_H

/* With option children=0: takes this library out of LD_PRELOAD in the environment that programs started from
 * this one will get.  Once, before main. */
void children_forget_library(void);

#endif
