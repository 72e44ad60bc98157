/* SPDX-License-Identifier: MIT */
/*
 * Calls that may block: the thread parks around them (world/park.h), so that a stop needs no signal.  Of these calls
 * some fail with EINTR after any signal, even under SA_RESTART, some return early or with less than they were
 * asked for (signal(7)); the others would be woken in vain.
 *
 * All go through one frame, which keeps the callee-saved registers and the arguments: the caller may have no other copy
 * of a pointer that it passed on.  Arguments are integers and pointers, seven at most.
 */
#include "base/arch_x86_64.h"
#include "front/interpose_aio.h"
#include "front/interpose_identity.h"
#include "front/interpose_park.h"
#include "front/interpose_seccomp.h"
#include "front/next.h"
#include "world/park.h"

#include <errno.h>
#include <stddef.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unwind.h>

/* X(name, version or NULL) */
#define PARKED_CALLS(X)                                                                                    \
  /* descriptors */                                                                                        \
  X(poll, 0) X(__poll_chk, 0) X(ppoll, 0) X(__ppoll_chk, 0) X(select, 0) X(pselect, 0) X(epoll_wait, 0)    \
  X(epoll_pwait, 0) X(epoll_pwait2, 0)                                                                     \
  /* time */                                                                                               \
  X(nanosleep, 0) X(clock_nanosleep, 0) X(usleep, 0) X(sleep, 0) X(thrd_sleep, 0)                          \
  /* threads */                                                                                            \
  X(sem_wait, 0) X(sem_timedwait, 0) X(sem_clockwait, 0) X(pthread_cond_wait, "GLIBC_2.3.2")               \
  X(pthread_cond_timedwait, "GLIBC_2.3.2") X(pthread_cond_clockwait, 0) X(cnd_wait, 0) X(cnd_timedwait, 0) \
  X(thrd_join, 0) X(pthread_barrier_wait, 0)                                                               \
  /* signals */                                                                                            \
  X(pause, 0) X(sigsuspend, 0)                                                                             \
  /* queues and semaphores */                                                                              \
  X(msgsnd, 0) X(msgrcv, 0) X(semop, 0) X(semtimedop, 0) X(mq_send, 0) X(mq_timedsend, 0) X(mq_receive, 0) \
  X(mq_timedreceive, 0) X(aio_suspend, 0) X(aio_suspend64, 0)                                              \
  /* sockets */                                                                                            \
  X(accept, 0) X(accept4, 0) X(connect, 0) X(recv, 0) X(__recv_chk, 0) X(recvfrom, 0) X(__recvfrom_chk, 0) \
  X(recvmsg, 0) X(recvmmsg, 0) X(send, 0) X(sendto, 0) X(sendmsg, 0) X(sendmmsg, 0)                        \
  /* files */                                                                                              \
  X(read, 0) X(__read_chk, 0) X(write, 0) X(readv, 0) X(writev, 0) X(sendfile, 0) X(sendfile64, 0)         \
  X(splice, 0) X(tee, 0) X(vmsplice, 0) X(getrandom, 0) X(flock, 0) X(lockf, 0) X(lockf64, 0) X(fcntl, 0)  \
  X(fcntl64, 0) X(tcdrain, 0)                                                                              \
  /* processes */                                                                                          \
  X(wait, 0) X(waitpid, 0) X(waitid, 0) X(wait3, 0) X(wait4, 0) X(pclose, 0)

struct parked_call {
  atom_word next;         /* libc's function; 0: not looked up yet */
  const char *name;
  const char *version;    /* NULL: the default */
};

#define HIDDEN __attribute__((visibility("hidden"), used))

/* ---- what the frame below calls ---- */

HIDDEN uintptr_t          interpose_park_find(struct parked_call *call);
HIDDEN struct cgc_thread *interpose_park_begin(uintptr_t stack_pointer);
HIDDEN void               interpose_park_begun(struct cgc_thread *thread);
HIDDEN void               interpose_park_end(struct cgc_thread *thread);
HIDDEN _Unwind_Reason_Code interpose_park_unwind(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                                                 struct _Unwind_Exception *exception, struct _Unwind_Context *context);

static long
missing(void) {
  errno = ENOSYS;
  return -1;
}

uintptr_t
interpose_park_find(struct parked_call *call) {
  uintptr_t next = (uintptr_t)next_function_of(&call->next, call->name, call->version);
  return CGC_LIKELY(next) ? next : (uintptr_t)missing;   /* in an older libc */
}

struct cgc_thread *
interpose_park_begin(uintptr_t stack_pointer) {
  return park_begin(stack_pointer);
}

/* The rest of park_begin, from the fence on. */
void
interpose_park_begun(struct cgc_thread *thread) {
  park_fence();
  if (stop_world_is_on())
    park_begin_slow(thread);
}

void
interpose_park_end(struct cgc_thread *thread) {
  park_end(thread);
}

/* A cancelled thread leaves the call by unwinding, and then runs the program's clean-ups. */
_Unwind_Reason_Code
interpose_park_unwind(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                      struct _Unwind_Exception *exception, struct _Unwind_Context *context) {
  (void)version, (void)class, (void)exception, (void)context;
  if (actions & _UA_CLEANUP_PHASE)
    park_break();
  return _URC_CONTINUE_UNWIND;
}

