/* SPDX-License-Identifier: MIT */
/* dlmix - libraries that come, go, and bring allocators of their own.
   RTLD_DEEPBIND gives a library libc's malloc while libc itself uses the preloaded one, so blocks are
   freed by the wrong allocator in both directions; bundled allocators hold our pointers in memory that
   moves; dlclose and munmap take away memory that a concurrent marker is reading; constructors run
   before the collector's own and destructors after it. Each of these has crashed preloaded allocators. */
#include "hazard.h"

#include <dlfcn.h>
#include <malloc.h>

extern int hz_order_constructed;
extern int hz_order_check(void);

static struct hz_chain chain;

static void *
open_library(const char *name, int flags) {
  void *h = dlopen(hz_beside(name), RTLD_NOW | flags);
  if (!h)
    FAIL("dlopen: %s", dlerror());
  return h;
}

static void *
symbol(void *h, const char *name) {
  void *p = dlsym(h, name);
  if (!p)
    FAIL("dlsym: %s", dlerror());
  return p;
}

/* ---- RTLD_DEEPBIND ---- */

struct deep {
  void *(*alloc)(size_t);
  void *(*calloc)(size_t);
  void *(*realloc)(void *, size_t);
  void (*free)(void *);
  char *(*strdup)(const char *);
  void (*keep)(void *);
  void *(*kept)(void);
};

static struct deep
open_deep(int flags) {
  void *h = open_library("libhz_deep.so", flags);
  return (struct deep){
    (void *(*)(size_t))symbol(h, "hz_deep_alloc"),  (void *(*)(size_t))symbol(h, "hz_deep_calloc"),
    (void *(*)(void *, size_t))symbol(h, "hz_deep_realloc"), (void (*)(void *))symbol(h, "hz_deep_free"),
    (char *(*)(const char *))symbol(h, "hz_deep_strdup"), (void (*)(void *))symbol(h, "hz_deep_keep"),
    (void *(*)(void))symbol(h, "hz_deep_kept"),
  };
}

static void
exchange(struct deep d, size_t n, unsigned seed) {
  unsigned char *a = d.alloc(n), *b = malloc(n), *c = d.calloc(n), *e = malloc(n);
  char *s = d.strdup("a string"), *t = strdup("another string");
  guard_block(a, n, seed);
  guard_block(b, n, seed);
  guard_block(e, n, seed);
  for (size_t i = 0; i < n; i++)
    CHECK(c[i] == 0, "calloc in the library is not zero");
  CHECK(malloc_usable_size(a) >= n, "malloc_usable_size of the library's block of %zu bytes: %zu", n,
        malloc_usable_size(a));
  a = realloc(a, 2 * n);
  b = d.realloc(b, 2 * n);
  CHECK(check_block(a, n, seed) < 0, "realloc by the program of the library's block lost bytes");
  CHECK(check_block(b, n, seed) < 0, "realloc by the library of the program's block lost bytes");
  CHECK(!strcmp(s, "a string") && !strcmp(t, "another string"), "strdup");
  free(a);
  d.free(b);
  free(c);
  d.free(e);
  free(s);
  d.free(t);
}

static void
exchange_all(int flags) {
  struct deep d = open_deep(flags);
  for (unsigned round = 0; round < 20; round++) {
    for (size_t n = 1; n < 400000; n = n * 3 + 7)
      exchange(d, n, round);
    if (round % 4 == 0)
      collect(3);
  }
}

static void
exchange_blocks(void) {
  exchange_all(RTLD_LOCAL);
}

static void
deepbind(void) {
  exchange_all(RTLD_LOCAL | RTLD_DEEPBIND);
}

static void
put_deep(void *arg) {
  struct deep *d = arg;
  d->keep(chain_make(&chain, 1));
}

/* The only reference lies in a block of libc's heap, which the library alone knows. */
static void
deepbind_root(void) {
  struct deep d = open_deep(RTLD_LOCAL | RTLD_DEEPBIND);
  run_hidden(put_deep, &d);
  clear_stack();
  settle();
  chain_check(&chain, "reference in a block of the library's allocator");
  CHECK(chain_is_head(&chain, d.kept()), "the library's block changed");
}

/* ---- an allocator of the library's own ---- */

static struct hz_chain own_chains[700];

struct own {
  int (*push)(void *);
  void *(*pop)(void);
};

static void
put_own(void *arg) {
  struct own *o = arg;
  for (unsigned i = 0; i < HZ_COUNT(own_chains); i++)
    if (!o->push(chain_make_small(&own_chains[i], i)))
      FAIL("the library's arena is full");
}

