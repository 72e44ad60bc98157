/* SPDX-License-Identifier: MIT */
#include "front/interpose_aio.h"

#include "base/platform.h"
#include "front/interpose_park.h"
#include "gc/runtime.h"
#include "world/held_requests.h"
#include "world/held_signals.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <string.h>
#include <sys/syscall.h>

/* False if the kernel could not read it either.  Where we may not ask, it is taken to be readable. */
static bool
read_memory(void *to, uintptr_t from, size_t bytes) {
  ssize_t result = platform_read_memory(to, from, bytes);
  if (result >= 0 || result == -EFAULT)
    return result == (ssize_t)bytes;
  memcpy(to, (const void *)from, bytes);
  return true;
}

/* The nth request of a list as the kernel will see it; false if it cannot be read, or holds no pointer of ours. */
static bool
find_request(long context, long list, long n, struct held_request *request) {
  struct iocb *at, block;
  if (!read_memory(&at, (uintptr_t)list + (uintptr_t)n * sizeof at, sizeof at) ||
      !read_memory(&block, (uintptr_t)at, sizeof block))
    return false;
  *request = (struct held_request){(uintptr_t)context, (uintptr_t)at, block.aio_data};
  return held_signals_concern(request->request) || held_signals_concern(request->data);
}

static void
forget_requests(long context, long list, long from, long to) {
  struct held_request request;
  for (long n = from; n < to; n++)
    if (find_request(context, list, n, &request))
      held_requests_remove(&request);
}

/* Noted before, as they may be done before the call returns. */
long
interpose_io_submit(long context, long count, long list) {
  struct held_request request;
  long noted = 0;
  for (; noted < count && runtime_prepare(); noted++)
    if (find_request(context, list, noted, &request) && !held_requests_add(&request))
      break;
  if (noted < count && count > 0) {
    forget_requests(context, list, 0, noted);
    errno = EAGAIN;   /* as when the kernel has no memory for them */
    return -1;
  }
  long submitted = interpose_parked_syscall(SYS_io_submit, context, count, list, 0, 0, 0);
  forget_requests(context, list, submitted > 0 ? submitted : 0, count);
  return submitted;
}

static void
got_events(long context, long count, long events) {
  const struct io_event *event = (const struct io_event *)events;
  for (long n = 0; n < count; n++)
    held_requests_remove(&(struct held_request){(uintptr_t)context, event[n].obj, event[n].data});
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
    held_requests_remove_context((uintptr_t)context);
  return result;
}
