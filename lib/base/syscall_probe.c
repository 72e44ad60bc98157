/* SPDX-License-Identifier: MIT */
#include "base/syscall_probe.h"

#include "base/compiler.h"
#include "base/platform.h"
#include "base/syscall_filter.h"

#include <stdbool.h>

#include <sys/syscall.h>

/* Newer than some headers. */
enum { LINUX_SYS_pidfd_open = 434, LINUX_SYS_close_range = 436, LINUX_SYS_pidfd_getfd = 438 };

/* What a cycle needs, and what a message that cannot be written does; files, memory, signals' masks and futexes are
 * everybody's. */
static const long calls[] = {
  SYS_membarrier,        SYS_process_vm_readv,   SYS_userfaultfd,  LINUX_SYS_close_range, SYS_rt_tgsigqueueinfo,
  SYS_sched_getaffinity, SYS_sched_setscheduler, SYS_sched_yield,  SYS_readlink,          SYS_getdents64,
  SYS_pread64,           SYS_ioctl,              LINUX_SYS_pidfd_open,  LINUX_SYS_pidfd_getfd,
  SYS_io_setup,          SYS_io_submit,          SYS_io_destroy,   SYS_getcpu,            SYS_sched_setaffinity,
  SYS_rt_sigpending,     SYS_rt_sigtimedwait,
};

/* A filter of the program's own is known already, and may forbid the children. */
void
syscall_probe(void) {
  static bool is_done;
  if (is_done)
    return;
  is_done = true;
  if (syscall_filter_is_known() || !platform_has_filter())
    return;
  for (size_t i = 0; i < CGC_COUNT(calls); i++)
    if (!platform_survives(calls[i]))
      syscall_filter_forbid(calls[i]);
}