static void
own_allocator(void) {
  void *h = open_library("libhz_own.so", RTLD_LOCAL);
  struct own o = {(int (*)(void *))symbol(h, "hz_own_push"), (void *(*)(void))symbol(h, "hz_own_pop")};
  run_hidden(put_own, &o);
  clear_stack();
  settle();
  for (unsigned i = 0; i < HZ_COUNT(own_chains); i++)
    chain_check(&own_chains[i], "reference in a foreign allocator's arena");
  stop_if_bad();
  for (unsigned i = HZ_COUNT(own_chains); i-- > 0;) {
    void *head = o.pop();
    CHECK(chain_is_head(&own_chains[i], head), "the arena changed");
    chain_free(&own_chains[i], head);
  }
}

/* The arena doubles and moves while collections go on. */
static void
own_allocator_moves(void) {
  void *h = open_library("libhz_own.so", RTLD_LOCAL);
  struct own o = {(int (*)(void *))symbol(h, "hz_own_push"), (void *(*)(void))symbol(h, "hz_own_pop")};
  struct hz_collector c;
  collector_start(&c, 0);
  for (int round = 0; round < 5; round++) {
    run_hidden(put_own, &o);
    clear_stack();
    hz_sleep_ms(20);
    for (unsigned i = HZ_COUNT(own_chains); i-- > 0;) {
      void *head = o.pop();
      chain_check(&own_chains[i], "reference in a moving arena");
      stop_if_bad();
      chain_free(&own_chains[i], head);
    }
  }
  collector_stop(&c);
}

/* ---- memory that goes away under a marker ---- */

static void
close_and_collect(void) {
  for (int i = 0; i < 10; i++) {
    void *h = open_library("libhz_data.so", RTLD_LOCAL);
    void (*set)(void *) = (void (*)(void *))symbol(h, "hz_data_set");
    set(malloc(100));
    collect(1);
    dlclose(h);
    collect(1);
    h = open_library("libhz_tls.so", RTLD_LOCAL);
    set = (void (*)(void *))symbol(h, "hz_tls_set");
    set(malloc(100));
    collect(1);
    dlclose(h);
    collect(1);
  }
}

static atomic_int stop, turns;

static void *
dlopen_main(void *arg) {
  (void)arg;
  char path[4400];
  snprintf(path, sizeof path, "%s/%s", hz_dir_path, "libhz_data.so");
  while (!atomic_load(&stop)) {
    void *h = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!h)
      FAIL("dlopen: %s", dlerror());
    void (*set)(void *) = (void (*)(void *))symbol(h, "hz_bss_set");
    void *(*get)(void) = (void *(*)(void))symbol(h, "hz_bss_get");
    struct hz_chain mine;
    set(chain_make_small(&mine, 3));
    churn_light(1);
    if (!chain_is_intact(&mine))
      FAIL("a block kept by a library that is being closed broke");
    chain_free(&mine, get());
    dlclose(h);
    atomic_fetch_add(&turns, 1);
  }
  return NULL;
}

static void
storm(void *(*fn)(void *), unsigned threads, double seconds, int enough) {
  pthread_t t[4];
  for (unsigned i = 0; i < threads; i++)
    hz_thread(&t[i], fn, NULL);
  double start = hz_now();
  while (hz_now() - start < seconds ||
         (atomic_load(&turns) < enough && hz_now() - start < hz_limit(8))) {
    collect_once();
    churn_light(1);
  }
  atomic_store(&stop, 1);
  for (unsigned i = 0; i < threads; i++)
    pthread_join(t[i], NULL);
  CHECK(turns >= enough, "only %d rounds", turns);
}

static void
dlopen_storm(void) {
  storm(dlopen_main, 1, 0.8, 5);
}

/* Mappings come, change protection, lose their pages, move and go, each holding a live pointer for a
   while; the marker reads them at any of these moments. */
static void *
mapping_main(void *arg) {
  (void)arg;
  size_t bytes = 256 * 1024;
  while (!atomic_load(&stop)) {
    struct hz_chain mine;
    void **m = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED)
      FAIL("mmap: %s", strerror(errno));
    m[20000] = chain_make_small(&mine, 8);
    churn_light(2);
    mprotect(m, bytes, PROT_READ);
    mprotect(m, 4096, PROT_NONE);
    mprotect(m, bytes, PROT_READ | PROT_WRITE);
    madvise(m, 4096, MADV_DONTNEED);
    void **n = mremap(m, bytes, 4 * bytes, MREMAP_MAYMOVE);
    if (n == MAP_FAILED)
      FAIL("mremap: %s", strerror(errno));
    munmap((char *)n + 2 * bytes, bytes);
    if (!chain_is_head(&mine, n[20000]) || !chain_is_intact(&mine))
      FAIL("a block known to a mapping only broke");
    chain_free(&mine, n[20000]);
    munmap(n, 2 * bytes);
    munmap((char *)n + 3 * bytes, bytes);
    atomic_fetch_add(&turns, 1);
  }
  return NULL;
}

