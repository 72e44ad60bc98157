/* SPDX-License-Identifier: MIT */
#include "growth.h"

#include <stdlib.h>

enum { CHECKS_MIN = 3, NS_PER_S = 1000000000 };

/* The bytes of one stack; [i] belongs to the check of times_s[i]. */
struct series {
  const double *times_s;
  int64_t      *bytes;
  size_t        count;
};

static int
compare_sites(const void *a, const void *b) {
  const struct record_site *left = a, *right = b;
  if (left->stack != right->stack)
    return left->stack < right->stack ? -1 : 1;
  return (left->check > right->check) - (left->check < right->check);
}

/* ---- judging one series ---- */

static bool
rises_mostly(const struct series *series) {
  size_t rising = 0, steps = series->count - 1;
  for (size_t i = 0; i < steps; i++)
    rising += series->bytes[i + 1] > series->bytes[i];
  return rising * 3 >= steps * 2 && series->bytes[steps] > series->bytes[0];
}

static double
slope(const struct series *series) {
  double time_sum = 0, bytes_sum = 0, square_sum = 0, product_sum = 0, count = (double)series->count;
  for (size_t i = 0; i < series->count; i++) {
    time_sum += series->times_s[i];
    bytes_sum += (double)series->bytes[i];
  }
  for (size_t i = 0; i < series->count; i++) {
    double time_s = series->times_s[i] - time_sum / count;
    square_sum += time_s * time_s;
    product_sum += time_s * ((double)series->bytes[i] - bytes_sum / count);
  }
  return square_sum > 0 ? product_sum / square_sum : 0;
}

static void
judge(const struct image *image, struct record_stack *stack, const struct series *series, struct growths_found *found) {
  double bytes_per_second = slope(series);
  if (!rises_mostly(series) || bytes_per_second <= 0)
    return;
  struct growth_found *added = LIST_ADD(found);
  added->stack = stack;
  added->growth = (struct growth){.first_bytes = series->bytes[0], .last_bytes = series->bytes[series->count - 1],
                                  .checks = (int64_t)series->count, .bytes_per_second = bytes_per_second};
  *LIST_ADD(&added->growth.processes) = image->process;
}

/* ---- the series of an image ---- */

static bool
has_sites(const struct image *image, int64_t check) {
  LIST_EACH(site, &image->sites)
    if (site->check == check)
      return true;
  return false;
}

/* Checks made without sites=1 say nothing of them. */
static void
drop_checks_without_sites(struct image *image) {
  size_t kept = 0;
  LIST_EACH(check, &image->checks)
    if (has_sites(image, check->number))
      image->checks.items[kept++] = *check;
  image->checks.count = kept;
}

static size_t
index_of_check(const struct image *image, int64_t number) {
  size_t i = 0;
  while (i < image->checks.count && image->checks.items[i].number != number)
    i++;
  return i;
}

static const double *
times_of(const struct image *image) {
  double *times_s = memory_take(image->checks.count * sizeof *times_s);
  for (size_t i = 0; i < image->checks.count; i++)
    times_s[i] = (double)(image->checks.items[i].time_ns - image->checks.items[0].time_ns) / NS_PER_S;
  return times_s;
}

void
growth_find(struct image *image, struct growths_found *found) {
  drop_checks_without_sites(image);
  if (image->checks.count < CHECKS_MIN)
    return;
  const double *times_s = times_of(image);
  LIST_SORT(&image->sites, compare_sites);
  for (size_t i = 0; i < image->sites.count;) {
    int64_t id = image->sites.items[i].stack;
    struct record_stack *stack = record_find_stack(image, id);
    struct series series = {times_s, memory_take(image->checks.count * sizeof(int64_t)), image->checks.count};
    for (; i < image->sites.count && image->sites.items[i].stack == id; i++) {
      size_t check = index_of_check(image, image->sites.items[i].check);
      if (check < series.count)
        series.bytes[check] += image->sites.items[i].bytes;
    }
    if (stack)
      judge(image, stack, &series, found);
  }
}
