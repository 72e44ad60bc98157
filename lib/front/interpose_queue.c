/* SPDX-License-Identifier: MIT */
/* Values that wait in the kernel until a signal is taken (world/held_signals.h). */
#include "base/hull.h"
#include "front/next.h"
#include "world/held_signals.h"

#include <errno.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>

/* ---- signals ---- */

typedef int process_function(pid_t, int, const union sigval);
typedef int thread_function(pthread_t, int, const union sigval);

static atom_word next_process, next_thread;

/* Early, as dlsym is not for signal handlers. */
__attribute__((constructor)) static void
init(void) {
  next_function(&next_process, "sigqueue");
  next_function(&next_thread, "pthread_sigqueue");
}

static int
send_to_process(uintptr_t process, int signal, union sigval value) {
  return ((process_function *)next_function(&next_process, "sigqueue"))((pid_t)process, signal, value);
}

static int
send_to_thread(uintptr_t thread, int signal, union sigval value) {
  return ((thread_function *)next_function(&next_thread, "pthread_sigqueue"))((pthread_t)thread, signal, value);
}

/* Async-signal-safe. */
static int
send_noted(int (*send)(uintptr_t, int, union sigval), uintptr_t destination, int signal, union sigval value) {
  uintptr_t word = (uintptr_t)value.sival_ptr;
  if (!hull_has_tagged(word))
    return send(destination, signal, value);
  if (!next_is_prepared_sig()) {
    int result = send(destination, signal, value);
    held_signals_lose(signal);
    return result;
  }
  uint64_t mask = held_signals_begin();
  int result = send(destination, signal, value);
  held_signals_end(mask, signal, destination, result == 0 ? word : 0);
  return result;
}

/* Those to other processes too, as a process can be named by any of its threads; what is not pending here is soon
 * dropped. */
CGC_EXPORT int
sigqueue(pid_t process, int signal, const union sigval value) {
  return send_noted(send_to_process, (uintptr_t)process, signal, value);
}

CGC_EXPORT int
pthread_sigqueue(pthread_t thread, int signal, const union sigval value) {
  return send_noted(send_to_thread, (uintptr_t)thread, signal, value);
}

/* ---- message queues ---- */

typedef int notify_function(mqd_t, const struct sigevent *);
typedef int close_function(mqd_t);

static void
set_noted(mqd_t queue, uintptr_t word) {
  if (next_is_prepared_sig())
    held_signals_set((int)queue, word);
}

/* The kernel forgets the value when it has sent the notification; we when the next one is set, or the queue is
 * closed. */
CGC_EXPORT int
mq_notify(mqd_t queue, const struct sigevent *event) {
  static atom_word next;
  uintptr_t word = event ? (uintptr_t)event->sigev_value.sival_ptr : 0;
  if (word && !(next_is_prepared_sig() && held_signals_reserve((int)queue))) {
    errno = ENOMEM;
    return -1;
  }
  int result = ((notify_function *)next_function(&next, "mq_notify"))(queue, event);
  if (result == 0)
    set_noted(queue, word);
  return result;
}

CGC_EXPORT int
mq_close(mqd_t queue) {
  static atom_word next;
  set_noted(queue, 0);
  return ((close_function *)next_function(&next, "mq_close"))(queue);
}
