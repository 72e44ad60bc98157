/* SPDX-License-Identifier: MIT */
/* roots_stack - blocks whose only reference lies on a stack or in a register.
   Optimised code keeps the last pointer to a block in a callee-saved register across a blocking call,
   in the red zone of a leaf function, or in a vector register inside memmove; event loops and
   interpreters run on stacks that are no thread's own; a thread's argument and result travel through
   libc. A collector that starts at the wrong stack pointer, skips the saved vector state or forgets
   the stack it came from frees memory that the next instruction uses. */
#include "hazard.h"

#include <malloc.h>
#include <setjmp.h>
#include <threads.h>
#include <ucontext.h>

static struct hz_chain chain, chain2;

/* ---- the plain cases ---- */

static void
put_local(void *arg) {
  *(void *volatile *)arg = chain_make(&chain, 1);
}

static void
main_stack(void) {
  void *volatile local = NULL;
  run_hidden(put_local, (void *)&local);
  clear_stack();
  settle();
  chain_check(&chain, "main stack");
  CHECK(chain_is_head(&chain, local), "the local changed");
}

struct stack_thread {
  struct hz_gate gate;
  atomic_int ready, calls;
};

static void *
stack_thread_main(void *arg) {
  struct stack_thread *t = arg;
  void *volatile local = NULL;
  run_hidden(put_local, (void *)&local);
  clear_stack();
  atomic_store(&t->ready, 1);
  gate_wait(&t->gate);
  CHECK(chain_is_head(&chain, local), "the thread's local changed");
  return NULL;
}

static void
keep_on_thread(const pthread_attr_t *attr, void *(*fn)(void *), const char *what) {
  static struct stack_thread t;
  memset(&t, 0, sizeof t);
  gate_init(&t.gate);
  pthread_t id;
  int err = pthread_create(&id, attr, fn, &t);
  if (err)
    FAIL("pthread_create: %s", strerror(err));
  if (!hz_wait_for(&t.ready, 1, 10))
    FAIL("the thread did not start");
  settle();
  chain_check(&chain, what);
  stop_if_bad();
  gate_open(&t.gate, 1);
  pthread_join(id, NULL);
  gate_fini(&t.gate);
}

static void
thread_stack(void) {
  keep_on_thread(NULL, stack_thread_main, "a thread's stack");
}

static void
thread_stack_of_program(void) {
  size_t bytes = 512 * 1024;
  pthread_attr_t attr;
  static void *volatile stack;
  pthread_attr_init(&attr);
  stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  pthread_attr_setstack(&attr, stack, bytes);
  keep_on_thread(&attr, stack_thread_main, "a thread's stack from mmap");
  stack = memalign(4096, bytes);
  pthread_attr_setstack(&attr, stack, bytes);
  keep_on_thread(&attr, stack_thread_main, "a thread's stack from malloc");
  free(stack);
}

static void
thread_stack_large(void) {
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, (size_t)256 << 20);
  keep_on_thread(&attr, stack_thread_main, "a thread's stack of 256 MiB");
}

static HZ_NOINLINE unsigned
recurse(unsigned depth, void (*bottom)(void *), void *arg) {
  volatile char frame[200];
  frame[depth % 200] = (char)depth;
  if (depth == 0)
    bottom(arg);
  else
    depth = recurse(depth - 1, bottom, arg);
  return depth + (unsigned)frame[0];
}

static void
settle_here(void *arg) {
  (void)arg;
  settle();
}

static void
below_deep_recursion(void) {
  void *volatile local = NULL;
  run_hidden(put_local, (void *)&local);
  clear_stack();
  recurse(12000, settle_here, NULL);
  chain_check(&chain, "frame under a recursion of 12000 frames");
  CHECK(chain_is_head(&chain, local), "the local changed");
}

static void
deep_bottom(void *arg) {
  struct stack_thread *t = arg;
  void *volatile local = NULL;
  run_hidden(put_local, (void *)&local);
  clear_stack();
  atomic_store(&t->ready, 1);
  gate_wait(&t->gate);
  CHECK(chain_is_head(&chain, local), "the deep local changed");
}

static void *
deep_thread_main(void *arg) {
  recurse(12000, deep_bottom, arg);
  return NULL;
}

static void
deepest_frame(void) {
  keep_on_thread(NULL, deep_thread_main, "deepest of 12000 frames");
}

/* ---- one past the end: `for (p = end; p != begin;)` keeps nothing else ---- */

static const size_t past_sizes[] = {16,   32,   48,   64,    80,    128,   256,    512,     1024,
                                    2048, 4096, 8192, 16384, 32768, 65536, 131072, 1048576, 100};
