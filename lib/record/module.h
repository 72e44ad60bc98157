/* SPDX-License-Identifier: MIT */
/*
 * Modules: the program and its libraries, each noted when code of it is first seen, and kept after it is unloaded, so
 * that a stack recorded in it can still be told.
 */
#ifndef CGC_RECORD_MODULE_H
#define CGC_RECORD_MODULE_H

#include <stdbool.h>
#include <stdint.h>

enum { MODULE_BUILD_ID_BYTES_MAX = 32, MODULES_MAX = 4096 };

struct module {
  /* Constant once listed. */
  uintptr_t start_addr, end_addr;   /* that it is mapped at */
  uintptr_t bias;                   /* what is added to the addresses in its file */
  const void *unwind_header;        /* .eh_frame_hdr, or NULL; gone with the module */
  const char *path;
  uint8_t  build_id[MODULE_BUILD_ID_BYTES_MAX];
  uint32_t build_id_bytes;          /* 0: has none */
  bool     is_own;                  /* is this library */
  bool     is_loader;               /* is the dynamic loader */

  /* Lock: that of the return sites. */
  bool is_unloaded;
};

/* The number of the loaded module that code lies in, from 1 on; 0 if it is in none, or there is no memory.  A module not
 * seen before is noted.  By whoever holds the lock of the return sites. */
unsigned module_find_locked(uintptr_t code_addr);

/* Notes what is not loaded any more; calls gone for each such module. */
void module_refresh_locked(void (*gone)(const struct module *module));

/* By its number; constant, and so without a lock. */
const struct module *module_at(unsigned number);

#endif
