/* SPDX-License-Identifier: MIT */
/* roots_static - blocks whose only reference lies in static data, thread-local data, a mapping of the
   program's own or inside libc.
   Every program keeps its tables in globals; plug-ins keep theirs in dlopened data; ld.so keeps the
   thread-local blocks of plug-ins in malloc memory of which only the DTV knows; libc keeps environment
   strings, streams, locale, NSS and search trees. A collector that scans too little of this frees
   memory in use: the crash comes much later and far away. */
#include "hazard.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fnmatch.h>
#include <glob.h>
#include <iconv.h>
#include <langinfo.h>
#include <locale.h>
#include <netdb.h>
#include <pwd.h>
#include <regex.h>
#include <search.h>
#include <semaphore.h>
#include <wchar.h>
#include <wordexp.h>

static struct hz_chain chain;
static int dummy;
static void *volatile in_data = &dummy;
static void *volatile in_bss;
static void *volatile in_relro __attribute__((section(".data.rel.ro"))) = &dummy;
static __thread void *volatile in_tls;
static __thread void *volatile in_tls_data = &dummy;

/* Each `put` stores the head of a fresh chain in one place only. */
#define PUT(name, statement)                                                                       \
  static void name(void *arg) {                                                                    \
    (void)arg;                                                                                     \
    void *head = chain_make(&chain, 1);                                                            \
    statement;                                                                                     \
  }

static void
keep_and_check(void (*put)(void *), void *arg, const char *what) {
  run_hidden(put, arg);
  clear_stack();
  settle();
  chain_check(&chain, what);
}

PUT(put_data, in_data = head)
PUT(put_bss, in_bss = head)
PUT(put_tls, in_tls = head)
PUT(put_tls_data, in_tls_data = head)

static void
data(void) {
  keep_and_check(put_data, NULL, ".data");
  CHECK(chain_is_head(&chain, in_data), ".data changed");
}

static void
bss(void) {
  keep_and_check(put_bss, NULL, ".bss");
  CHECK(chain_is_head(&chain, in_bss), ".bss changed");
}

static void
protect(volatile void *p, int prot) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)p & ~(page - 1);
  if (mprotect((void *)at, page, prot))
    FAIL("mprotect: %s", strerror(errno));
}

static void
put_relro(void *arg) {
  (void)arg;
  protect(&in_relro, PROT_READ | PROT_WRITE);
  in_relro = chain_make(&chain, 1);
  protect(&in_relro, PROT_READ);
}

/* Programs that protect their own tables after start use mprotect just as ld.so does for RELRO. */
static void
relro(void) {
  keep_and_check(put_relro, NULL, "RELRO data");
  CHECK(chain_is_head(&chain, in_relro), "RELRO data changed");
}

/* ---- dlopened data ---- */

static void *
open_library(const char *name) {
  void *h = dlopen(hz_beside(name), RTLD_NOW | RTLD_LOCAL);
  if (!h)
    FAIL("dlopen: %s", dlerror());
  return h;
}

struct accessors {
  void (*set)(void *);
  void *(*get)(void);
};

static struct accessors
find_accessors(void *h, const char *set, const char *get) {
  struct accessors a = {(void (*)(void *))dlsym(h, set), (void *(*)(void))dlsym(h, get)};
  if (!a.set || !a.get)
    FAIL("dlsym: %s", dlerror());
  return a;
}

static void
put_through(void *arg) {
  struct accessors *a = arg;
  a->set(chain_make(&chain, 1));
}

static void
dlopen_data(void) {
  struct accessors a = find_accessors(open_library("libhz_data.so"), "hz_data_set", "hz_data_get");
  keep_and_check(put_through, &a, ".data of a dlopened library");
  CHECK(chain_is_head(&chain, a.get()), "the library's data changed");
}

static void
dlopen_bss(void) {
  struct accessors a = find_accessors(open_library("libhz_data.so"), "hz_bss_set", "hz_bss_get");
  keep_and_check(put_through, &a, ".bss of a dlopened library");
  CHECK(chain_is_head(&chain, a.get()), "the library's data changed");
}

/* ---- a thread that stores a chain its own way, blocks, and looks again ---- */

struct holder {
  void (*put)(void *);
  void *arg;
  void *(*get)(void *);
  struct hz_gate gate;
  atomic_int ready;
};