enum { PAST_COUNT = HZ_COUNT(past_sizes) };
static struct hz_chain past_chains[PAST_COUNT];

static void
put_ends(void *arg) {
  char *volatile *ends = arg;
  for (unsigned i = 0; i < PAST_COUNT; i++) {
    char *p = chain_make_sizes(&past_chains[i], i * 11, &past_sizes[i], 1);
    ends[i] = p + past_sizes[i];
  }
}

/* Below pages that were never touched, and of which the kernel therefore says nothing. */
HZ_NOINLINE static void
settle_below_gap(void) {
  char gap[1024 * 1024];
  __asm__ volatile("" ::"r"(gap) : "memory");
  settle();
  __asm__ volatile("" ::"r"(gap) : "memory");
}

static void
check_ends(void (*collect_all)(void)) {
  char *volatile ends[PAST_COUNT] = {0};
  run_hidden(put_ends, (void *)ends);
  clear_stack();
  collect_all();
  for (unsigned i = 0; i < PAST_COUNT; i++) {
    char what[80];
    snprintf(what, sizeof what, "end pointer of %zu bytes on the stack", past_sizes[i]);
    chain_check(&past_chains[i], what);
  }
  CHECK(ends[0] != NULL, "the ends changed");
}

static void
one_past_the_end(void) {
  check_ends(settle);
}

static void
one_past_the_end_above_gap(void) {
  check_ends(settle_below_gap);
}

/* ---- registers ---- */

int hz_spin_go, hz_spin_ready;   /* named by the assembly below */
static struct hz_gate hold_gate;

#if defined(__x86_64__) || defined(__aarch64__)

typedef void *hold_fn(uintptr_t hidden, int fd);
typedef void *spin_fn(uintptr_t hidden);

struct named_hold {
  const char *name;
  hold_fn *fn;
};
struct named_spin {
  const char *name;
  spin_fn *fn;
  int needs;   /* 0: nothing, 1: AVX, 2: AVX-512 */
};

#define STRING_(x) #x
#define STRING(x) STRING_(x)

#if defined(__x86_64__)

#define HOLD_REGS(X) X(rbx) X(rbp) X(r12) X(r13) X(r14) X(r15)
#define SPIN_REGS(X)                                                                               \
  X(rax) X(rcx) X(rdx) X(rsi) X(rdi) X(r8) X(r9) X(r10) X(r11) HOLD_REGS(X)

__asm__(
    ".macro HZ_ENTER\n push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15\n"
    " sub $24,%rsp\n movabs $0x5a5aa5c3963c5a69,%rax\n xor %rax,%rdi\n.endm\n"
    ".macro HZ_LEAVE\n add $24,%rsp\n pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp\n"
    " ret\n.endm\n"
    ".macro HZ_ZERO keep, keep2\n"
    ".irp r, rax,rbx,rcx,rdx,rsi,rdi,rbp,r8,r9,r10,r11,r12,r13,r14,r15\n"
    ".ifnc \\r,\\keep\n.ifnc \\r,\\keep2\n xor %\\r,%\\r\n.endif\n.endif\n.endr\n.endm\n"
    ".macro HZ_SPIN\n movl $1,hz_spin_ready(%rip)\n"
    "9: pause; cmpl $0,hz_spin_go(%rip); je 9b\n.endm\n"
    ".macro HZ_FN name\n.text\n.p2align 4\n.globl \\name\n.type \\name,@function\n\\name:\n.endm\n");

