/* SPDX-License-Identifier: MIT */
/* leakset - a program whose leaks are known.
   It makes every kind of leak a checker must tell apart, and every kind of reachable block it must not
   report, each from a function of its own, and prints what is expected as one line of JSON: `leaks` by
   allocating function, `reachable` blocks that are no leaks, and `child`, the leaks of a forked child
   alone. Sizes are the requested ones; "exact": false where libc chooses them. "kind": direct, indirect
   (reached only through another leak), cycle, or ambiguous (checkers may differ). Exit status 0. */
#include "hazard.h"

#include <dlfcn.h>
#include <malloc.h>

#define SITE HZ_NOINLINE __attribute__((used))

/* Without padding, which would be copied from a stack with what lies there: parts of pointers. */
struct expectation {
  const char *function, *kind;
  size_t blocks, bytes, exact;
};

static struct expectation leaks[40], reachable[20], child_leaks[4];
static unsigned leak_count, reachable_count, child_count;

static void
expect_leak(const char *function, const char *kind, unsigned blocks, size_t bytes) {
  leaks[leak_count++] = (struct expectation){function, kind, blocks, bytes, true};
}

static void
expect_leak_about(const char *function, const char *kind, unsigned blocks, size_t bytes) {
  leaks[leak_count++] = (struct expectation){function, kind, blocks, bytes, false};
}

static void
expect_reachable(const char *function, unsigned blocks, size_t bytes) {
  reachable[reachable_count++] = (struct expectation){function, "reachable", blocks, bytes, true};
}

/* ---- leaks ---- */

SITE void
leak_direct(void *arg) {
  (void)arg;
  memset(malloc(123), 0x99, 123);
  expect_leak("leak_direct", "direct", 1, 123);
}

SITE void
leak_calloc(void *arg) {
  (void)arg;
  *(volatile char *)calloc(5, 61) = 1;
  expect_leak("leak_calloc", "direct", 1, 305);
}

struct link {
  struct link *next;
  char filler[192];
};

SITE struct link *
leak_chain_node(struct link *next) {
  struct link *n = malloc(sizeof *n);
  n->next = next;
  return n;
}

SITE struct link *
leak_chain_head(struct link *next) {
  struct link *n = malloc(sizeof *n);
  n->next = next;
  return n;
}

SITE void
leak_chain(void *arg) {
  (void)arg;
  struct link *volatile list = NULL;
  for (int i = 0; i < 4; i++)
    list = leak_chain_node(list);
  list = leak_chain_head(list);
  list = NULL;
  expect_leak("leak_chain_head", "direct", 1, sizeof(struct link));
  expect_leak("leak_chain_node", "indirect", 4, 4 * sizeof(struct link));
}

SITE void
leak_cycle(void *arg) {
  (void)arg;
  void **a = malloc(144), **b = malloc(144);
  a[1] = b;
  b[2] = a;
  __asm__ volatile("" ::"r"(a), "r"(b) : "memory");   /* no dead stores, although nobody reads them */
  expect_leak("leak_cycle", "cycle", 2, 288);
}

SITE void
leak_self(void *arg) {
  (void)arg;
  void **a = malloc(168);
  a[3] = a;
  expect_leak("leak_self", "direct", 1, 168);
}

SITE void
leak_thousand(void *arg) {
  (void)arg;
  for (int i = 0; i < 1000; i++)
    memset(malloc(72), 0x99, 72);
  expect_leak("leak_thousand", "direct", 1000, 72000);
}

SITE void
leak_in_thread(void) {
  for (int i = 0; i < 5; i++)
    memset(malloc(264), 0x99, 264);
}

static void *
leaking_thread(void *arg) {
  run_hidden((void (*)(void *))leak_in_thread, arg);
  clear_stack();
  return NULL;
}

static void
leak_two_threads(void *arg) {
  (void)arg;
  pthread_t t[2];
  for (unsigned i = 0; i < 2; i++)
    hz_thread(&t[i], leaking_thread, NULL);
  for (unsigned i = 0; i < 2; i++)
    pthread_join(t[i], NULL);
  expect_leak("leak_in_thread", "direct", 10, 2640);
}

/* The only reference lies in a block that has been freed. */
SITE void
leak_behind_freed(void *arg) {
  (void)arg;
  void **holder = malloc(400);
  holder[20] = malloc(296);
  free(holder);
  expect_leak("leak_behind_freed", "direct", 1, 296);
}

static void *volatile overwritten;

SITE void
leak_overwritten(void *arg) {
  (void)arg;
  overwritten = malloc(336);
  overwritten = NULL;
  expect_leak("leak_overwritten", "direct", 1, 336);
}