static void *
holder_main(void *arg) {
  struct holder *h = arg;
  run_hidden(h->put, h->arg);
  clear_stack();
  atomic_store(&h->ready, 1);
  gate_wait(&h->gate);
  chain_check(&chain, "seen by its own thread");
  CHECK(chain_is_head(&chain, h->get(h->arg)), "the thread's reference changed");
  return NULL;
}

static void
keep_in_thread(void (*put)(void *), void *arg, void *(*get)(void *), const char *what) {
  static struct holder h;
  pthread_t t;
  h = (struct holder){.put = put, .arg = arg, .get = get};
  gate_init(&h.gate);
  hz_thread(&t, holder_main, &h);
  if (!hz_wait_for(&h.ready, 1, 10))
    FAIL("the thread did not start");
  settle();
  chain_check(&chain, what);
  stop_if_bad();
  gate_open(&h.gate, 1);
  pthread_join(t, NULL);
  gate_fini(&h.gate);
}

static void *
get_tls(void *arg) {
  (void)arg;
  return in_tls;
}

static void
tls_static(void) {
  keep_and_check(put_tls, NULL, "static TLS of the main thread");
  CHECK(chain_is_head(&chain, in_tls), "TLS changed");
  keep_and_check(put_tls_data, NULL, "initialised static TLS of the main thread");
  keep_in_thread(put_tls, NULL, get_tls, "static TLS of a thread");
}

static void *
get_through(void *arg) {
  struct accessors *a = arg;
  return a->get();
}

static void
tls_dynamic_main(void) {
  struct accessors a = find_accessors(open_library("libhz_tls.so"), "hz_tls_set", "hz_tls_get");
  keep_and_check(put_through, &a, "dynamic TLS of the main thread");
  CHECK(chain_is_head(&chain, a.get()), "dynamic TLS changed");
}

static void
tls_dynamic_thread(void) {
  struct accessors a = find_accessors(open_library("libhz_tls.so"), "hz_tls_set", "hz_tls_get");
  keep_in_thread(put_through, &a, get_through, "dynamic TLS of a thread");
}

/* Each round a thread leaves its DTV and TLS block behind on a cached stack; the next pthread_create
   on that stack frees them, long after they were last reachable from a live thread. */
static void *
touch_tls(void *arg) {
  struct accessors *a = arg;
  a->set(a);
  return a->get() == a ? a : NULL;
}

static void
tls_cached_stacks(void) {
  struct accessors a = find_accessors(open_library("libhz_tls.so"), "hz_tls_set", "hz_tls_get");
  for (int round = 0; round < 12; round++) {
    pthread_t t[8];
    for (unsigned i = 0; i < HZ_COUNT(t); i++)
      hz_thread(&t[i], touch_tls, &a);
    for (unsigned i = 0; i < HZ_COUNT(t); i++) {
      void *result;
      pthread_join(t[i], &result);
      CHECK(result == &a, "dynamic TLS of a new thread is wrong");
    }
    collect(3);
  }
}

/* Copies of a library in memory files are libraries of their own. Forty of them outgrow the first
   DTV, which ld.so then reallocates. */
static void *
open_copy(const char *path) {
  static char bytes[1 << 16];
  char name[64];
  int from = open(path, O_RDONLY | O_CLOEXEC), to = memfd_create("copy", MFD_CLOEXEC);
  if (from < 0 || to < 0)
    SKIP("memfd_create: %s", strerror(errno));
  for (ssize_t n; (n = read(from, bytes, sizeof bytes)) > 0;)
    if (write(to, bytes, (size_t)n) != n)
      FAIL("write: %s", strerror(errno));
  close(from);
  snprintf(name, sizeof name, "/proc/self/fd/%d", to);
  void *h = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!h)
    SKIP("dlopen of a memory file: %s", dlerror());
  return h;
}

static struct accessors copies[40];
static struct hz_chain copy_chains[HZ_COUNT(copies)];

static void
put_copies(void *arg) {
  (void)arg;
  for (unsigned i = 0; i < HZ_COUNT(copies); i++)
    copies[i].set(chain_make_small(&copy_chains[i], i * 10));
}

