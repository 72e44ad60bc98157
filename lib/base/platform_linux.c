/* SPDX-License-Identifier: MIT */
#include "base/platform.h"

#include "base/arch_x86_64.h"
#include "base/fault.h"
#include "base/syscall_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#define CALL0(n)                call(n, 0, 0, 0, 0, 0, 0)
#define CALL1(n, a)             call(n, (long)(a), 0, 0, 0, 0, 0)
#define CALL2(n, a, b)          call(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define CALL3(n, a, b, c)       call(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define CALL4(n, a, b, c, d)    call(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define CALL5(n, a, b, c, d, e) \
  call(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define CALL6(n, a, b, c, d, e, f) \
  call(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

CGC_INLINE long
call(long number, long a, long b, long c, long d, long e, long f) {
  bool is_permitted = syscall_filter_permits(number, a, b, c, d, e, f);
  return CGC_LIKELY(is_permitted) ? arch_syscall(number, a, b, c, d, e, f) : -ENOSYS;
}

/* Present in newer kernel headers under other names. */
#define LINUX_MAP_FIXED_NOREPLACE 0x100000
#define LINUX_MADV_HUGEPAGE       14
#define LINUX_MADV_WIPEONFORK     18
#define LINUX_PAGEMAP_SCAN        0xC0606610UL
#define LINUX_PROCMAP_QUERY       0xC0686611UL
enum {
  LINUX_PAGE_IS_WRITTEN = 1 << 1,
  LINUX_PAGE_IS_FILE    = 1 << 2,
  LINUX_PAGE_IS_PRESENT = 1 << 3,
  LINUX_PAGE_IS_SWAPPED = 1 << 4,
  LINUX_PAGE_IS_PFNZERO = 1 << 5,
};

enum {
  LINUX_SCAN_WP_MATCHING   = 1 << 0,
  LINUX_SCAN_CHECK_WPASYNC = 1 << 1,
};
enum { LINUX_UFFD_USER_MODE_ONLY = 1 };
#define LINUX_UFFD_WP_UNPOPULATED ((uint64_t)1 << 13)
#define LINUX_UFFD_WP_ASYNC       ((uint64_t)1 << 15)

struct linux_pagemap_scan {
  uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
  uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
_Static_assert(sizeof(struct linux_pagemap_scan) == 96, "layout of the kernel's pm_scan_arg");

enum {
  LINUX_PROCMAP_SHARED  = 1 << 3,
  LINUX_PROCMAP_OR_NEXT = 1 << 4,
};

struct linux_procmap_query {
  uint64_t size, flags, addr;
  uint64_t start_addr, end_addr, vma_flags, page_bytes, offset, inode;
  uint32_t device_major, device_minor;
  uint32_t name_size, build_id_size;
  uint64_t name_addr, build_id_addr;
};
_Static_assert(sizeof(struct linux_procmap_query) == 104, "layout of the kernel's procmap_query");

struct linux_sigaction {
  uintptr_t handler;
  unsigned long flags;
  void (*restorer)(void);
  uint64_t mask;
};

/* ---- memory ---- */

int
platform_map(uintptr_t addr, size_t bytes) {
  if (fault_is_due(FAULT_MAP))
    return ENOMEM;
  long at = CALL6(SYS_mmap, addr, bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | LINUX_MAP_FIXED_NOREPLACE, -1, 0);
  if (at < 0 && at > -4096)
    return (int)-at;
  if ((uintptr_t)at == addr)
    return 0;
  CALL2(SYS_munmap, at, bytes);   /* a kernel before 4.17 took the address as a hint */
  return EEXIST;
}

void
platform_unmap(uintptr_t addr, size_t bytes) {
  CALL2(SYS_munmap, addr, bytes);
}

int
platform_discard(uintptr_t addr, size_t bytes) {
  if (fault_is_due(FAULT_DISCARD))
    return ENOMEM;
  return (int)-CALL3(SYS_madvise, addr, bytes, MADV_DONTNEED);
}

int
platform_wipe_on_fork(uintptr_t addr, size_t bytes) {
  if (fault_is_due(FAULT_WIPE))
    return EINVAL;
  return (int)-CALL3(SYS_madvise, addr, bytes, LINUX_MADV_WIPEONFORK);
}

void
platform_prefer_huge_pages(uintptr_t addr, size_t bytes) {
  CALL3(SYS_madvise, addr, bytes, LINUX_MADV_HUGEPAGE);
}

ssize_t
platform_read_memory(void *to, uintptr_t from, size_t bytes) {
  if (fault_is_due(FAULT_READ_MEMORY))
    return -EPERM;
  struct iovec local = {to, bytes}, remote = {(void *)from, bytes};
  return CALL6(SYS_process_vm_readv, platform_process_id(), &local, 1, &remote, 1, 0);
}

bool
platform_read_argument(void *to, uintptr_t from, size_t bytes) {
  ssize_t result = platform_read_memory(to, from, bytes);
  if (result >= 0 || result == -EFAULT)
    return result == (ssize_t)bytes;
  memcpy(to, (const void *)from, bytes);
  return true;
}

/* Adds the range and where to list what is found, as both uses have them. */
static ssize_t
scan_pages(int pagemap_fd, struct linux_pagemap_scan scan, uint64_t *start_addr, uint64_t end_addr,
           struct platform_page_range *ranges, size_t range_count) {
  scan.size = sizeof scan;
  scan.start = *start_addr;
  scan.end = end_addr;
  scan.vec = (uintptr_t)ranges;
  scan.vec_len = range_count;
  long found = CALL3(SYS_ioctl, pagemap_fd, LINUX_PAGEMAP_SCAN, &scan);
  if (found >= 0)
    *start_addr = scan.walk_end;
  return found;
}

ssize_t
platform_scan_private_pages(int pagemap_fd, uint64_t *start_addr, uint64_t end_addr,
                            struct platform_page_range *ranges, size_t range_count) {
  if (fault_is_due(FAULT_PAGE_SCAN))
    return -ENOTTY;
  struct linux_pagemap_scan scan = {
    .category_mask = LINUX_PAGE_IS_FILE | LINUX_PAGE_IS_PFNZERO,
    .category_inverted = LINUX_PAGE_IS_FILE | LINUX_PAGE_IS_PFNZERO,
    .category_anyof_mask = LINUX_PAGE_IS_PRESENT | LINUX_PAGE_IS_SWAPPED,
    .return_mask = LINUX_PAGE_IS_PRESENT,
  };
  return scan_pages(pagemap_fd, scan, start_addr, end_addr, ranges, range_count);
}

static int
query_shared_mapping(int maps_fd, uintptr_t addr, struct linux_procmap_query *query, char *name, uint32_t name_size) {
  *query = (struct linux_procmap_query){.size = sizeof *query,
                                        .flags = LINUX_PROCMAP_SHARED | LINUX_PROCMAP_OR_NEXT,
                                        .addr = addr,
                                        .name_size = name_size,
                                        .name_addr = (uintptr_t)name};
  return (int)-CALL3(SYS_ioctl, maps_fd, LINUX_PROCMAP_QUERY, query);
}

int
platform_find_shared_mapping(int maps_fd, uintptr_t addr, struct platform_shared_mapping *mapping) {
  struct linux_procmap_query query;
  if (fault_is_due(FAULT_MAPPING))
    return ENOTTY;
  mapping->name[0] = 0;
  int err = query_shared_mapping(maps_fd, addr, &query, mapping->name, sizeof mapping->name);
  if (err == ENAMETOOLONG)
    err = query_shared_mapping(maps_fd, addr, &query, NULL, 0);
  mapping->start_addr = query.start_addr;
  mapping->end_addr = query.end_addr;
  return err;
}

int
platform_open_watch(void) {
  struct uffdio_api api = {.api = UFFD_API, .features = LINUX_UFFD_WP_UNPOPULATED | LINUX_UFFD_WP_ASYNC};
  if (fault_is_due(FAULT_WATCH))
    return -ENOSYS;
  int fd = (int)CALL1(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | LINUX_UFFD_USER_MODE_ONLY);
  long err = fd < 0 ? 0 : CALL3(SYS_ioctl, fd, UFFDIO_API, &api);
  if (err)
    platform_close(fd);
  return err ? (int)err : fd;
}

int
platform_watch(int watch_fd, uint64_t start_addr, uint64_t end_addr) {
  struct uffdio_register range = {
    .range = {.start = start_addr, .len = end_addr - start_addr}, .mode = UFFDIO_REGISTER_MODE_WP};
  if (fault_is_due(FAULT_WATCH))
    return ENOMEM;
  return (int)-CALL3(SYS_ioctl, watch_fd, UFFDIO_REGISTER, &range);
}

void
platform_unwatch(int watch_fd, uint64_t start_addr, uint64_t end_addr) {
  struct uffdio_range range = {.start = start_addr, .len = end_addr - start_addr};
  CALL3(SYS_ioctl, watch_fd, UFFDIO_UNREGISTER, &range);
}

/* Without CHECK_WPASYNC a range that has lost its watch would read as clean, and without room for ranges kernels before
 * 6.17 crash. */
static ssize_t
scan_written(int pagemap_fd, struct linux_pagemap_scan scan, uint64_t *start_addr, uint64_t end_addr,
             struct platform_page_range *ranges, size_t range_count) {
  if (fault_is_due(FAULT_COLLECT))
    return -EPERM;
  scan.flags |= LINUX_SCAN_CHECK_WPASYNC;
  scan.category_mask = LINUX_PAGE_IS_WRITTEN;
  scan.return_mask = LINUX_PAGE_IS_WRITTEN;
  return scan_pages(pagemap_fd, scan, start_addr, end_addr, ranges, range_count);
}

ssize_t
platform_list_written(int pagemap_fd, uint64_t *start_addr, uint64_t end_addr,
                      struct platform_page_range *ranges, size_t range_count) {
  struct linux_pagemap_scan scan = {0};
  return scan_written(pagemap_fd, scan, start_addr, end_addr, ranges, range_count);
}

ssize_t
platform_collect_written(int pagemap_fd, uint64_t *start_addr, uint64_t end_addr,
                         size_t pages_max, struct platform_page_range *ranges, size_t range_count) {
  struct linux_pagemap_scan scan = {.flags = LINUX_SCAN_WP_MATCHING, .max_pages = pages_max};
  return scan_written(pagemap_fd, scan, start_addr, end_addr, ranges, range_count);
}

/* ---- files ---- */

int
platform_open_read(const char *path) {
  if (fault_is_due(FAULT_OPEN))
    return -EMFILE;
  return (int)CALL4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
}

int
platform_open_append(const char *path) {
  if (fault_is_due(FAULT_OPEN))
    return -EMFILE;
  return (int)CALL4(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

int
platform_copy_descriptor_of_main_thread(int fd) {
  enum { LINUX_SYS_pidfd_open = 434, LINUX_SYS_pidfd_getfd = 438 };
  int process = (int)CALL2(LINUX_SYS_pidfd_open, platform_process_id(), 0);
  if (process < 0)
    return process;
  int copy = (int)CALL3(LINUX_SYS_pidfd_getfd, process, fd, 0);
  platform_close(process);
  return copy;
}

void
platform_close(int fd) {
  CALL1(SYS_close, fd);
}

int
platform_hold_file(int fd, uint64_t *holder) {
  struct iocb request = {.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = (uint32_t)fd, .aio_buf = POLLIN};
  struct iocb *requests[] = {&request};
  if (fault_is_due(FAULT_HOLD))
    return EAGAIN;
  long err = *holder ? 0 : CALL2(SYS_io_setup, PLATFORM_HELD_FILES_MAX, holder);
  long count = err ? err : CALL3(SYS_io_submit, *holder, 1, requests);
  return count == 1 ? 0 : count < 0 ? (int)-count : EAGAIN;
}

void
platform_let_go_of_files(uint64_t holder) {
  CALL1(SYS_io_destroy, holder);
}

ssize_t
platform_read(int fd, void *buffer, size_t bytes) {
  if (fault_is_due(FAULT_READ))
    return -EIO;
  return CALL3(SYS_read, fd, buffer, bytes);
}

ssize_t
platform_read_at(int fd, void *buffer, size_t bytes, uint64_t offset_bytes) {
  if (fault_is_due(FAULT_READ))
    return -EIO;
  return CALL4(SYS_pread64, fd, buffer, bytes, offset_bytes);
}

int
platform_write(int fd, const char *buffer, size_t bytes) {
  while (bytes > 0) {
    long written = CALL3(SYS_write, fd, buffer, bytes);
    if (written == -EINTR)
      continue;
    if (written <= 0)
      return written ? (int)-written : EIO;
    buffer += written;
    bytes -= (size_t)written;
  }
  return 0;
}

ssize_t
platform_list_directory(int fd, void *buffer, size_t bytes) {
  if (fault_is_due(FAULT_LIST))
    return -EIO;
  return CALL3(SYS_getdents64, fd, buffer, bytes);
}

bool
platform_is_anonymous(int fd) {
  struct stat status;
  long err = CALL2(SYS_fstat, fd, &status);
  return err ? err != -EBADF : (status.st_mode & S_IFMT) == 0;
}

ssize_t
platform_read_link(const char *path, char *buffer, size_t bytes) {
  return CALL3(SYS_readlink, path, buffer, bytes);
}

int
platform_forget_descriptors(void) {
  enum { LINUX_SYS_close_range = 436, LINUX_CLOSE_RANGE_UNSHARE = 1 << 1 };
  if (fault_is_due(FAULT_CLOSE))
    return ENOSYS;
  return (int)-CALL3(LINUX_SYS_close_range, 0, UINT32_MAX, LINUX_CLOSE_RANGE_UNSHARE);
}

/* ---- processes and threads ---- */

int
platform_process_id(void) {
  return (int)CALL0(SYS_getpid);
}

int
platform_thread_id(void) {
  return (int)CALL0(SYS_gettid);
}

int
platform_user_id(void) {
  return (int)CALL0(SYS_getuid);
}

bool
platform_thread_exists(int tid) {
  return CALL3(SYS_tgkill, platform_process_id(), tid, 0) != -ESRCH;
}

/* A process registers its use; so does a forked child again. */
int
platform_barrier_all_threads(void) {
  enum { PRIVATE_EXPEDITED = 1 << 3, REGISTER_PRIVATE_EXPEDITED = 1 << 4 };
  if (fault_is_due(FAULT_MEMBARRIER))
    return ENOSYS;
  long err = CALL2(SYS_membarrier, PRIVATE_EXPEDITED, 0);
  if (err == -EPERM && CALL2(SYS_membarrier, REGISTER_PRIVATE_EXPEDITED, 0) == 0)
    err = CALL2(SYS_membarrier, PRIVATE_EXPEDITED, 0);
  return (int)-err;
}

void
platform_yield(void) {
  CALL0(SYS_sched_yield);
}

void
platform_sleep(uint64_t ns) {
  struct timespec time = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
  CALL2(SYS_nanosleep, &time, NULL);
}

enum { CPUS_MAX = 8192, CPUS_PER_WORD = 64 };

unsigned
platform_cpu_count(void) {
  unsigned long mask[CPUS_MAX / CPUS_PER_WORD];
  long bytes = CALL3(SYS_sched_getaffinity, 0, sizeof mask, mask);
  unsigned count = 0;
  for (long i = 0; i < bytes / (long)sizeof *mask; i++)
    count += count_bits(mask[i]);
  return count ? count : 1;
}

void
platform_leave_this_cpu_to_caller(int tid) {
  unsigned long all[CPUS_MAX / CPUS_PER_WORD] = {0}, others[CPUS_MAX / CPUS_PER_WORD];
  unsigned cpu;
  long bytes = CALL3(SYS_sched_getaffinity, 0, sizeof all, all);
  if (bytes <= 0 || CALL3(SYS_getcpu, &cpu, NULL, NULL) || cpu >= CPUS_MAX)
    return;
  memcpy(others, all, sizeof others);
  others[cpu / CPUS_PER_WORD] &= ~(1ul << cpu % CPUS_PER_WORD);
  if (!CALL3(SYS_sched_setaffinity, tid, bytes, others))
    CALL3(SYS_sched_setaffinity, tid, bytes, all);
}

int
platform_start_helper(void (*function)(void *), void *arg, void *stack_top, void *block, atom_int *tid) {
  if (fault_is_due(FAULT_CLONE) || !syscall_filter_permits(SYS_clone, ARCH_THREAD_FLAGS, 0, 0, 0, 0, 0))
    return EAGAIN;
  uint64_t all = UINT64_MAX, before;
  CALL4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
  long id = arch_clone_thread(function, arg, stack_top, block, (int *)tid);
  CALL4(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
  return id < 0 ? (int)-id : 0;
}

bool
platform_has_filter(void) {
  return CALL5(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_FILTER;
}

/* A copy of this process, and no core file of it.  With no signal at its end it is seen only by those who wait for such
 * children.  It shares the descriptors: what the program closes meanwhile is closed. */
bool
platform_survives(long number) {
  enum { NO_SIGNAL_AT_END = 0 };
  int status = 0;
  uint64_t mask = platform_block_signals();
  long id = CALL5(SYS_clone, CLONE_FILES | NO_SIGNAL_AT_END, NULL, NULL, NULL, NULL);
  if (id == 0) {
    CALL5(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    arch_syscall(number, -1, -1, -1, -1, -1, -1);
    CALL1(SYS_exit_group, 0);
  }
  while (id > 0 && CALL4(SYS_wait4, id, &status, __WALL, NULL) == -EINTR)
    ;
  platform_restore_signals(mask);
  return id < 0 || !WIFSIGNALED(status);
}

void
platform_schedule_normally(void) {
  struct sched_param none = {0};
  CALL3(SYS_sched_setscheduler, 0, SCHED_OTHER, &none);
}

/* Not a private futex: the kernel wakes the exit word of a helper as a shared one. */
void
platform_futex_wait(atom_int *at, unsigned value, uint64_t timeout_ns) {
  struct timespec timeout = {(time_t)(timeout_ns / 1000000000), (long)(timeout_ns % 1000000000)};
  CALL6(SYS_futex, at, FUTEX_WAIT, value, timeout_ns == UINT64_MAX ? NULL : &timeout, NULL, 0);
}

void
platform_futex_wake(atom_int *at, unsigned waiters_max) {
  CALL6(SYS_futex, at, FUTEX_WAKE, waiters_max, NULL, NULL, 0);
}

/* ---- signals ---- */

int
platform_signal_action(int signal, const struct platform_action *action, struct platform_action *before) {
  enum { LINUX_SA_RESTORER = 0x04000000 };
  struct linux_sigaction new = {.flags = LINUX_SA_RESTORER, .restorer = arch_signal_restorer}, old;
  if (action) {
    new.handler = action->handler;
    new.flags |= action->flags;
    new.mask = action->mask;
  }
  int err = (int)-CALL4(SYS_rt_sigaction, signal, action ? &new : NULL, &old, sizeof new.mask);
  if (!err && before)
    *before = (struct platform_action){old.handler, old.flags, old.mask};
  return err;
}

int
platform_set_handler(int signal, platform_handler *handler, bool uses_alternate_stack) {
  if (fault_is_due(FAULT_SIGACTION))
    return EINVAL;
  struct platform_action action = {
    .handler = (uintptr_t)handler,
    .flags = SA_SIGINFO | SA_RESTART | (uses_alternate_stack ? SA_ONSTACK : 0),
    .mask = ~(platform_signal_bit(PLATFORM_LIBC_CANCEL) | platform_signal_bit(PLATFORM_LIBC_SETXID) | PLATFORM_FAULTS),
  };
  return platform_signal_action(signal, &action, NULL);
}

uintptr_t
platform_handler_of(int signal) {
  struct platform_action action = {.handler = 0};
  platform_signal_action(signal, NULL, &action);
  return action.handler;
}

int
platform_send_signal(int tid, int signal, void *value) {
  if (fault_is_due(FAULT_SIGNAL))
    return EAGAIN;
  siginfo_t info;
  memset(&info, 0, sizeof info);
  info.si_signo = signal;
  info.si_code = SI_QUEUE;
  info.si_pid = platform_process_id();
  info.si_value.sival_ptr = value;
  return (int)-CALL4(SYS_rt_tgsigqueueinfo, info.si_pid, tid, signal, &info);
}

int
platform_resend_signal(int tid, int signal, const siginfo_t *info) {
  int process_id = platform_process_id();
  if (tid)
    return (int)-CALL4(SYS_rt_tgsigqueueinfo, process_id, tid, signal, info);
  return (int)-CALL3(SYS_rt_sigqueueinfo, process_id, signal, info);
}

static atom_word kept_blocked;   /* set of signals; only added to */

void
platform_keep_blocked(uint64_t set) {
  atom_or_full(&kept_blocked, set);
}

int
platform_signal_mask(int how, const uint64_t *set, uint64_t *before) {
  uint64_t kept = atom_load_rlx(&kept_blocked), with_kept = set ? *set : 0;
  if (how == SIG_SETMASK)
    with_kept |= kept;
  else if (how == SIG_UNBLOCK)
    with_kept &= ~kept;
  return (int)-CALL4(SYS_rt_sigprocmask, how, set ? &with_kept : NULL, before, sizeof *set);
}

uint64_t
platform_pending_signals(void) {
  uint64_t set = 0;
  CALL2(SYS_rt_sigpending, &set, sizeof set);
  return set;
}

int
platform_take_pending(uint64_t set) {
  const struct timespec now = {0};
  long signal = CALL4(SYS_rt_sigtimedwait, &set, NULL, &now, sizeof set);
  return signal < 0 ? (int)-signal : 0;
}

uint64_t
platform_block_signals(void) {
  uint64_t mask = ~PLATFORM_FAULTS, before = 0;
  platform_signal_mask(SIG_BLOCK, &mask, &before);
  return before;
}

void
platform_restore_signals(uint64_t mask) {
  platform_signal_mask(SIG_SETMASK, &mask, NULL);
}

int
platform_signalfd(int fd, uint64_t set, int flags) {
  return (int)CALL4(SYS_signalfd4, fd, &set, sizeof set, flags);
}

void
platform_die_of(int signal) {
  struct platform_action by_default = {.handler = 0};
  platform_signal_action(signal, &by_default, NULL);
  platform_restore_signals(0);
  CALL3(SYS_tgkill, platform_process_id(), platform_thread_id(), signal);
  for (;;)
    CALL1(SYS_exit_group, 127);
}

struct platform_signal_stack
platform_alternate_stack(void) {
  stack_t stack = {.ss_flags = SS_DISABLE};
  CALL2(SYS_sigaltstack, NULL, &stack);
  bool is_none = stack.ss_flags & SS_DISABLE;
  return is_none ? (struct platform_signal_stack){0} : (struct platform_signal_stack){(uintptr_t)stack.ss_sp, stack.ss_size};
}

/* Kernels that do not tell are older than the largest of the processor's registers. */
size_t
platform_signal_frame_bytes(void) {
  enum { UNTOLD_BYTES = 4096 };
  size_t bytes = getauxval(AT_MINSIGSTKSZ);
  return bytes ? bytes : UNTOLD_BYTES;
}

/* ---- time, start ---- */

static uint64_t
platform_clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);   /* the vDSO: no system call, no lock */
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t
platform_now_ns(void) {
  return platform_clock_ns(CLOCK_MONOTONIC);
}

uint64_t
platform_now_coarse_ns(void) {
  return platform_clock_ns(CLOCK_MONOTONIC_COARSE);
}

/* The vDSO again, where it is little more than a load. */
uint32_t
platform_now_second(void) {
  return (uint32_t)time(NULL);
}

uint64_t
platform_thread_cpu_ns(void) {
  return platform_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t
platform_random_seed(void) {
  const void *random = (const void *)getauxval(AT_RANDOM);
  uint64_t seed = 0x9e3779b97f4a7c15;
  if (random)
    memcpy(&seed, random, sizeof seed);
  return seed;
}

bool
platform_is_secure(void) {
  return getauxval(AT_SECURE) != 0;
}

/* ld.so sets this before any library runs: it points at argc on the first stack. */
extern void *__libc_stack_end;

const char *
platform_environment(const char *name) {
  uintptr_t *argc = __libc_stack_end;
  if (!argc)
    return NULL;
  size_t length = strlen(name);
  for (char **entry = (char **)(argc + 1 + *argc + 1); *entry; entry++)
    if (!strncmp(*entry, name, length) && (*entry)[length] == '=')
      return *entry + length + 1;
  return NULL;
}

uintptr_t
platform_main_stack_end(void) {
  return (uintptr_t)__libc_stack_end;
}
