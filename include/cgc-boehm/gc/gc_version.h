/* SPDX-License-Identifier: MIT */
/**
 * The version of bdwgc whose interface these headers declare.  GC_get_version tells that of the library.
 */
#ifndef CGC_BOEHM_VERSION_H
#define CGC_BOEHM_VERSION_H

#define GC_VERSION_MAJOR 8
#define GC_VERSION_MINOR 2
#define GC_VERSION_MICRO 2

#endif