static void
tls_many_libraries(void) {
  for (unsigned i = 0; i < HZ_COUNT(copies); i++)
    copies[i] = find_accessors(open_copy(hz_beside("libhz_tls.so")), "hz_tls_set", "hz_tls_get");
  run_hidden(put_copies, NULL);
  clear_stack();
  settle();
  for (unsigned i = 0; i < HZ_COUNT(copies); i++) {
    chain_check(&copy_chains[i], "dynamic TLS of one of many libraries");
    CHECK(chain_is_head(&copy_chains[i], copies[i].get()), "dynamic TLS changed");
  }
}

/* ---- pthread_setspecific: keys from 32 on live in a second-level table that libc callocs ---- */

static pthread_key_t keys[60];

static void
make_keys(void) {
  for (unsigned i = 0; i < HZ_COUNT(keys); i++)
    if (pthread_key_create(&keys[i], NULL))
      FAIL("pthread_key_create");
}

static void
put_key(void *arg) {
  pthread_setspecific(*(pthread_key_t *)arg, chain_make(&chain, 1));
}

static void *
get_key(void *arg) {
  return pthread_getspecific(*(pthread_key_t *)arg);
}

static void
keep_in_key(pthread_key_t *key) {
  keep_and_check(put_key, key, "thread-specific data of the main thread");
  CHECK(chain_is_head(&chain, pthread_getspecific(*key)), "thread-specific data changed");
  keep_in_thread(put_key, key, get_key, "thread-specific data of a thread");
}

static void
tsd_low_key(void) {
  make_keys();
  CHECK(keys[0] < 32, "the first key is %u", keys[0]);
  keep_in_key(&keys[0]);
}

static void
tsd_high_key(void) {
  make_keys();
  CHECK(keys[HZ_COUNT(keys) - 1] >= 32, "the last key is %u", keys[HZ_COUNT(keys) - 1]);
  keep_in_key(&keys[HZ_COUNT(keys) - 1]);
}

/* ---- interior pointers ---- */

enum { INTERIOR_SIZES = 12 };
static const size_t interior_sizes[INTERIOR_SIZES] = {
  16, 24, 48, 100, 256, 1000, 4096, 8192, 33000, 100000, 300000, 3000000};
static void *volatile interior_at[INTERIOR_SIZES];
static struct hz_chain interior_chain[INTERIOR_SIZES];
static unsigned interior_numerator;   /* in quarters of the block; 5: its last byte */

static void
put_interior(void *arg) {
  (void)arg;
  for (unsigned i = 0; i < INTERIOR_SIZES; i++) {
    size_t n = interior_sizes[i];
    char *p = chain_make_sizes(&interior_chain[i], i * 7, &interior_sizes[i], 1);
    interior_at[i] = interior_numerator == 5 ? p + n - 1 : p + n * interior_numerator / 4 + 1;
  }
}

static void
interior(void) {
  static const unsigned where[] = {0, 2, 3, 5};
  for (unsigned k = 0; k < HZ_COUNT(where); k++) {
    interior_numerator = where[k];
    run_hidden(put_interior, NULL);
    clear_stack();
    settle();
    for (unsigned i = 0; i < INTERIOR_SIZES; i++)
      chain_check(&interior_chain[i], "interior pointer in static data");
  }
}

/* ---- mappings of the program's own ---- */

static void **map;

static void
put_map(void *arg) {
  map[*(unsigned *)arg] = chain_make(&chain, 1);
}

static void
keep_in_map(int flags, int prot_after, unsigned slot, const char *what) {
  size_t bytes = 64 * 1024;
  map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (map == MAP_FAILED)
    FAIL("mmap: %s", strerror(errno));
  run_hidden(put_map, &slot);
  if (mprotect(map, bytes, prot_after))
    FAIL("mprotect: %s", strerror(errno));
  clear_stack();
  settle();
  chain_check(&chain, what);
  if (prot_after & PROT_READ)
    CHECK(chain_is_head(&chain, map[slot]), "the mapping changed");
}

static void
mmap_private(void) {
  keep_in_map(MAP_PRIVATE | MAP_ANONYMOUS, PROT_READ | PROT_WRITE, 1000, "private mapping");
  keep_in_map(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, PROT_READ | PROT_WRITE, 8191,
              "last word of a private mapping");
}

/* Interpreters and sandboxes seal their tables after start. */
static void
mmap_made_read_only(void) {
  keep_in_map(MAP_PRIVATE | MAP_ANONYMOUS, PROT_READ, 1000, "mapping made read-only");
}

