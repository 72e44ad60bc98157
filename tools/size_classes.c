/* SPDX-License-Identifier: MIT */
/*
 * Prints lib/heap/size_class_table.h: the size classes of Go's allocator
 * (runtime/sizeclasses.go, since 1.5), derived anew.
 *
 * Two passes.  First, sizes grow by a step that follows the size (at most one
 * eighth of it), each with the smallest span whose tail is at most an eighth; a
 * size with as many slots on as many pages as the one before replaces it.
 * Second, each size grows to what its span really has for a slot, in steps of 128.
 *
 * Our own:
 *
 * - A span is as many of Go's side by side as make 512 slots, within 64 KiB: what a program makes in one go and
 *   walks through later lies together (Lua takes a tenth less time), and a thread looks for free slots less often.
 * - A block of more than 8 bytes is aligned to 16: the lookup tables skip sizes that are not multiples
 *   of 16, but for the smallest.
 * - A request of at most 128 bytes gets a slot that is larger by at least a byte, so that a pointer just past
 *   its end still points into it.  Programs keep such a pointer alone where a header has no elements
 *   behind it.  It costs no more than the word that libc's malloc puts before each block.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum {
  PAGE_BYTES = 8192, SIZE_MAX_BYTES = 32768, ALIGN_MIN_BYTES = 8, LARGE_STEP_BYTES = 128,
  SMALL_MAX_BYTES = 1024, PADDED_MAX_BYTES = 128, CLASS_MAX = 100, SLOTS_WANTED = 512,
  SPAN_MAX_BYTES = 65536,
};

struct size_class {
  unsigned slot_bytes, span_bytes;
};

static struct size_class classes[CLASS_MAX];   /* [0] stands for large blocks */
static unsigned class_count = 1;

static unsigned
step_after(unsigned size, unsigned step) {
  if (size & (size - 1))
    return step;
  if (size >= 2048)
    return 256;
  if (size >= 128)
    return size / 8;
  return size >= 32 ? 16 : step;
}

static unsigned
span_bytes_for(unsigned size) {
  unsigned bytes = PAGE_BYTES;
  while (bytes % size > bytes / 8)
    bytes += PAGE_BYTES;
  return bytes;
}

static void
add_class(unsigned size) {
  struct size_class *last = &classes[class_count - 1];
  unsigned span = span_bytes_for(size);
  int replaces = class_count > 1 && span == last->span_bytes && span / size == span / last->slot_bytes;
  if (!replaces)
    last = &classes[class_count++];
  *last = (struct size_class){size, span};
}

static void
make_classes(void) {
  unsigned step = ALIGN_MIN_BYTES;
  for (unsigned size = step; size <= SIZE_MAX_BYTES; size += step) {
    step = step_after(size, step);
    add_class(size);
  }
  for (unsigned i = 1; i < class_count; i++) {
    unsigned slots = classes[i].span_bytes / classes[i].slot_bytes;
    unsigned grown = classes[i].span_bytes / slots / LARGE_STEP_BYTES * LARGE_STEP_BYTES;
    if (grown > classes[i].slot_bytes)
      classes[i].slot_bytes = grown;
  }
}

static uint32_t
magic_of(unsigned size) {
  return (uint32_t)((((uint64_t)1 << 32) + size - 1) / size);
}

/* Of our spans, in Go's. */
static unsigned
spans_joined(const struct size_class *c) {
  unsigned slots = c->span_bytes / c->slot_bytes;
  unsigned wanted = (SLOTS_WANTED + slots - 1) / slots, fit = SPAN_MAX_BYTES / c->span_bytes;
  return wanted < fit ? wanted : fit ? fit : 1;
}

/* The multiplication must give the true quotient for every offset in a span. */
static void
check_magic(const struct size_class *c) {
  for (uint64_t n = 0; n <= c->span_bytes * spans_joined(c); n++)
    if (n * magic_of(c->slot_bytes) >> 32 != n / c->slot_bytes) {
      fprintf(stderr, "no 32-bit reciprocal for %u\n", c->slot_bytes);
      exit(1);
    }
}

static unsigned
class_for(unsigned bytes) {
  unsigned i = 1;
  while (classes[i].slot_bytes < bytes || (bytes > 8 && classes[i].slot_bytes % 16))
    i++;
  return i;
}

static void
print_lookup(const char *name, unsigned first, unsigned last, unsigned step) {
  printf("\nstatic const uint8_t %s[%u] = {", name, (last - first) / step + 1);
  for (unsigned n = first, i = 0; n <= last; n += step, i++)
    printf("%s%u,", i % 20 ? " " : "\n  ", class_for(n + (n <= PADDED_MAX_BYTES)));
  printf("\n};\n");
}

static void
print_row(const struct size_class *c) {
  unsigned bytes = c->span_bytes * spans_joined(c);
  printf("  {%u, %u, %u, %u, %uu},\n", c->slot_bytes, bytes / PAGE_BYTES, bytes / c->slot_bytes,
         c->span_bytes / PAGE_BYTES, magic_of(c->slot_bytes));
}

int
main(void) {
  make_classes();
  printf("/* SPDX-License-Identifier: MIT */\n/* Made by tools/size_classes.c; do not edit. */\n\n"
         "#define SIZE_CLASS_COUNT        %u   /* with 0, large blocks */\n"
         "#define SIZE_CLASS_PADDED_BYTES %u  /* requests up to this never fill their slot */\n\n"
         "/* slot bytes, pages, slots, pages of the span in Go, ceil(2^32 / slot bytes) */\n"
         "static const struct cgc_size_class size_class_rows[SIZE_CLASS_COUNT] = {\n  {0, 0, 0, 0, 0},\n",
         class_count, PADDED_MAX_BYTES);
  for (unsigned i = 1; i < class_count; i++) {
    check_magic(&classes[i]);
    print_row(&classes[i]);
  }
  printf("};\n\n/* [bytes], up to %u bytes */", SMALL_MAX_BYTES);
  print_lookup("size_class_small", 0, SMALL_MAX_BYTES, 1);
  printf("\n/* [(bytes - %u + 127) / 128], above that up to %u bytes */", SMALL_MAX_BYTES, SIZE_MAX_BYTES);
  print_lookup("size_class_medium", SMALL_MAX_BYTES, SIZE_MAX_BYTES, LARGE_STEP_BYTES);
  return 0;
}
