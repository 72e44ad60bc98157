/* SPDX-License-Identifier: MIT */
/*
 * Every system call, each once.
 *
 * Common to all: errno is not touched, nothing is allocated or locked, and all
 * are async-signal-safe.  "Returns 0 or an errno code" means a positive code.
 * Addresses and sizes of memory are multiples of ARCH_PAGE_BYTES unless said otherwise.
 */
#ifndef CGC_BASE_PLATFORM_H
#define CGC_BASE_PLATFORM_H

#include "base/atom.h"

#include <signal.h>
#include <sys/types.h>

/* ---- memory ---- */

/* Maps zeroed private memory at exactly this address, where nothing is mapped yet.
 * Returns 0; EEXIST if something is there; ENOMEM.  mmap(2). */
int platform_map(uintptr_t addr, size_t bytes);

/* Takes such a mapping back. */
void platform_unmap(uintptr_t addr, size_t bytes);

/* Gives pages back; they read as zero afterwards.  Returns 0 or an errno code.  madvise(2). */
int platform_discard(uintptr_t addr, size_t bytes);

/* Makes memory read as zero in a child process that gets a copy of it.
 * Returns 0 or an errno code.  madvise(2), Linux 4.14. */
int platform_wipe_on_fork(uintptr_t addr, size_t bytes);

/* Asks for huge pages where these addresses cover whole ones; the system need not grant them.  madvise(2). */
void platform_prefer_huge_pages(uintptr_t addr, size_t bytes);

/* Copies memory of this process that may be unmapped or unreadable; any address and size.
 * Returns the bytes copied from the start, which may be fewer, or a negative
 * errno code: -EFAULT for unreadable memory.  process_vm_readv(2). */
ssize_t platform_read_memory(void *to, uintptr_t from, size_t bytes);

/* The same for what the program passes to a system call: false if the kernel could not read it all either.  Where we
 * may not ask, it is taken to be readable. */
bool platform_read_argument(void *to, uintptr_t from, size_t bytes);

/* A range of pages of one kind, as the kernel reports it. */
struct platform_page_range {
  uint64_t start_addr;
  uint64_t end_addr;
  uint64_t categories;
};

/* Lists pages of [*start_addr, end_addr) that belong to this process alone (anonymous or
 * copied on write) and hold data.  Moves *start_addr to where the walk stopped.
 * Returns the number of ranges or a negative errno code.  ioctl PAGEMAP_SCAN, Linux 6.7. */
ssize_t platform_scan_private_pages(int pagemap_fd, uint64_t *start_addr, uint64_t end_addr,
                                    struct platform_page_range *ranges, size_t range_count);

/* A mapping of memory that may be shared with other processes.  Its file's name ends with a 0 and is "" if it is too
 * long. */
struct platform_shared_mapping {
  uintptr_t start_addr;
  uintptr_t end_addr;
  char      name[256];
};

/* The first such mapping at addr or above, by a descriptor of the process's maps.  Returns 0; ENOENT if there is none; or
 * another errno code.  ioctl PROCMAP_QUERY, Linux 6.11. */
int platform_find_shared_mapping(int maps_fd, uintptr_t addr, struct platform_shared_mapping *mapping);

/* A descriptor with which pages are watched for writes, or a negative errno code.  userfaultfd(2) with WP_ASYNC,
 * Linux 6.7. */
int platform_open_watch(void);

/* Watches a range: what is written from now on, and all of it until it has been collected once, counts as written.
 * Again: no effect.  Returns 0 or an errno code: EBUSY if somebody else watches it. */
int platform_watch(int watch_fd, uint64_t start_addr, uint64_t end_addr);

/* Ends that; closing the descriptor does so for all, for which the address space is locked as a whole. */
void platform_unwatch(int watch_fd, uint64_t start_addr, uint64_t end_addr);

/* Lists pages of [*start_addr, end_addr), no more than pages_max (0: all), that were written since they were collected
 * last, and collects them: reads that come after this call see what was written before.  Moves *start_addr to where
 * the walk stopped.  Returns the number of ranges or a negative errno code: -EPERM if not all of it is watched; then
 * some may have been collected. */
ssize_t platform_collect_written(int pagemap_fd, uint64_t *start_addr, uint64_t end_addr, size_t pages_max,
                                 struct platform_page_range *ranges, size_t range_count);

