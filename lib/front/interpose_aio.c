/* SPDX-License-Identifier: MIT */
#include "front/interpose_aio.h"

#include "base/hull.h"
#include "base/platform.h"
#include "front/interpose_park.h"
#include "gc/runtime.h"
#include "world/held_words.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <sys/syscall.h>

/* Others need not be noted. */
static bool
holds_pointer(const struct held_words *request) {
  return hull_has_tagged(request->words[0]) || hull_has_tagged(request->words[1]);
}

/* The nth request of a list as the kernel will see it; false if it cannot be read, or holds no pointer of ours. */
static bool
find_request(long context, long list, long n, struct held_words *request) {
  struct iocb *at, block;
  if (!platform_read_argument(&at, (uintptr_t)list + (uintptr_t)n * sizeof at, sizeof at) ||
      !platform_read_argument(&block, (uintptr_t)at, sizeof block))
    return false;
  *request = (struct held_words){(uintptr_t)context, {(uintptr_t)at, block.aio_data}};
  return holds_pointer(request);
}

static void
forget_requests(long context, long list, long from, long to) {
  struct held_words request;
  for (long n = from; n < to; n++)
    if (find_request(context, list, n, &request))
      held_words_remove(&request);
}

/* Before they are submitted, as they may be done before that call returns.  False if there is no memory. */
static bool
note_requests(long context, long list, long count) {
  struct held_words request;
  for (long n = 0; n < count; n++)
    if (find_request(context, list, n, &request) && !held_words_add(&request)) {
      forget_requests(context, list, 0, n);
      return false;
    }
  return true;
}

/* False if they cannot be noted: that is as when the kernel has no memory for them. */
static bool
may_submit(long context, long list, long count) {
  return runtime_prepare() && note_requests(context, list, count);
}

static void
submitted_some(long context, long list, long submitted, long count) {
  forget_requests(context, list, submitted > 0 ? submitted : 0, count);
}

static void
got_events(long context, long count, long events) {
  const struct io_event *event = (const struct io_event *)events;
  for (long n = 0; n < count; n++) {
    struct held_words request = {(uintptr_t)context, {event[n].obj, event[n].data}};
    if (holds_pointer(&request))
      held_words_remove(&request);
  }
}

/* ---- libc's syscall ---- */

long
interpose_io_submit(long context, long count, long list) {
  if (!may_submit(context, list, count)) {
    errno = EAGAIN;
    return -1;
  }
  long submitted = interpose_parked_syscall(SYS_io_submit, context, count, list, 0, 0, 0);
  submitted_some(context, list, submitted, count);
  return submitted;
}

long
interpose_io_getevents(long number, long context, long min, long max, long events, long timeout, long f) {
  long count = interpose_parked_syscall(number, context, min, max, events, timeout, f);
  got_events(context, count, events);
  return count;
}

long
interpose_io_cancel(long context, long request, long event) {
  long result = interpose_parked_syscall(SYS_io_cancel, context, request, event, 0, 0, 0);
  if (result == 0)
    got_events(context, 1, event);
  return result;
}

long
interpose_io_destroy(long context) {
  long result = interpose_parked_syscall(SYS_io_destroy, context, 0, 0, 0, 0, 0);
  if (result == 0)
    held_words_remove_all((uintptr_t)context);
  return result;
}

/* ---- libaio, whose functions return negative errno codes ---- */

CGC_EXPORT interpose_io_submit_function io_submit;
CGC_EXPORT interpose_io_getevents_function io_getevents;
CGC_EXPORT interpose_io_pgetevents_function io_pgetevents;
CGC_EXPORT interpose_io_cancel_function io_cancel;
CGC_EXPORT interpose_io_destroy_function io_destroy;

int
io_submit(long context, long count, long list) {
  if (!may_submit(context, list, count))
    return -EAGAIN;
  int submitted = interpose_parked_io_submit(context, count, list);
  submitted_some(context, list, submitted, count);
  return submitted;
}

int
io_getevents(long context, long min, long max, long events, long timeout) {
  int count = interpose_parked_io_getevents(context, min, max, events, timeout);
  got_events(context, count, events);
  return count;
}

int
io_pgetevents(long context, long min, long max, long events, long timeout, long signals) {
  int count = interpose_parked_io_pgetevents(context, min, max, events, timeout, signals);
  got_events(context, count, events);
  return count;
}

int
io_cancel(long context, long request, long event) {
  int result = interpose_parked_io_cancel(context, request, event);
  if (result == 0)
    got_events(context, 1, event);
  return result;
}

int
io_destroy(long context) {
  int result = interpose_parked_io_destroy(context);
  if (result == 0)
    held_words_remove_all((uintptr_t)context);
  return result;
}