/* The address is in one callee-saved register while read() blocks: through libc, and raw. */
#define DEFINE_HOLD(reg)                                                                           \
  __asm__("HZ_FN hz_hold_" #reg "\n HZ_ENTER\n.ifnc rdi," #reg "\n mov %rdi,%" #reg "\n.endif\n"   \
          " mov %esi,%edi\n HZ_ZERO " #reg ", rdi\n mov %rsp,%rsi; mov $1,%edx\n call read@PLT\n"  \
          " mov %" #reg ",%rax\n HZ_LEAVE\n"                                                       \
          "HZ_FN hz_raw_" #reg "\n HZ_ENTER\n mov %rdi,%" #reg "\n"                                \
          " mov %esi,%edi\n HZ_ZERO " #reg ", rdi\n mov %rsp,%rsi; mov $1,%edx; xor %eax,%eax\n"   \
          " syscall\n mov %" #reg ",%rax\n HZ_LEAVE\n");                                           \
  hold_fn hz_hold_##reg, hz_raw_##reg;
HOLD_REGS(DEFINE_HOLD)

/* The address is in one register while the thread computes. */
#define DEFINE_SPIN(reg)                                                                           \
  __asm__("HZ_FN hz_spin_" #reg "\n HZ_ENTER\n.ifnc rdi," #reg "\n mov %rdi,%" #reg "\n.endif\n"   \
          " HZ_ZERO " #reg "\n HZ_SPIN\n.ifnc rax," #reg "\n mov %" #reg ",%rax\n.endif\n"         \
          " HZ_LEAVE\n");                                                                          \
  spin_fn hz_spin_##reg;
SPIN_REGS(DEFINE_SPIN)

/* Below the stack pointer, in the red zone of a leaf function. */
__asm__("HZ_FN hz_spin_redzone\n HZ_ENTER\n mov %rdi,-120(%rsp)\n HZ_ZERO none\n HZ_SPIN\n"
        " mov -120(%rsp),%rax\n HZ_LEAVE\n");
/* Vector registers: low lane, high lane, and the parts that only wider instructions reach. */
#define DEFINE_XMM(n)                                                                              \
  __asm__("HZ_FN hz_spin_xmm" #n "\n HZ_ENTER\n movq %rdi,%xmm" #n "\n HZ_ZERO none\n HZ_SPIN\n"   \
          " movq %xmm" #n ",%rax\n pxor %xmm" #n ",%xmm" #n "\n HZ_LEAVE\n");                      \
  spin_fn hz_spin_xmm##n;
DEFINE_XMM(0)
DEFINE_XMM(7)
DEFINE_XMM(15)
__asm__("HZ_FN hz_spin_xmm_high\n HZ_ENTER\n movq %rdi,%xmm9; pshufd $0x4e,%xmm9,%xmm9\n"
        " HZ_ZERO none\n HZ_SPIN\n pshufd $0x4e,%xmm9,%xmm9; movq %xmm9,%rax\n pxor %xmm9,%xmm9\n"
        " HZ_LEAVE\n");
__asm__("HZ_FN hz_spin_ymm_high\n HZ_ENTER\n vzeroall\n vmovq %rdi,%xmm0\n"
        " vinsertf128 $1,%xmm0,%ymm1,%ymm7\n vxorps %xmm0,%xmm0,%xmm0\n HZ_ZERO none\n HZ_SPIN\n"
        " vextractf128 $1,%ymm7,%xmm0; vmovq %xmm0,%rax\n vzeroall\n HZ_LEAVE\n");
__asm__("HZ_FN hz_spin_ymm17\n HZ_ENTER\n vzeroall\n vmovq %rdi,%xmm17\n HZ_ZERO none\n HZ_SPIN\n"
        " vmovq %xmm17,%rax\n vpxorq %xmm17,%xmm17,%xmm17\n HZ_LEAVE\n");
__asm__("HZ_FN hz_spin_zmm_high\n HZ_ENTER\n vzeroall\n vmovq %rdi,%xmm0\n"
        " vinserti64x4 $1,%ymm0,%zmm1,%zmm30\n vxorps %xmm0,%xmm0,%xmm0\n HZ_ZERO none\n HZ_SPIN\n"
        " vextracti64x4 $1,%zmm30,%ymm0; vmovq %xmm0,%rax\n vpxorq %xmm30,%xmm30,%xmm30\n"
        " vzeroall\n HZ_LEAVE\n");
spin_fn hz_spin_redzone, hz_spin_xmm_high, hz_spin_ymm_high, hz_spin_ymm17, hz_spin_zmm_high;

#define LIST_SPIN(reg) {#reg, hz_spin_##reg, 0},
static const struct named_spin spins[] = {SPIN_REGS(LIST_SPIN){"red zone", hz_spin_redzone, 0}};
static const struct named_spin vector_spins[] = {
  {"xmm0", hz_spin_xmm0, 0},         {"xmm7", hz_spin_xmm7, 0},
  {"xmm15", hz_spin_xmm15, 0},       {"upper half of xmm9", hz_spin_xmm_high, 0},
  {"upper half of ymm7", hz_spin_ymm_high, 1}, {"xmm17", hz_spin_ymm17, 2},
  {"upper half of zmm30", hz_spin_zmm_high, 2},
};

static bool
cpu_has(int needs) {
  __builtin_cpu_init();
  return needs == 0 || (needs == 1 && __builtin_cpu_supports("avx")) ||
         (needs == 2 && __builtin_cpu_supports("avx512f"));
}

#else /* aarch64 */

#define HOLD_REGS(X) X(x19) X(x20) X(x21) X(x22) X(x23) X(x24) X(x25) X(x26) X(x27) X(x28)
#define SPIN_REGS(X)                                                                               \
  X(x0) X(x1) X(x2) X(x3) X(x4) X(x5) X(x6) X(x7) X(x8) X(x11) X(x12) X(x13) X(x14) X(x15)         \
  HOLD_REGS(X)

/* x9 and x10 are scratch; x18 is the platform's. */
__asm__(
    ".macro HZ_ENTER\n stp x29,x30,[sp,#-112]!\n stp x19,x20,[sp,#16]\n stp x21,x22,[sp,#32]\n"
    " stp x23,x24,[sp,#48]\n stp x25,x26,[sp,#64]\n stp x27,x28,[sp,#80]\n"
    " movz x9,#0x5a69\n movk x9,#0x963c,lsl #16\n movk x9,#0xa5c3,lsl #32\n"
    " movk x9,#0x5a5a,lsl #48\n eor x10,x0,x9\n.endm\n"
    ".macro HZ_LEAVE\n ldp x19,x20,[sp,#16]\n ldp x21,x22,[sp,#32]\n ldp x23,x24,[sp,#48]\n"
    " ldp x25,x26,[sp,#64]\n ldp x27,x28,[sp,#80]\n ldp x29,x30,[sp],#112\n ret\n.endm\n"
    ".macro HZ_ZERO keep, keep2\n"
    ".irp r, x0,x1,x2,x3,x4,x5,x6,x7,x8,x9,x10,x11,x12,x13,x14,x15,x16,x17,x19,x20,x21,x22,x23,x24,"
    "x25,x26,x27,x28\n"
    ".ifnc \\r,\\keep\n.ifnc \\r,\\keep2\n mov \\r,#0\n.endif\n.endif\n.endr\n.endm\n"
    ".macro HZ_SPIN\n adrp x9,hz_spin_ready\n add x9,x9,:lo12:hz_spin_ready\n mov w10,#1\n"
    " str w10,[x9]\n adrp x9,hz_spin_go\n add x9,x9,:lo12:hz_spin_go\n"
    "9: yield\n ldr w10,[x9]\n cbz w10,9b\n.endm\n"
    ".macro HZ_FN name\n.text\n.p2align 4\n.globl \\name\n.type \\name,%function\n\\name:\n.endm\n");

#define DEFINE_HOLD(reg)                                                                           \
  __asm__("HZ_FN hz_hold_" #reg "\n HZ_ENTER\n mov " #reg ",x10\n mov x0,x1\n HZ_ZERO " #reg ", x0\n" \
          " add x1,sp,#96\n mov x2,#1\n bl read\n mov x0," #reg "\n HZ_LEAVE\n"                    \
          "HZ_FN hz_raw_" #reg "\n HZ_ENTER\n mov " #reg ",x10\n mov x0,x1\n HZ_ZERO " #reg ", x0\n" \
          " add x1,sp,#96\n mov x2,#1\n mov x8,#63\n svc #0\n mov x0," #reg "\n HZ_LEAVE\n");      \
  hold_fn hz_hold_##reg, hz_raw_##reg;
HOLD_REGS(DEFINE_HOLD)

#define DEFINE_SPIN(reg)                                                                           \
  __asm__("HZ_FN hz_spin_" #reg "\n HZ_ENTER\n mov " #reg ",x10\n HZ_ZERO " #reg "\n HZ_SPIN\n"    \
          " mov x0," #reg "\n HZ_LEAVE\n");                                                        \
  spin_fn hz_spin_##reg;
SPIN_REGS(DEFINE_SPIN)

__asm__("HZ_FN hz_spin_v7\n HZ_ENTER\n fmov d7,x10\n HZ_ZERO none\n HZ_SPIN\n fmov x0,d7\n HZ_LEAVE\n"
        "HZ_FN hz_spin_v20\n HZ_ENTER\n movi v20.2d,#0\n ins v20.d[1],x10\n HZ_ZERO none\n HZ_SPIN\n"
        " umov x0,v20.d[1]\n HZ_LEAVE\n"
        "HZ_FN hz_spin_v31\n HZ_ENTER\n fmov d31,x10\n HZ_ZERO none\n HZ_SPIN\n fmov x0,d31\n HZ_LEAVE\n");
spin_fn hz_spin_v7, hz_spin_v20, hz_spin_v31;

#define LIST_SPIN(reg) {#reg, hz_spin_##reg, 0},
static const struct named_spin spins[] = {SPIN_REGS(LIST_SPIN)};
static const struct named_spin vector_spins[] = {
  {"v7", hz_spin_v7, 0}, {"upper half of v20", hz_spin_v20, 0}, {"v31", hz_spin_v31, 0}};

static bool
cpu_has(int needs) {
  return needs == 0;
}

#endif

#define LIST_HOLD(reg) {#reg " across read()", hz_hold_##reg}, {#reg " across a raw system call", hz_raw_##reg},
static const struct named_hold holds[] = {HOLD_REGS(LIST_HOLD)};

static void
put_nowhere(void *arg) {
  *(uintptr_t *)arg = hide(chain_make(&chain, 1));
}

static atomic_int hold_started;

static void *
hold_main(void *arg) {
  const struct named_hold *h = arg;
  uintptr_t hidden = 0;
  run_hidden(put_nowhere, &hidden);
  clear_stack();
  atomic_store(&hold_started, 1);
  void *p = h->fn(hidden, hold_gate.fd[0]);
  CHECK(chain_is_head(&chain, p), "%s: the register changed", h->name);
  return NULL;
}

static void
callee_saved_registers(void) {
  gate_init(&hold_gate);
  for (unsigned i = 0; i < HZ_COUNT(holds); i++) {
    pthread_t t;
    atomic_store(&hold_started, 0);
    hz_thread(&t, hold_main, (void *)(uintptr_t)&holds[i]);
    if (!hz_wait_for(&hold_started, 1, 10))
      FAIL("the thread did not start");
    hz_sleep_ms(20);   /* let it get into the call; too early is only an easier test */
    settle();
    chain_check(&chain, holds[i].name);
    gate_open(&hold_gate, 1);
    pthread_join(t, NULL);
  }
}

static void *
spin_main(void *arg) {
  const struct named_spin *s = arg;
  uintptr_t hidden = 0;
  run_hidden(put_nowhere, &hidden);
  clear_stack();
  void *p = s->fn(hidden);
  CHECK(chain_is_head(&chain, p), "%s: the register changed", s->name);
  return NULL;
}

static void
spin_each(const struct named_spin *list, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    if (!cpu_has(list[i].needs))
      continue;
    pthread_t t;
    __atomic_store_n(&hz_spin_ready, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&hz_spin_go, 0, __ATOMIC_SEQ_CST);
    hz_thread(&t, spin_main, (void *)(uintptr_t)&list[i]);
    for (int ms = 0; !__atomic_load_n(&hz_spin_ready, __ATOMIC_SEQ_CST); ms++) {
      if (ms > 10000)
        FAIL("the thread did not start");
      hz_sleep_ms(1);
    }
    settle();
    chain_check(&chain, list[i].name);
    __atomic_store_n(&hz_spin_go, 1, __ATOMIC_SEQ_CST);
    pthread_join(t, NULL);
  }
}

static void
computing_registers(void) {
  spin_each(spins, HZ_COUNT(spins));
}

static void
vector_registers(void) {
  spin_each(vector_spins, HZ_COUNT(vector_spins));
}

#else

static void
callee_saved_registers(void) {
  SKIP("no assembly for this architecture");
}
#define computing_registers callee_saved_registers
#define vector_registers callee_saved_registers

#endif

/* ---- jmp_buf: glibc stores rbp, but not rbx and r12-r15, mangled ---- */

#if defined(__x86_64__)

/* Holds the address in rbp, calls _setjmp, empties rbp, calls back, and longjmps to get rbp back. */
#define DEFINE_JMP(reg)                                                                            \
  __asm__("HZ_FN hz_jmp_" #reg "\n HZ_ENTER\n mov %rsi,8(%rsp); mov %rdx,16(%rsp)\n"               \
          " mov %rdi,%" #reg "\n HZ_ZERO " #reg "\n mov 8(%rsp),%rdi\n call _setjmp@PLT\n"         \
          " test %eax,%eax; jnz 1f\n HZ_ZERO none\n call *16(%rsp)\n"                              \
          " mov 8(%rsp),%rdi; mov $1,%esi\n call longjmp@PLT\n1: mov %" #reg ",%rax\n HZ_LEAVE\n"); \
  void *hz_jmp_##reg(uintptr_t hidden, void *buffer, void (*between)(void));
DEFINE_JMP(rbp)
DEFINE_JMP(rbx)

static void
settle_and_check(void) {
  settle();
  chain_check(&chain, "only in a jmp_buf");
}

static void
keep_in_jmp_buf(void *(*jmp)(uintptr_t, void *, void (*)(void)), void *buffer) {
  uintptr_t hidden = 0;
  run_hidden(put_nowhere, &hidden);
  clear_stack();
  void *p = jmp(hidden, buffer, settle_and_check);
  CHECK(chain_is_head(&chain, p), "longjmp brought back another value");
}

static jmp_buf static_buffer;
static void *volatile heap_buffer;

static void
jmp_buf_plain(void) {
  keep_in_jmp_buf(hz_jmp_rbx, static_buffer);
}

static void
jmp_buf_mangled_stack(void) {
  jmp_buf local;
  keep_in_jmp_buf(hz_jmp_rbp, local);
}

static void
jmp_buf_mangled_static(void) {
  keep_in_jmp_buf(hz_jmp_rbp, static_buffer);
}

/* Coroutine libraries built on sigsetjmp keep the buffer in a malloc block. */
static void
jmp_buf_mangled_heap(void) {
  heap_buffer = malloc(sizeof(jmp_buf));
  keep_in_jmp_buf(hz_jmp_rbp, heap_buffer);
}

#else

static void
jmp_buf_plain(void) {
  SKIP("only x86-64 mangles a general register");
}
#define jmp_buf_mangled_stack jmp_buf_plain
#define jmp_buf_mangled_static jmp_buf_plain
#define jmp_buf_mangled_heap jmp_buf_plain

#endif

/* ---- coroutines ---- */

enum { COROUTINES = 12, CO_STACK = 128 * 1024 };

struct coroutine {
  ucontext_t here, caller;
  struct hz_chain chain;
  char *stack;
  unsigned index;
};

static struct coroutine *coroutines[COROUTINES];

static void
put_coroutine(void *arg) {
  struct coroutine *c = ((struct coroutine **)arg)[0];
  ((void *volatile *)arg)[1] = chain_make(&c->chain, c->index * 13);
}

static void
coroutine_main(unsigned index) {
  void *volatile frame[2] = {coroutines[index], NULL};
  run_hidden(put_coroutine, (void *)frame);
  clear_stack();
  struct coroutine *c = coroutines[index];
  swapcontext(&c->here, &c->caller);
  CHECK(chain_is_head(&c->chain, frame[1]), "coroutine %u lost its local", index);
  swapcontext(&c->here, &c->caller);
}

static void
make_coroutines(bool on_heap) {
  for (unsigned i = 0; i < COROUTINES; i++) {
    struct coroutine *c = coroutines[i] = calloc(1, sizeof *c);
    c->index = i;
    c->stack = on_heap ? malloc(CO_STACK)
                       : mmap(NULL, CO_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    getcontext(&c->here);
    c->here.uc_stack.ss_sp = c->stack;
    c->here.uc_stack.ss_size = CO_STACK;
    c->here.uc_link = &c->caller;
    makecontext(&c->here, (void (*)(void))coroutine_main, 1, i);
  }
}

static void
run_coroutines(bool on_heap) {
  make_coroutines(on_heap);
  for (unsigned i = 0; i < COROUTINES; i++)
    swapcontext(&coroutines[i]->caller, &coroutines[i]->here);
  clear_stack();
  settle();
  for (unsigned i = 0; i < COROUTINES; i++) {
    chain_check(&coroutines[i]->chain, "stack of a suspended coroutine");
    swapcontext(&coroutines[i]->caller, &coroutines[i]->here);
  }
  settle();
  for (unsigned i = 0; i < COROUTINES; i++)
    chain_check(&coroutines[i]->chain, "stack of a coroutine resumed and suspended");
}

static void
coroutine_mmap(void) {
  run_coroutines(false);
}

static void
coroutine_malloc(void) {
  run_coroutines(true);
}

/* A collection that starts on a coroutine's stack must still scan the thread's own stack. */
static void
collecting_coroutine(unsigned unused) {
  (void)unused;
  settle();
  struct coroutine *c = coroutines[0];
  swapcontext(&c->here, &c->caller);
}

static void
collect_on_coroutine(bool on_heap) {
  void *volatile local = NULL;
  make_coroutines(on_heap);
  struct coroutine *c = coroutines[0];
  makecontext(&c->here, (void (*)(void))collecting_coroutine, 1, 0);
  run_hidden(put_local, (void *)&local);
  clear_stack();
  swapcontext(&c->caller, &c->here);
  chain_check(&chain, "main stack while a coroutine collects");
  CHECK(chain_is_head(&chain, local), "the local changed");
}

static void
coroutine_collects(void) {
  collect_on_coroutine(false);
  collect_on_coroutine(true);
}

/* A thread blocked on a coroutine's stack: both that stack and its own hold pointers. */
static struct stack_thread *blocked_thread;

static void
blocking_coroutine(unsigned unused) {
  (void)unused;
  struct coroutine *c = coroutines[0];
  void *volatile frame[2] = {c, NULL};
  run_hidden(put_coroutine, (void *)frame);
  clear_stack();
  atomic_store(&blocked_thread->ready, 1);
  gate_wait(&blocked_thread->gate);
  CHECK(chain_is_head(&c->chain, frame[1]), "the coroutine lost its local");
  swapcontext(&c->here, &c->caller);
}

static void *
blocking_thread_main(void *arg) {
  void *volatile local = NULL;
  blocked_thread = arg;
  struct coroutine *c = coroutines[0];
  makecontext(&c->here, (void (*)(void))blocking_coroutine, 1, 0);
  run_hidden(put_local, (void *)&local);
  clear_stack();
  swapcontext(&c->caller, &c->here);
  CHECK(chain_is_head(&chain, local), "the thread's local changed");
  return NULL;
}

static void
coroutine_thread(void) {
  for (int on_heap = 0; on_heap < 2; on_heap++) {
    make_coroutines(on_heap);
    keep_on_thread(NULL, blocking_thread_main, "stack of a thread that runs a coroutine");
    chain_check(&coroutines[0]->chain, "stack of a coroutine that blocks on a thread");
  }
}

/* ---- a signal handler on an alternate stack ---- */

static struct stack_thread *handler_thread;
static uintptr_t handler_hidden;

static void
alternate_handler(int sig) {
  (void)sig;
  void *volatile mine = reveal(handler_hidden);
  clear_stack();
  atomic_store(&handler_thread->ready, 1);
  gate_wait(&handler_thread->gate);
  CHECK(chain_is_head(&chain2, mine), "the handler's local changed");
}

static void
put_handler(void *arg) {
  (void)arg;
  handler_hidden = hide(chain_make(&chain2, 77));
}

static void *
alternate_main(void *arg) {
  void *volatile local = NULL;
  handler_thread = arg;
  stack_t alternate = {.ss_size = 256 * 1024};
  alternate.ss_sp = mmap(NULL, alternate.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  sigaltstack(&alternate, NULL);
  run_hidden(put_local, (void *)&local);
  run_hidden(put_handler, NULL);
  clear_stack();
  raise(SIGUSR1);
  CHECK(chain_is_head(&chain, local), "the interrupted frame's local changed");
  alternate.ss_flags = SS_DISABLE;
  sigaltstack(&alternate, NULL);
  return NULL;
}

static void
alternate_stack(void) {
  struct sigaction sa = {.sa_handler = alternate_handler, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &sa, NULL);
  keep_on_thread(NULL, alternate_main, "frame interrupted by a handler on an alternate stack");
  chain_check(&chain2, "frame of a handler on an alternate stack");
}

/* ---- values in transit through libc ---- */

struct parcel {
  unsigned seed;
  unsigned char bytes[236];
};

static atomic_int parcels_opened;

static void *
open_parcel(void *arg) {
  struct parcel *p = arg;
  long at = check_block(p->bytes, sizeof p->bytes, p->seed);
  if (at >= 0)
    FAIL("the argument of a new thread was overwritten at +%ld", at);
  free(p);
  atomic_fetch_add(&parcels_opened, 1);
  return NULL;
}

static int
open_parcel_c11(void *arg) {
  open_parcel(arg);
  return 0;
}

static HZ_NOINLINE struct parcel *
make_parcel(unsigned seed) {
  struct parcel *p = malloc(sizeof *p);
  p->seed = seed;
  guard_block(p->bytes, sizeof p->bytes, seed);
  return p;
}

static void
create_argument(void) {
  enum { BATCHES = 40, BATCH = 40 };
  struct hz_collector c;
  collector_start(&c, 0);
  for (unsigned b = 0; b < BATCHES; b++) {
    pthread_t t[BATCH];
    thrd_t u[BATCH];
    for (unsigned i = 0; i < BATCH; i++) {
      if (i & 1)
        hz_thread(&t[i], open_parcel, make_parcel(b * BATCH + i));
      else if (thrd_create(&u[i], open_parcel_c11, make_parcel(b * BATCH + i)) != thrd_success)
        FAIL("thrd_create");
    }
    clear_stack();
    for (unsigned i = 0; i < BATCH; i++)
      if (i & 1)
        pthread_join(t[i], NULL);
      else
        thrd_join(u[i], NULL);
  }
  collector_stop(&c);
  CHECK(parcels_opened == BATCHES * BATCH, "%d of %d threads ran", parcels_opened, BATCHES * BATCH);
}

enum { RESULTS = 40 };
static struct hz_chain results[RESULTS];
static atomic_int results_made;

static void
put_result(void *arg) {
  unsigned i = ((unsigned *)arg)[0];
  void *head = chain_make_small(&results[i], i * 3);
  memcpy((unsigned *)arg + 2, &head, sizeof head);
}

static void *
result_main(void *arg) {
  unsigned frame[4] = {(unsigned)(uintptr_t)arg};
  void *head;
  run_hidden(put_result, frame);
  memcpy(&head, frame + 2, sizeof head);
  memset(frame, 0, sizeof frame);
  __asm__ volatile("" ::"r"(frame) : "memory");
  atomic_fetch_add(&results_made, 1);
  if (frame[0] == 0 && (uintptr_t)arg & 1)
    pthread_exit(head);
  return head;
}

static void
return_value(void) {
  pthread_t t[RESULTS];
  for (uintptr_t i = 0; i < RESULTS; i++)
    hz_thread(&t[i], result_main, (void *)i);
  if (!hz_wait_for(&results_made, RESULTS, 10))
    FAIL("the threads did not end");
  hz_sleep_ms(50);
  settle();
  for (unsigned i = 0; i < RESULTS; i++) {
    void *head;
    pthread_join(t[i], &head);
    chain_check(&results[i], "return value of a thread not yet joined");
    CHECK(chain_is_head(&results[i], head), "pthread_join gave another value");
  }
}

static atomic_int cleaned;

static void
clean_up(void *arg) {
  CHECK(chain_is_head(&chain, arg), "the cleanup handler got another argument");
  if (chain_is_intact(&chain))
    chain_free(&chain, arg);
  atomic_store(&cleaned, 1);
}

static void *
cleanup_main(void *arg) {
  struct stack_thread *t = arg;
  void *volatile local = NULL;
  run_hidden(put_local, (void *)&local);
  pthread_cleanup_push(clean_up, local);
  local = NULL;
  clear_stack();
  atomic_store(&t->ready, 1);
  for (;;)
    gate_wait(&t->gate);
  pthread_cleanup_pop(0);
  return NULL;
}

static void
cleanup_handler(void) {
  static struct stack_thread t;
  pthread_t id;
  gate_init(&t.gate);
  hz_thread(&id, cleanup_main, &t);
  if (!hz_wait_for(&t.ready, 1, 10))
    FAIL("the thread did not start");
  settle();
  chain_check(&chain, "argument of a cleanup handler");
  void *result = NULL;
  pthread_cancel(id);
  pthread_join(id, &result);
  CHECK(result == PTHREAD_CANCELED, "the thread was not cancelled");
  CHECK(cleaned == 1, "the cleanup handler did not run");
}

static const struct hz_case cases[] = {
  {"main_stack", main_stack, 0, 0},
  {"thread_stack", thread_stack, 0, 0},
  {"thread_stack_of_program", thread_stack_of_program, 0, 0},
  {"thread_stack_large", thread_stack_large, 0, 0},
  {"below_deep_recursion", below_deep_recursion, 0, 0},
  {"deepest_frame", deepest_frame, 0, 0},
  {"one_past_the_end", one_past_the_end, 0, 0},
  {"one_past_the_end_above_gap", one_past_the_end_above_gap, 0, 0},
  {"callee_saved_registers", callee_saved_registers, 0, 20},
  {"computing_registers", computing_registers, 0, 20},
  {"vector_registers", vector_registers, 0, 20},
  {"jmp_buf_plain", jmp_buf_plain, 0, 0},
  {"jmp_buf_mangled_stack", jmp_buf_mangled_stack, 0, 0},
  {"jmp_buf_mangled_static", jmp_buf_mangled_static, 0, 0},
  {"jmp_buf_mangled_heap", jmp_buf_mangled_heap, HZ_NOTED, 0},
  {"coroutine_mmap", coroutine_mmap, 0, 0},
  {"coroutine_malloc", coroutine_malloc, 0, 0},
  {"coroutine_collects", coroutine_collects, 0, 0},
  {"coroutine_thread", coroutine_thread, 0, 0},
  {"alternate_stack", alternate_stack, 0, 0},
  {"create_argument", create_argument, 0, 0},
  {"return_value", return_value, 0, 0},
  {"cleanup_handler", cleanup_handler, 0, 0},
  {0},
};

HZ_MAIN("roots_stack", cases)