static void
mmap_made_executable(void) {
  keep_in_map(MAP_PRIVATE | MAP_ANONYMOUS, PROT_READ | PROT_EXEC, 1000, "mapping of generated code");
}

static void
mmap_made_inaccessible(void) {
  keep_in_map(MAP_PRIVATE | MAP_ANONYMOUS, PROT_NONE, 1000, "mapping made inaccessible");
}

static void
mmap_shared(void) {
  keep_in_map(MAP_SHARED | MAP_ANONYMOUS, PROT_READ | PROT_WRITE, 1000, "shared mapping");
  keep_in_map(MAP_SHARED | MAP_ANONYMOUS, PROT_NONE, 8191, "last word of a shared mapping made inaccessible");
}

/* A sparse mapping must be scanned without being populated. */
static void
mmap_sparse(void) {
  size_t bytes = (size_t)4 << 30;
  unsigned slot = (unsigned)(bytes / sizeof *map / 2);
  map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED)
    SKIP("mmap of 4 GiB: %s", strerror(errno));
  run_hidden(put_map, &slot);
  clear_stack();
  settle();
  chain_check(&chain, "one word in a sparse mapping of 4 GiB");
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  CHECK(u.ru_maxrss < 1 << 20, "collections populated a sparse mapping: %ld KiB", u.ru_maxrss);
}

static void
put_brk(void *arg) {
  void **slot = arg;
  *slot = chain_make(&chain, 1);
}

/* Allocators inside programs still use sbrk. */
static void
sbrk_memory(void) {
  void **memory = sbrk(64 * 1024);
  if (memory == (void *)-1)
    SKIP("sbrk: %s", strerror(errno));
  keep_and_check(put_brk, memory + 3000, "memory from sbrk");
}

/* A private file mapping is data too, once written. */
static void
mmap_private_file(void) {
  int fd = memfd_create("data", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, 65536))
    SKIP("memfd_create: %s", strerror(errno));
  map = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (map == MAP_FAILED)
    FAIL("mmap: %s", strerror(errno));
  unsigned slot = 777;
  keep_and_check(put_map, &slot, "private file mapping");
}

/* Packed structures hold pointers at odd addresses. */
static struct __attribute__((packed)) {
  uint32_t tag;
  void *pointer;
} packed __attribute__((aligned(8)));

PUT(put_packed, packed.pointer = head)

static void
packed_structure(void) {
  keep_and_check(put_packed, NULL, "pointer at an address not divisible by 8");
  CHECK(packed.tag == 0 && chain_is_head(&chain, packed.pointer), "the structure changed");
}

/* ---- inside libc ---- */

static void
put_env(void *arg) {
  (void)arg;
  char name[40], value[3000];
  for (int i = 0; i < 300; i++) {
    snprintf(name, sizeof name, "HZ_VARIABLE_%d", i);
    memset(value, 'a' + i % 26, sizeof value);
    value[i * 9] = 0;
    if (setenv(name, value, 1))
      FAIL("setenv");
    if (i % 3 == 0) {
      char *pair = malloc(100);
      snprintf(pair, 100, "HZ_PAIR_%d=%d", i, i * i);
      if (putenv(pair))
        FAIL("putenv");
    }
  }
}

static void
environment(void) {
  run_hidden(put_env, NULL);
  clear_stack();
  settle();
  for (int i = 0; i < 300; i++) {
    char name[40];
    snprintf(name, sizeof name, "HZ_VARIABLE_%d", i);
    const char *v = getenv(name);
    CHECK(v && strlen(v) == (size_t)i * 9, "%s has %zd bytes", name, v ? (ssize_t)strlen(v) : -1);
    for (const char *s = v; s && *s; s++)
      if (*s != 'a' + i % 26) {
        hz_bad("%s was overwritten", name);
        break;
      }
    if (i % 3)
      continue;
    snprintf(name, sizeof name, "HZ_PAIR_%d", i);
    v = getenv(name);
    CHECK(v && atoi(v) == i * i, "%s is %s", name, v ? v : "gone");
  }
}

/* Exit handlers: the sub case exits with 7 when all arguments were intact in the right order. */
static struct hz_chain exit_chains[100];
static unsigned exit_calls;

