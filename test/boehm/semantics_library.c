/* SPDX-License-Identifier: MIT */
/* Loaded by semantics_roots: keeps a pointer in its own data, or in its own variable of each thread. */
extern void *library_word;
extern void **library_thread_word(void);

void *library_word;

static __thread void *thread_word;

/* Where the calling thread's is. */
void **
library_thread_word(void) {
  return &thread_word;
}
