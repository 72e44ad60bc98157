/* SPDX-License-Identifier: MIT */
#include "report/leak_join.h"

static uint64_t
key_of(const struct leak_group *group) {
  return (uint64_t)group->stack << 1 | group->is_cycle;
}

/* Where keys are equal, those of the list a come first. */
static struct leak_group *
merge(struct leak_group *a, struct leak_group *b) {
  struct leak_group *merged = NULL, **end = &merged;
  while (a && b) {
    struct leak_group **from = key_of(b) < key_of(a) ? &b : &a;
    *end = *from;
    end = &(*from)->next;
    *from = *end;
  }
  *end = a ? a : b;
  return merged;
}

/* The indirect ones as a list in the order of their keys, equal ones in the order of the array.  The lists lie in the
 * groups: there may be no memory left when leaks are told.  The depth is the logarithm of the count. */
static struct leak_group *
list_by_key(struct leak_group *groups, size_t count) {
  if (count > 1)
    return merge(list_by_key(groups, count / 2), list_by_key(groups + count / 2, count - count / 2));
  if (!count || groups->kind != LEAK_INDIRECT)
    return NULL;
  groups->next = NULL;
  return groups;
}

static void
take_over(struct leak_group *into, struct leak_group *from) {
  into->blocks += from->blocks;
  into->bytes += from->bytes;
  from->blocks = from->bytes = 0;
}

void
leak_join(struct leak_group *groups, size_t count) {
  struct leak_group *first = list_by_key(groups, count);
  for (struct leak_group *group = first; group; group = group->next)
    if (key_of(group) != key_of(first))
      first = group;
    else if (group != first)
      take_over(first, group);
}