static void
exit_handler(int status, void *arg) {
  unsigned i = HZ_COUNT(exit_chains) - 1 - exit_calls++;
  if (!chain_is_head(&exit_chains[i], arg) || !chain_is_intact(&exit_chains[i]) || status != 0)
    _exit(3);
  chain_free(&exit_chains[i], arg);
  if (i == 0)
    _exit(7);
}

static void
put_exit(void *arg) {
  (void)arg;
  for (unsigned i = 0; i < HZ_COUNT(exit_chains); i++)
    if (on_exit(exit_handler, chain_make_small(&exit_chains[i], i * 5)))
      FAIL("on_exit");
}

static void
exit_arguments_sub(void) {
  run_hidden(put_exit, NULL);
  clear_stack();
  settle();
}

static void
exit_arguments(void) {
  static struct hz_result r;
  char how[60];
  hz_exec_self(&r, "exit_arguments_sub", NULL, environ, NULL, NULL, 12);
  CHECK(hz_exited_with(&r, 7), "on_exit arguments: %s %s", hz_status_text(&r, how, sizeof how), r.out);
}

static void
stdio_stream(void) {
  FILE *volatile f = tmpfile(), *volatile g, *volatile m;
  char *text = NULL, line[100];
  size_t len = 0;
  if (!f)
    FAIL("tmpfile: %s", strerror(errno));
  g = fmemopen(NULL, 5000, "w+");
  m = open_memstream(&text, &len);
  for (int i = 0; i < 400; i++) {
    fprintf(f, "line %d\n", i);
    fprintf(g, "%d\n", i % 10);
    fprintf(m, "%d,", i);
    if (i % 100 == 50) {
      clear_stack();
      settle();
    }
  }
  rewind(f);
  rewind(g);
  for (int i = 0; i < 400; i++) {
    int a = -1, b = -1;
    CHECK(fgets(line, sizeof line, f) && sscanf(line, "line %d", &a) == 1 && a == i,
          "stream: line %d is %s", i, line);
    CHECK(fgets(line, sizeof line, g) && sscanf(line, "%d", &b) == 1 && b == i % 10,
          "memory stream: line %d is %s", i, line);
    if (i % 200 == 100)
      settle();
  }
  fclose(f);
  fclose(g);
  fclose(m);
  CHECK(len == 1490 && !strncmp(text, "0,1,2,", 6), "open_memstream gave %zu bytes", len);
  free(text);
}

static void
directory_stream(void) {
  DIR *volatile d = opendir("/proc/self/fd"), *volatile e = opendir("/");
  if (!d || !e)
    SKIP("opendir: %s", strerror(errno));
  unsigned before = 0, after = 0;
  while (before < 3 && readdir(e))
    before++;
  settle();
  while (readdir(e))
    after++;
  unsigned total = 0;
  rewinddir(e);
  while (readdir(e))
    total++;
  CHECK(total == before + after, "readdir found %u + %u of %u entries", before, after, total);
  closedir(d);
  closedir(e);
}

static int compare_calls;

static int
compare_and_collect(const void *a, const void *b) {
  if (++compare_calls % 20000 == 0)
    collect(3);
  const unsigned *x = a, *y = b;
  return *x < *y ? -1 : *x > *y;
}

/* A large qsort works in a malloc block that only its own frame knows. */
static void
sorting(void) {
  enum { N = 20000 };
  unsigned (*array)[4] = malloc(N * sizeof *array);
  for (unsigned i = 0; i < N; i++)
    for (unsigned j = 0; j < 4; j++)
      array[i][j] = i * 2654435761u + j;
  qsort(array, N, sizeof *array, compare_and_collect);
  for (unsigned i = 0; i < N; i++) {
    CHECK(!i || array[i - 1][0] <= array[i][0], "not sorted at %u", i);
    CHECK(array[i][3] == array[i][0] + 3, "element %u is torn", i);
  }
  CHECK(compare_calls > N, "comparison was called %d times", compare_calls);
  free(array);
}

/* The balanced trees of libc keep a colour in the lowest bit of a node's pointer. */
static int
compare_words(const void *a, const void *b) {
  return (uintptr_t)a < (uintptr_t)b ? -1 : (uintptr_t)a > (uintptr_t)b;
}

static void *tree;

static void
put_tree(void *arg) {
  (void)arg;
  for (uintptr_t i = 1; i <= 3000; i++)
    if (!tsearch((void *)(i * 7919 % 3001), &tree, compare_words))
      FAIL("tsearch");
}

