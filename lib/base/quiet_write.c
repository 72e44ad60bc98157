/* SPDX-License-Identifier: MIT */
/*
 * Both signals are sent to the thread that writes.  They are blocked meanwhile, and what has come of a failed write is
 * taken back.  Other signals are not blocked: a pipe may be full for long.  (MSG_NOSIGNAL is for sockets alone,
 * RWF_NOSIGNAL is newer than most kernels, and a change of what the signal does would be seen by all threads.)
 */
#include "base/quiet_write.h"

#include "base/compiler.h"
#include "base/platform.h"
#include "base/syscall_probe.h"

#include <errno.h>

struct quiet {
  uint64_t blocked;   /* by this write */
  uint64_t pending;   /* before it */
};

/* What was not blocked was not pending either. */
static uint64_t
pending_of(uint64_t blocked_before) {
  if (!blocked_before)
    return 0;
  syscall_probe();
  return platform_pending_signals() & blocked_before;
}

static struct quiet
begin(void) {
  uint64_t both = platform_signal_bit(SIGPIPE) | platform_signal_bit(SIGXFSZ), mask = both;   /* if it is not told */
  platform_signal_mask(SIG_BLOCK, &both, &mask);
  return (struct quiet){.blocked = both & ~mask, .pending = pending_of(both & mask)};
}

/* The rest of the mask may be another by now: in our handler a thread goes over to another stop signal. */
static void
end(const struct quiet *quiet) {
  if (quiet->blocked)
    platform_signal_mask(SIG_UNBLOCK, &quiet->blocked, NULL);
}

/* A signal that was pending before has taken up the new one. */
static uint64_t
signal_of(const struct quiet *quiet, int err) {
  int signal = err == EPIPE ? SIGPIPE : err == EFBIG ? SIGXFSZ : 0;
  return platform_signal_bit(signal) & ~quiet->pending;
}

/* EAGAIN: the error came without it.  Any other code: it may not be taken, and would end the process as soon as it was
 * unblocked, here or where the caller restores a mask.  Rather a program that reads EPIPE where it would have died,
 * than one that dies of what it has not done; most often it is at its end anyway. */
CGC_COLD static void
take_back(uint64_t signal) {
  syscall_probe();
  int err = platform_take_pending(signal);
  if (err && err != EAGAIN)
    platform_keep_blocked(signal);
}

int
quiet_write(int fd, const char *buffer, size_t bytes) {
  struct quiet quiet = begin();
  int err = platform_write(fd, buffer, bytes);
  if (signal_of(&quiet, err))
    take_back(signal_of(&quiet, err));
  end(&quiet);
  return err;
}