/* ---- the frame: rax points to a parked_call; the other registers and the stack are the caller's ---- */

#define IS_PARKED_OFFSET     13248
#define PARKED_STACK_OFFSET  13256
_Static_assert(offsetof(struct cgc_thread, cache) == 0, "as the frame has it");
_Static_assert(offsetof(struct cgc_thread, is_parked) == IS_PARKED_OFFSET, "as the frame has it");
_Static_assert(offsetof(struct cgc_thread, parked_stack_pointer) == PARKED_STACK_OFFSET, "as the frame has it");

#define TEXT_OF(x)  #x
#define TEXT(x)     TEXT_OF(x)

/*
 * park_begin and park_end (world/park.h) without calls, for they cost more than the rest; what is rare is left to
 * them.  The arguments stay in their registers.
 *
 *   rbx  libc's function               r13  offset of thread_cache_self in the thread's block
 *   r12  this thread, its cache first  r14  &thread_cache_parked
 */
__asm__(
  ".text\n"
  ".p2align 4\n"
  ".hidden interpose_park_call\n"
  ".type interpose_park_call, @function\n"
  "interpose_park_call:\n"
  "  .cfi_startproc\n"
  "  .cfi_personality 0x1b, interpose_park_unwind\n"   /* relative to the program counter */
  "  push %rbp\n  .cfi_def_cfa_offset 16\n  .cfi_offset %rbp, -16\n"
  "  mov %rsp, %rbp\n  .cfi_def_cfa_register %rbp\n"
  "  push %rbx\n  .cfi_offset %rbx, -24\n"
  "  push %r12\n  .cfi_offset %r12, -32\n"
  "  push %r13\n  .cfi_offset %r13, -40\n"
  "  push %r14\n  .cfi_offset %r14, -48\n"
  "  push %r15\n  .cfi_offset %r15, -56\n"
  "  push %rdi\n  push %rsi\n  push %rdx\n  push %rcx\n  push %r8\n  push %r9\n"
  "  push 16(%rbp)\n"   /* the seventh argument, if there is one; now the stack is aligned */
  "  mov (%rax), %rbx\n"
  "  mov thread_cache_self@gottpoff(%rip), %r13\n"
  "  lea thread_cache_parked(%rip), %r14\n"
  "  lea thread_cache_none(%rip), %r10\n"
  "  mov meta_sentinel(%rip), %r11\n"
  "  mov %fs:(%r13), %r12\n"
  "  test %rbx, %rbx\n  jz .Lpark_begin\n"     /* not looked up yet */
  "  cmp %r14, %r12\n  je .Lpark_begin\n"      /* in a handler that has interrupted a parked call */
  "  cmp %r10, %r12\n  je .Lpark_begin\n"      /* not registered */
  "  cmpl $0, (%r11)\n  je .Lpark_begin\n"     /* in a forked child */
  "  mov %rsp, " TEXT(PARKED_STACK_OFFSET) "(%r12)\n"
  "  mov %r14, %fs:(%r13)\n"
  "  movl $1, " TEXT(IS_PARKED_OFFSET) "(%r12)\n"
  "  cmpl $0, park_needs_fence(%rip)\n  jne .Lpark_begun\n"
  "  testb $1, stop_world_generation(%rip)\n  jne .Lpark_begun\n"
  ".Lpark_call:\n"
  "  xor %eax, %eax\n"   /* no vector arguments, for variadic functions */
  "  call *%rbx\n"
  "  test %r12, %r12\n  jz .Lpark_return\n"              /* it did not park */
  "  cmp %r14, %fs:(%r13)\n  jne .Lpark_return\n"        /* its parking has ended meanwhile */
  "  movl $0, " TEXT(IS_PARKED_OFFSET) "(%r12)\n"
  "  cmpl $0, park_needs_fence(%rip)\n  jne .Lpark_end\n"
  "  testb $1, stop_world_generation(%rip)\n  jne .Lpark_end\n"
  "  mov %r12, %fs:(%r13)\n"
  ".Lpark_return:\n"
  "  mov -8(%rbp), %rbx\n  mov -16(%rbp), %r12\n  mov -24(%rbp), %r13\n  mov -32(%rbp), %r14\n"
  "  leave\n"
  "  .cfi_remember_state\n  .cfi_def_cfa %rsp, 8\n"
  "  ret\n"
  "  .cfi_restore_state\n"
  ".Lpark_begin:\n"
  "  mov %rax, %rdi\n"
  "  call interpose_park_find\n"
  "  mov %rax, %rbx\n"
  "  mov %rsp, %rdi\n"
  "  call interpose_park_begin\n"
  "  mov %rax, %r12\n"
  "  jmp .Lpark_reload\n"
  ".Lpark_begun:\n"
  "  mov %r12, %rdi\n"
  "  call interpose_park_begun\n"
  ".Lpark_reload:\n"
  "  mov 8(%rsp), %r9\n  mov 16(%rsp), %r8\n  mov 24(%rsp), %rcx\n"
  "  mov 32(%rsp), %rdx\n  mov 40(%rsp), %rsi\n  mov 48(%rsp), %rdi\n"
  "  jmp .Lpark_call\n"
  ".Lpark_end:\n"
  "  mov %rax, %rbx\n"
  "  mov %r12, %rdi\n"
  "  call interpose_park_end\n"
  "  mov %rbx, %rax\n"
  "  jmp .Lpark_return\n"
  "  .cfi_endproc\n"
  ".size interpose_park_call, . - interpose_park_call\n");