static void
search_tree(void) {
  run_hidden(put_tree, NULL);
  clear_stack();
  settle();
  for (uintptr_t i = 1; i <= 3000; i++) {
    void **node = tfind((void *)i, &tree, compare_words);
    CHECK(node && *node == (void *)i, "node %zu of a search tree is lost", (size_t)i);
  }
  for (uintptr_t i = 1; i <= 3000; i += 2)
    tdelete((void *)i, &tree, compare_words);
  settle();
  for (uintptr_t i = 1; i <= 3000; i++) {
    bool found = tfind((void *)i, &tree, compare_words) != NULL;
    CHECK(found == (i % 2 == 0), "node %zu after deletes", (size_t)i);
  }
}

static void
put_table(void *arg) {
  (void)arg;
  if (!hcreate(2000))
    FAIL("hcreate");
  for (int i = 0; i < 1000; i++) {
    char key[20];
    snprintf(key, sizeof key, "key%d", i);
    ENTRY e = {strdup(key), strdup(key)};
    if (!hsearch(e, ENTER))
      FAIL("hsearch");
  }
}

static void
hash_table(void) {
  run_hidden(put_table, NULL);
  clear_stack();
  settle();
  for (int i = 0; i < 1000; i++) {
    char key[20];
    snprintf(key, sizeof key, "key%d", i);
    ENTRY e = {key, NULL}, *found = hsearch(e, FIND);
    CHECK(found && !strcmp(found->data, key), "%s of the hash table is lost", key);
  }
}

static void
regular_expressions(void) {
  static regex_t expression[8];
  static const char *const text[8] = {"^(a|b)*c$", "[[:alpha:]]+[0-9]{2,5}", "(x+x+)+y", "^$",
                                      "a.c|b.*d|e?f+", "\\(group\\)", "[^,]*,[^,]*", "z{3}"};
  for (unsigned i = 0; i < 8; i++)
    CHECK(!regcomp(&expression[i], text[i], REG_EXTENDED), "regcomp %s", text[i]);
  clear_stack();
  for (int round = 0; round < 3; round++) {
    settle();
    CHECK(!regexec(&expression[0], "ababac", 0, NULL, 0), "regexec 0");
    CHECK(!regexec(&expression[1], "--abc123", 0, NULL, 0), "regexec 1");
    CHECK(regexec(&expression[2], "xxxxxxxxxx", 0, NULL, 0), "regexec 2");
    CHECK(!regexec(&expression[3], "", 0, NULL, 0), "regexec 3");
    CHECK(!regexec(&expression[4], "..bxxd", 0, NULL, 0), "regexec 4");
    CHECK(!regexec(&expression[5], "(group)", 0, NULL, 0), "regexec 5");
    CHECK(!regexec(&expression[6], "a,b", 0, NULL, 0), "regexec 6");
    CHECK(regexec(&expression[7], "zz", 0, NULL, 0), "regexec 7");
  }
  for (unsigned i = 0; i < 8; i++)
    regfree(&expression[i]);
}

static void
locales(void) {
  static locale_t other;
  const char *set = setlocale(LC_ALL, "C.UTF-8");
  other = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
  clear_stack();
  for (int round = 0; round < 3; round++) {
    settle();
    CHECK(!set || !strcmp(setlocale(LC_ALL, NULL), "C.UTF-8"), "setlocale(NULL) gives %s",
          setlocale(LC_ALL, NULL));
    if (set) {
      wchar_t wide[10];
      CHECK(mbstowcs(wide, "a\xc3\xa9z", 10) == 3 && wide[1] == 0xe9, "mbstowcs");
    }
    if (other) {
      locale_t old = uselocale(other);
      CHECK(!strcmp(nl_langinfo(CODESET), "UTF-8"), "nl_langinfo(CODESET)");
      CHECK(strcoll("a", "b") < 0, "strcoll");
      uselocale(old);
    }
    setenv("TZ", round & 1 ? "CET-1CEST,M3.5.0,M10.5.0/3" : "EST5EDT,M3.2.0,M11.1.0", 1);
    tzset();
    time_t t = 1700000000;
    struct tm tm;
    localtime_r(&t, &tm);
    CHECK(tm.tm_hour == (round & 1 ? 23 : 17), "local time is %d h", tm.tm_hour);
  }
  setlocale(LC_ALL, "C");
}