/* Lists such pages and leaves them as they are, written; likewise. */
ssize_t platform_list_written(int pagemap_fd, uint64_t *start_addr, uint64_t end_addr,
                              struct platform_page_range *ranges, size_t range_count);

/* ---- files ---- */

int     platform_open_read(const char *path);     /* descriptor or negative errno code */
int     platform_open_append(const char *path);   /* creates it; likewise */
int     platform_copy_descriptor_of_main_thread(int fd);   /* for a thread that has none of them; likewise */
void    platform_close(int fd);
ssize_t platform_read(int fd, void *buffer, size_t bytes);
ssize_t platform_read_at(int fd, void *buffer, size_t bytes, uint64_t offset_bytes);
int     platform_write(int fd, const char *buffer, size_t bytes);   /* all of it: 0 or an errno code */

/* Keeps what a descriptor that can be polled stands for when that is closed, until the process ends or lets go: a request
 * to poll it refers to it, which nothing is to answer.  *holder is 0 before the first of them, up to
 * PLATFORM_HELD_FILES_MAX: so many of the requests that the system allows to all processes, 65,536 as a rule, are this
 * one's.  0 or an errno code: EAGAIN if there are more, or if the system's are in use.  A forked child holds nothing.
 * io_submit(2). */
enum { PLATFORM_HELD_FILES_MAX = CGC_CONFIG_HOSTILE ? 3 : 12 };
int  platform_hold_file(int fd, uint64_t *holder);

/* Lets go of all of them.  The kernel takes tens of ms for it. */
void platform_let_go_of_files(uint64_t holder);

/* Entries of a directory as getdents64(2) gives them: bytes, 0 at the end, or a negative code. */
ssize_t platform_list_directory(int fd, void *buffer, size_t bytes);

/* The kernel's own kinds of descriptors (epoll, eventfd, io_uring, ...) belong to no file system.  True as well if the
 * system does not tell.  fstat(2). */
bool platform_is_anonymous(int fd);

/* What a symbolic link contains, without a 0 at its end: bytes or a negative errno code.  readlink(2). */
ssize_t platform_read_link(const char *path, char *buffer, size_t bytes);

/* Gives the calling thread a table of descriptors of its own, without any: it opens none then in the program's, which
 * relies on the lowest number.  On the way there the kernel copies the first of the program's, so no other thread may
 * close one meanwhile: its file would stay open for as long.  0 or an errno code.  close_range(2), Linux 5.9. */
int platform_forget_descriptors(void);

/* ---- processes and threads ---- */

int  platform_process_id(void);
int  platform_thread_id(void);
int  platform_user_id(void);   /* the real one */
bool platform_thread_exists(int tid);   /* true if the system does not tell */
void platform_yield(void);

/* Has every running thread of the process execute a memory barrier.  0 or an errno code.  membarrier(2). */
int platform_barrier_all_threads(void);
void platform_sleep(uint64_t ns);   /* about; shorter if a signal comes */
uint64_t platform_thread_cpu_ns(void);   /* of processor time of the calling thread */
unsigned platform_cpu_count(void);   /* CPUs that this thread may run on, at least 1 */

/* Runs function(arg) on a thread unknown to libc, with all signals blocked and with that thread control block, or
 * none of its own (NULL).  It may use no libc function that needs thread-local data.  *tid becomes 0, with a futex
 * wake, when it has ended.
 * Returns 0 or an errno code.  clone(2). */
int platform_start_helper(void (*function)(void *), void *arg, void *stack_top, void *block, atom_int *tid);

/* A thread that waits for the CPU that the caller runs on goes over to another one that the caller may run on too, if
 * there is any.  sched_setaffinity(2), without effect on what the thread may do afterwards. */
void platform_leave_this_cpu_to_caller(int tid);

/* Whether a filter of system calls is in force.  prctl(2). */
bool platform_has_filter(void);

/* Whether a process survives that system call, made with arguments that make it fail.  True if no child can be made to
 * find out.  clone(2). */
bool platform_survives(long number);

/* The calling thread runs as most do, whatever the one that made it has asked for. */
void platform_schedule_normally(void);

/* Sleeps while *at == value, at most timeout_ns (UINT64_MAX: no limit).  May return early. */
void platform_futex_wait(atom_int *at, unsigned value, uint64_t timeout_ns);
void platform_futex_wake(atom_int *at, unsigned waiters_max);

/* ---- signals ---- */

