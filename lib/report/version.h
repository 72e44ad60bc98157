/* SPDX-License-Identifier: MIT */
#ifndef CGC_REPORT_VERSION_H
#define CGC_REPORT_VERSION_H

#include "base/compiler.h"
#include "cgc.h"

/* Of the library, for example "0.1.0". */
#define VERSION_OF_LIBRARY \
  CGC_STRING(CGC_VERSION_MAJOR) "." CGC_STRING(CGC_VERSION_MINOR) "." CGC_STRING(CGC_VERSION_PATCH)

#endif