static void
names_and_converters(void) {
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
  struct addrinfo *volatile list = NULL, *got = NULL;
  CHECK(!getaddrinfo("127.0.0.1", "80", &hints, &got), "getaddrinfo");
  list = got;
  got = NULL;
  volatile iconv_t latin = iconv_open("ISO-8859-1", "UTF-8"), wide = iconv_open("UTF-16LE", "UTF-8");
  for (int round = 0; round < 3; round++) {
    settle();
    struct passwd *root = getpwuid(0);
    CHECK(!root || !strcmp(root->pw_dir, "/root") || *root->pw_dir == '/', "getpwuid");
    CHECK(list && list->ai_addrlen && list->ai_addr->sa_family == AF_INET, "the address list broke");
    char in[] = "caf\xc3\xa9", out[20] = "", *ip = in, *op = out;
    size_t in_left = 5, out_left = sizeof out;
    if (latin != (iconv_t)-1)
      CHECK(iconv(latin, &ip, &in_left, &op, &out_left) == 0 && (unsigned char)out[3] == 0xe9,
            "iconv to Latin-1");
    ip = in, op = out, in_left = 5, out_left = sizeof out;
    if (wide != (iconv_t)-1)
      CHECK(iconv(wide, &ip, &in_left, &op, &out_left) == 0 && out_left == 12, "iconv to UTF-16");
  }
  freeaddrinfo(list);
  if (latin != (iconv_t)-1)
    iconv_close(latin);
  if (wide != (iconv_t)-1)
    iconv_close(wide);
}

static void
expansions(void) {
  static glob_t g;
  static wordexp_t w;
  CHECK(!glob("/*", 0, NULL, &g), "glob");
  setenv("HZ_WORDS", "one two three", 1);
  int expanded = wordexp("$HZ_WORDS four", &w, WRDE_NOCMD);
  clear_stack();
  settle();
  for (size_t i = 0; i < g.gl_pathc; i++)
    CHECK(g.gl_pathv[i][0] == '/', "glob entry %zu was overwritten", i);
  CHECK(expanded == 0 && w.we_wordc == 4 && !strcmp(w.we_wordv[3], "four"), "wordexp");
  globfree(&g);
  wordfree(&w);
}

static const struct hz_case cases[] = {
  {"data", data, 0, 0},
  {"bss", bss, 0, 0},
  {"relro", relro, 0, 0},
  {"dlopen_data", dlopen_data, 0, 0},
  {"dlopen_bss", dlopen_bss, 0, 0},
  {"tls_static", tls_static, 0, 0},
  {"tls_dynamic_main", tls_dynamic_main, 0, 0},
  {"tls_dynamic_thread", tls_dynamic_thread, 0, 0},
  {"tls_cached_stacks", tls_cached_stacks, 0, 0},
  {"tls_many_libraries", tls_many_libraries, 0, 0},
  {"tsd_low_key", tsd_low_key, 0, 0},
  {"tsd_high_key", tsd_high_key, 0, 0},
  {"interior", interior, 0, 0},
  {"mmap_private", mmap_private, 0, 0},
  {"mmap_made_read_only", mmap_made_read_only, 0, 0},
  {"mmap_made_executable", mmap_made_executable, 0, 0},
  {"mmap_made_inaccessible", mmap_made_inaccessible, HZ_NOTED, 0},
  {"mmap_shared", mmap_shared, 0, 0},
  {"mmap_sparse", mmap_sparse, 0, 0},
  {"mmap_private_file", mmap_private_file, 0, 0},
  {"sbrk_memory", sbrk_memory, 0, 0},
  {"packed_structure", packed_structure, HZ_NOTED, 0},
  {"environment", environment, 0, 0},
  {"exit_arguments", exit_arguments, 0, 0},
  {"exit_arguments_sub", exit_arguments_sub, HZ_SUB, 0},
  {"stdio_stream", stdio_stream, 0, 0},
  {"directory_stream", directory_stream, 0, 0},
  {"sorting", sorting, 0, 0},
  {"search_tree", search_tree, 0, 0},
  {"hash_table", hash_table, 0, 0},
  {"regular_expressions", regular_expressions, 0, 0},
  {"locales", locales, 0, 0},
  {"names_and_converters", names_and_converters, 0, 0},
  {"expansions", expansions, 0, 0},
  {0},
};

HZ_MAIN("roots_static", cases)