SITE void
leak_realloc(void *arg) {
  (void)arg;
  char *volatile p = malloc(50);
  p = realloc(p, 4000);
  p[3999] = 1;
  p = NULL;
  expect_leak("leak_realloc", "direct", 1, 4000);
}

SITE void
leak_memalign(void *arg) {
  (void)arg;
  void *p = NULL;
  if (posix_memalign(&p, 64, 320))
    FAIL("posix_memalign");
  p = aligned_alloc(256, 512);
  expect_leak("leak_memalign", "direct", 2, 832);
}

SITE void
leak_strdup(void *arg) {
  (void)arg;
  *strdup("a string nobody frees") = 'A';
  expect_leak("leak_strdup", "direct", 1, sizeof "a string nobody frees");
}

SITE void
leak_asprintf(void *arg) {
  (void)arg;
  char *s = NULL;
  int n = asprintf(&s, "%s %0200d", "formatted", 7);
  expect_leak_about("leak_asprintf", "direct", 1, (size_t)n + 1);
}

SITE void
leak_getline(void *arg) {
  (void)arg;
  char *line = NULL, text[] = "one line of text\n";
  size_t cap = 0;
  FILE *f = fmemopen(text, sizeof text - 1, "r");
  if (getline(&line, &cap, f) <= 0)
    FAIL("getline");
  fclose(f);
  expect_leak_about("leak_getline", "direct", 1, cap);
}

static void
leak_library(void *arg) {
  (void)arg;
  void *h = dlopen(hz_beside("libhz_leak.so"), RTLD_NOW | RTLD_LOCAL);
  if (!h)
    FAIL("dlopen: %s", dlerror());
  void (*leak)(unsigned, size_t) = (void (*)(unsigned, size_t))dlsym(h, "leak_from_library");
  leak(3, 96);
  dlclose(h);
  expect_leak("leak_from_library", "direct", 3, 288);
}

#ifdef HZ_CXX
extern void leak_operator_new(void);
extern void leak_operator_new_array(size_t);
extern size_t leaked_object_bytes(void);

static void
leak_new(void *arg) {
  (void)arg;
  leak_operator_new();
  leak_operator_new_array(777);
  expect_leak("leak_operator_new", "direct", 1, leaked_object_bytes());
  expect_leak("leak_operator_new_array", "direct", 1, 777);
}
#endif

/* Its only reference is a word in the heap that points one past its end: no valid way to reach it. The
   size fills a size class, so that the end is not inside the block. */
static void **volatile end_holder;

SITE void
leak_one_past_the_end(void *arg) {
  (void)arg;
  char *p = malloc(128);
  end_holder[2] = p + 128;
  expect_leak("leak_one_past_the_end", "ambiguous", 1, 128);
}

/* ---- blocks that are no leaks ---- */

static void *volatile global, *volatile interior;
static __thread void *volatile thread_local_pointer;
static void **mapping;
static struct hz_gate gate;
static atomic_int holder_ready;
static struct hz_chain kept[8];
static unsigned kept_count;

/* Remembers a kept block, hidden, so that it can be checked at the end. */
static void
remember(void *p, size_t n) {
  struct hz_chain *c = &kept[kept_count];
  void *none = NULL;
  c->hidden[0] = hide(p);
  c->size[0] = n;
  c->count = 1;
  c->seed = kept_count++;
  guard_block(p, n, c->seed);
  memcpy(p, &none, sizeof none);
}

SITE void
keep_global(void *arg) {
  (void)arg;
  global = malloc(101);
  remember(global, 101);
  expect_reachable("keep_global", 1, 101);
}

SITE void
keep_end_holder(void *arg) {
  (void)arg;
  end_holder = calloc(1, 48);
  expect_reachable("keep_end_holder", 1, 48);
}

SITE void
keep_interior(void *arg) {
  (void)arg;
  char *p = malloc(202);
  interior = p + 120;
  remember(p, 202);
  expect_reachable("keep_interior", 1, 202);
}

SITE void
keep_thread_local(void *arg) {
  (void)arg;
  thread_local_pointer = malloc(303);
  remember(thread_local_pointer, 303);
  expect_reachable("keep_thread_local", 1, 303);
}

SITE void
keep_in_mapping(void *arg) {
  (void)arg;
  mapping = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mapping[100] = malloc(404);
  remember(mapping[100], 404);
  expect_reachable("keep_in_mapping", 1, 404);
}

SITE void
keep_on_thread_stack(void *arg) {
  *(void *volatile *)arg = malloc(505);
  remember(*(void *volatile *)arg, 505);
}

