/* SPDX-License-Identifier: MIT */
/* Variables of the library that this program has copies of, when it is not position independent: both see the same ones. */
#include <gc/gc.h>

#include <stdio.h>

static int failures;

static void
expect(long value, long wanted, const char *what) {
  if (value == wanted)
    return;
  printf("%s is %ld, not %ld\n", what, value, wanted);
  failures++;
}

/* What the program writes the library reads, and the other way round. */
#define CHECK(variable, name, type, a, b)              \
  do {                                                 \
    variable = (type)(a);                              \
    expect((long)GC_get_##name(), a, "GC_get_" #name); \
    GC_set_##name((type)(b));                          \
    expect((long)variable, b, #variable);              \
  } while (0)

static void *
no_memory(size_t bytes) {
  (void)bytes;
  return NULL;
}

int
main(void) {
  GC_set_no_dls(0);
  CHECK(GC_finalize_on_demand, finalize_on_demand, int, 1, 0);
  CHECK(GC_java_finalization, java_finalization, int, 0, 1);
  CHECK(GC_dont_expand, dont_expand, int, 1, 0);
  CHECK(GC_dont_precollect, dont_precollect, int, 1, 0);
  CHECK(GC_no_dls, no_dls, int, 1, 0);
  CHECK(GC_full_freq, full_freq, int, 7, 19);
  CHECK(GC_max_retries, max_retries, GC_word, 5, 0);
  CHECK(GC_non_gc_bytes, non_gc_bytes, GC_word, 4096, 0);
  CHECK(GC_free_space_divisor, free_space_divisor, GC_word, 4, 3);
  CHECK(GC_time_limit, time_limit, unsigned long, 30, 999999);
  GC_INIT();
  GC_oom_fn = no_memory;
  expect(GC_get_oom_fn() == no_memory, 1, "GC_oom_fn");
  GC_word before = GC_gc_no;
  GC_gcollect();
  expect(GC_gc_no > before && GC_gc_no == GC_get_gc_no(), 1, "GC_gc_no");
  return failures != 0;
}