/* libc keeps two real-time signals to itself, for cancellation, and for setuid(2) and its like, which wait until every
 * thread has taken it. */
enum { PLATFORM_SIGNAL_MAX = 64, PLATFORM_LIBC_CANCEL = 32, PLATFORM_LIBC_SETXID = 33, PLATFORM_REAL_TIME_MIN = 34 };

/* The signal's bit in a mask; 0 for no signal. */
CGC_INLINE uint64_t
platform_signal_bit(int signal) {
  return signal ? (uint64_t)1 << (signal - 1) : 0;
}

/* Signals that the kernel raises for what a thread does.  It ends a process that blocks one. */
#define PLATFORM_FAULTS                                                                        \
  (platform_signal_bit(SIGSEGV) | platform_signal_bit(SIGBUS) | platform_signal_bit(SIGILL) |  \
   platform_signal_bit(SIGFPE) | platform_signal_bit(SIGTRAP) | platform_signal_bit(SIGSYS))

typedef void platform_handler(int signal, siginfo_t *info, void *context);

/* What a signal does: handler is an address, 0 for the default, 1 if it is ignored. */
struct platform_action {
  uintptr_t handler;
  uint64_t  flags;   /* SA_ and the kernel's own */
  uint64_t  mask;
};

/* Sets it unless NULL, tells what was before unless NULL.  0 or an errno code.  sigaction(2). */
int platform_signal_action(int signal, const struct platform_action *action, struct platform_action *before);

/* Installs a handler that restarts system calls, uses the alternate stack if there is one and it is to, and blocks
 * every signal but those that libc needs.  0 or an errno code. */
int platform_set_handler(int signal, platform_handler *handler, bool uses_alternate_stack);

/* The handler in place for a signal. */
uintptr_t platform_handler_of(int signal);

/* Queues a signal with a pointer to one thread.  0, EAGAIN (queue full), ESRCH (thread gone). */
int platform_send_signal(int tid, int signal, void *value);

/* Queues a signal that has been taken once more, to one thread of this process or to all (tid 0).
 * 0 or EAGAIN (queue full). */
int platform_resend_signal(int tid, int signal, const siginfo_t *info);

/* Changes this thread's mask (SIG_BLOCK, ...) unless set is NULL; the mask before unless that is.
 * 0 or EINVAL.  sigprocmask(2). */
int platform_signal_mask(int how, const uint64_t *set, uint64_t *before);

/* Blocks all signals but the faults for this thread; returns the mask before. */
uint64_t platform_block_signals(void);
void     platform_restore_signals(uint64_t mask);

/* From now on no thread unblocks these signals by way of the three functions above. */
void platform_keep_blocked(uint64_t set);

/* The blocked signals that wait for this thread or the process; 0 if the system does not tell.  sigpending(2). */
uint64_t platform_pending_signals(void);

/* Takes one of these blocked signals, rather one that is for this thread than one for the process.  0 or an errno
 * code: EAGAIN if none is pending.  sigtimedwait(2) without waiting. */
int platform_take_pending(uint64_t set);

/* This thread's alternate signal stack, all 0 if there is none; and how much of one a signal takes before its handler
 * begins. */
struct platform_signal_stack {
  uintptr_t addr;
  size_t    bytes;
};

struct platform_signal_stack platform_alternate_stack(void);
size_t platform_signal_frame_bytes(void);

/* A descriptor or a negative errno code.  signalfd(2). */
int platform_signalfd(int fd, uint64_t set, int flags);

/* Ends the process by the signal's default action. */
_Noreturn void platform_die_of(int signal);

/* ---- time, start ---- */

uint64_t platform_now_ns(void);          /* CLOCK_MONOTONIC */
uint64_t platform_now_coarse_ns(void);   /* the same clock, a few ms behind, cheaper */
uint32_t platform_now_second(void);      /* of the calendar, which may be set; wraps; cheapest */
uint64_t platform_random_seed(void);     /* of this process; constant */
bool     platform_is_secure(void);       /* set-user-ID: the environment is not to be trusted */

/* The value of NAME in the environment that the process was started with, or NULL.
 * Works before libc is initialised. */
const char *platform_environment(const char *name);

/* Highest address of the main thread's stack that the program uses. */
uintptr_t platform_main_stack_end(void);

/* It is not longer than that, so that what is further away lies elsewhere. */
#define MAIN_STACK_BYTES_MAX ((size_t)128 << 20)

#endif