static void *
holder_main(void *arg) {
  (void)arg;
  void *volatile local = NULL;
  run_hidden(keep_on_thread_stack, (void *)&local);
  clear_stack();
  atomic_store(&holder_ready, 1);
  gate_wait(&gate);
  return local;
}

SITE void
keep_in_heap(void *arg) {
  (void)arg;
  void **inner = malloc(606);
  remember(inner, 606);
  ((void **)(uintptr_t)global)[0] = inner;   /* the first word of a kept block */
  kept[0].count = 0;                         /* which therefore is not checked any more */
  expect_reachable("keep_in_heap", 1, 606);
}

/* ---- a child with leaks of its own ---- */

SITE void
leak_in_child(void *arg) {
  (void)arg;
  for (int i = 0; i < 2; i++)
    memset(malloc(500), 0x99, 500);
}

static void
fork_leaking_child(void) {
  int status = -1;
  pid_t pid = fork();
  if (pid == 0) {
    alarm((unsigned)hz_limit(20));
    run_hidden(leak_in_child, NULL);
    clear_stack();
    exit(0);   /* through the exit handlers, where a checker reports */
  }
  waitpid(pid, &status, 0);
  if (!WIFEXITED(status))
    FAIL("the child ended with %#x", status);
  if (WEXITSTATUS(status))
    NOTE("the child exited with %d", WEXITSTATUS(status));
  child_leaks[child_count++] = (struct expectation){"leak_in_child", "direct", 2, 1000, true};
}

/* ---- the expectation as JSON ---- */

static char json[8192];
static size_t json_used;

__attribute__((format(printf, 1, 2))) static void
add(const char *format, ...) {
  va_list args;
  va_start(args, format);
  json_used += (size_t)vsnprintf(json + json_used, sizeof json - json_used, format, args);
  va_end(args);
}

static void
add_list(const char *name, const struct expectation *list, unsigned count) {
  add("\"%s\":[", name);
  for (unsigned i = 0; i < count; i++)
    add("%s{\"function\":\"%s\",\"kind\":\"%s\",\"blocks\":%zu,\"bytes\":%zu,\"exact\":%s}", i ? "," : "",
        list[i].function, list[i].kind, list[i].blocks, list[i].bytes, list[i].exact ? "true" : "false");
  add("],");
}

static void
print_expectation(void) {
  size_t blocks = 0, bytes = 0;
  for (unsigned i = 0; i < leak_count; i++) {
    if (!strcmp(leaks[i].kind, "ambiguous"))
      continue;
    blocks += leaks[i].blocks;
    bytes += leaks[i].bytes;
  }
  add("{\"program\":\"leakset\",");
  add_list("leaks", leaks, leak_count);
  add_list("reachable", reachable, reachable_count);
  add_list("child", child_leaks, child_count);
  add("\"total\":{\"blocks\":%zu,\"bytes\":%zu,\"without\":\"ambiguous\"}}\n", blocks, bytes);
  for (size_t at = 0; at < json_used;) {
    ssize_t n = write(1, json + at, json_used - at);
    if (n <= 0)
      break;
    at += (size_t)n;
  }
}

int
main(int argc, char **argv) {
  static void (*const sites[])(void *) = {
    leak_direct, leak_calloc, leak_chain, leak_cycle, leak_self, leak_thousand, leak_two_threads,
    leak_behind_freed, leak_overwritten, leak_realloc, leak_memalign, leak_strdup, leak_asprintf,
    leak_getline, leak_library,
#ifdef HZ_CXX
    leak_new,
#endif
    keep_global, keep_end_holder, leak_one_past_the_end, keep_interior, keep_thread_local,
    keep_in_mapping, keep_in_heap,
  };
  (void)argc;
  hz_prog = "leakset";
  snprintf(hz_title, sizeof hz_title, "leakset");
  hz_find_self(argv);
  fork_leaking_child();
  for (unsigned i = 0; i < HZ_COUNT(sites); i++) {
    run_hidden(sites[i], NULL);
    clear_stack();
  }
  pthread_t holder;
  gate_init(&gate);
  hz_thread(&holder, holder_main, NULL);
  if (!hz_wait_for(&holder_ready, 1, 10))
    FAIL("the thread did not start");
  expect_reachable("keep_on_thread_stack", 1, 505);
  collect(4);
  for (unsigned i = 0; i < kept_count; i++)
    chain_check(&kept[i], "a reachable block");
  clear_stack();
  print_expectation();
  return hz_end();   /* with the holder still blocked: it is a root at exit too */
}