static void
mapping_storm(void) {
  storm(mapping_main, 3, 1.2, 20);
}

/* A file mapping whose file has been cut short: reading it raises SIGBUS. */
static void
truncated_file(void) {
  for (int shared = 0; shared < 2; shared++) {
    int fd = memfd_create("short", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 1 << 20))
      SKIP("memfd_create: %s", strerror(errno));
    volatile char *m = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, shared ? MAP_SHARED : MAP_PRIVATE, fd, 0);
    if (m == MAP_FAILED)
      FAIL("mmap: %s", strerror(errno));
    m[100] = 1;
    m[500000] = 1;
    if (ftruncate(fd, 4096))
      FAIL("ftruncate: %s", strerror(errno));
    settle();
    CHECK(m[100] == 1, "the mapping changed");
  }
}

/* A mapping that may be written but whose pages cannot all be had must not be touched. */
static void
guard_pages(void) {
  char *m = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 64; i += 2)
    mprotect(m + i * 4096, 4096, PROT_NONE);
  static struct hz_chain mine[32];
  for (int i = 1; i < 64; i += 2)
    *(void **)(m + i * 4096 + 8) = chain_make_small(&mine[i / 2], (unsigned)i);
  clear_stack();
  settle();
  for (int i = 1; i < 64; i += 2)
    chain_check(&mine[i / 2], "reference between guard pages");
}

/* ---- another namespace: dl_iterate_phdr does not list it ---- */

static struct deep *namespaced;

static void
put_namespaced(void *arg) {
  (void)arg;
  namespaced->keep(chain_make(&chain, 1));
}

static void
other_namespace(void) {
  static struct deep d;
  void *h = dlmopen(LM_ID_NEWLM, hz_beside("libhz_deep.so"), RTLD_NOW);
  if (!h)
    SKIP("dlmopen: %s", dlerror());
  d.keep = (void (*)(void *))symbol(h, "hz_deep_keep");
  d.kept = (void *(*)(void))symbol(h, "hz_deep_kept");
  namespaced = &d;
  run_hidden(put_namespaced, NULL);
  clear_stack();
  settle();
  chain_check(&chain, "reference in a library of another namespace");
}

/* ---- order of start and end ---- */

static char *preinit_block;

static void
preinit(int argc, char **argv, char **envp) {
  (void)argc, (void)argv, (void)envp;
  preinit_block = malloc(40);
  strcpy(preinit_block, "before every constructor");
}

__attribute__((section(".preinit_array"), used)) static void (*const preinit_entry)(int, char **, char **) = preinit;

static void
early_blocks(void) {
  CHECK(hz_order_constructed, "the constructor did not run");
  settle();
  CHECK(hz_order_check() == 0, "block %d of a constructor broke", hz_order_check() - 1);
  CHECK(!strcmp(preinit_block, "before every constructor"), "the block of .preinit_array broke");
}

static void
at_exit(void) {
  churn_light(4);
  collect_once();
}

static void
late_sub(void) {
  setenv("HZ_LATE", "1", 1);
  atexit(at_exit);
  settle();
}

/* The library's destructor runs after the preloaded library's; it ends the process with 90. */
static void
late_destructor(void) {
  static struct hz_result r;
  char how[60];
  hz_exec_self(&r, "late_sub", NULL, environ, NULL, NULL, 10);
  CHECK(hz_exited_with(&r, 90), "late destructor: %s %.200s", hz_status_text(&r, how, sizeof how), r.out);
}

static const struct hz_case cases[] = {
  {"exchange_blocks", exchange_blocks, 0, 0},
  {"deepbind", deepbind, 0, 0},
  {"deepbind_root", deepbind_root, 0, 0},
  {"own_allocator", own_allocator, 0, 0},
  {"own_allocator_moves", own_allocator_moves, 0, 0},
  {"close_and_collect", close_and_collect, 0, 0},
  {"dlopen_storm", dlopen_storm, 0, 20},
  {"mapping_storm", mapping_storm, 0, 20},
  {"truncated_file", truncated_file, 0, 0},
  {"guard_pages", guard_pages, 0, 0},
  {"other_namespace", other_namespace, HZ_NOTED, 0},
  {"early_blocks", early_blocks, 0, 0},
  {"late_destructor", late_destructor, 0, 0},
  {"late_sub", late_sub, HZ_SUB, 0},
  {0},
};

HZ_MAIN("dlmix", cases)