/* ---- the functions ---- */

#define ENTRY(function, symbol_version) \
  HIDDEN struct parked_call interpose_park_##function = {0, #function, symbol_version};

#define STUB(symbol, visibility, function)                   \
  __asm__(".text\n"                                          \
          ".p2align 4\n"                                     \
          ".globl " #symbol "\n"                             \
          "." visibility " " #symbol "\n"                    \
          ".type " #symbol ", @function\n" #symbol ":\n"     \
          "  .cfi_startproc\n"                               \
          "  lea interpose_park_" #function "(%rip), %rax\n" \
          "  jmp interpose_park_call\n"                      \
          "  .cfi_endproc\n"                                 \
          ".size " #symbol ", . - " #symbol "\n");

#define ENTRY_AND_STUB(function, symbol_version) ENTRY(function, symbol_version) STUB(function, "globl", function)
PARKED_CALLS(ENTRY_AND_STUB)

#define HIDDEN_CALL(function) ENTRY(function, 0) STUB(interpose_parked_##function, "hidden", function)
HIDDEN_CALL(pthread_join)
HIDDEN_CALL(pthread_timedjoin_np)
HIDDEN_CALL(pthread_clockjoin_np)
HIDDEN_CALL(sigwait)
HIDDEN_CALL(sigwaitinfo)
HIDDEN_CALL(sigtimedwait)
HIDDEN_CALL(posix_spawn)
HIDDEN_CALL(posix_spawnp)
HIDDEN_CALL(system)
HIDDEN_CALL(io_submit)
HIDDEN_CALL(io_getevents)
HIDDEN_CALL(io_pgetevents)
HIDDEN_CALL(io_cancel)
HIDDEN_CALL(io_destroy)

/* ---- system calls by number ---- */

HIDDEN_CALL(syscall)

/* Those that a signal would end, but for the ones that start a process: they may return twice. */
static bool
may_block(long number) {
  switch (number) {
    case SYS_read: case SYS_readv: case SYS_write: case SYS_writev:
    case SYS_accept: case SYS_accept4: case SYS_connect:
    case SYS_recvfrom: case SYS_recvmsg: case SYS_recvmmsg: case SYS_sendto: case SYS_sendmsg: case SYS_sendmmsg:
    case SYS_poll: case SYS_ppoll: case SYS_select: case SYS_pselect6:
    case SYS_epoll_wait: case SYS_epoll_pwait: case SYS_epoll_pwait2:
    case SYS_nanosleep: case SYS_clock_nanosleep: case SYS_pause:
    case SYS_rt_sigsuspend: case SYS_rt_sigtimedwait:
    case SYS_futex: case SYS_futex_waitv:
    case SYS_msgsnd: case SYS_msgrcv: case SYS_semop: case SYS_semtimedop:
    case SYS_mq_timedsend: case SYS_mq_timedreceive:
    case SYS_io_uring_enter:
    case SYS_wait4: case SYS_waitid: case SYS_flock: case SYS_fcntl: case SYS_getrandom:
      return true;
  }
  return false;
}

long
interpose_next_syscall(long number, long a, long b, long c, long d, long e, long f) {
  return ((syscall_function *)interpose_park_find(&interpose_park_syscall))(number, a, b, c, d, e, f);
}

/* <unistd.h> declares it as variadic. */
CGC_EXPORT syscall_function interpose_syscall __asm__("syscall");

/* Some are noted, as the functions of libc for them are. */
long
interpose_syscall(long number, long a, long b, long c, long d, long e, long f) {
  switch (number) {
    case SYS_sigaltstack: return sigaltstack((const stack_t *)a, (stack_t *)b);
    case SYS_prctl: return prctl((int)a, b, c, d, e);
    case SYS_unshare: return interpose_unshare(a, 0, 0);
    case SYS_setns: return interpose_setns(a, b, 0);
    case SYS_userfaultfd: return interpose_userfaultfd(a);
    case SYS_seccomp: return interpose_seccomp(a, b, c);
    case SYS_io_submit: return interpose_io_submit(a, b, c);
    case SYS_io_getevents: case SYS_io_pgetevents: return interpose_io_getevents(number, a, b, c, d, e, f);
    case SYS_io_cancel: return interpose_io_cancel(a, b, c);
    case SYS_io_destroy: return interpose_io_destroy(a);
  }
  return may_block(number) ? interpose_parked_syscall(number, a, b, c, d, e, f)
                           : interpose_next_syscall(number, a, b, c, d, e, f);
}
