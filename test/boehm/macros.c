/* SPDX-License-Identifier: MIT */
/*
 * Uses every macro of the Boehm interface in C.  same_macros.sh compiles this with two sets of headers and compares the
 * code; where a header decides by what is defined, one more use is chosen by the same names.
 */
#include <gc/gc.h>

#include <gc/gc_backptr.h>
#include <gc/gc_disclaim.h>
#include <gc/gc_gcj.h>
#include <gc/gc_inline.h>
#include <gc/gc_mark.h>
#include <gc/gc_typed.h>
#include <gc/javaxfc.h>

/* ---- values ---- */

const long results[] = {GC_SUCCESS, GC_DUPLICATE, GC_NO_MEMORY, GC_NO_THREADS, GC_UNIMPLEMENTED, GC_NOT_FOUND};
const long versions[] = {GC_VERSION_MAJOR, GC_VERSION_MINOR, GC_VERSION_MICRO};
const long protects[] = {GC_PROTECTS_NONE, GC_PROTECTS_POINTER_HEAP, GC_PROTECTS_PTRFREE_HEAP, GC_PROTECTS_STATIC_DATA,
                         GC_PROTECTS_STACK};
const long unlimited = GC_TIME_UNLIMITED;
const long events[] = {GC_EVENT_START,          GC_EVENT_MARK_START,      GC_EVENT_MARK_END,
                       GC_EVENT_RECLAIM_START,  GC_EVENT_RECLAIM_END,     GC_EVENT_END,
                       GC_EVENT_PRE_STOP_WORLD, GC_EVENT_POST_STOP_WORLD, GC_EVENT_PRE_START_WORLD,
                       GC_EVENT_POST_START_WORLD, GC_EVENT_THREAD_SUSPENDED, GC_EVENT_THREAD_UNSUSPENDED};
const long toggles[] = {GC_TOGGLE_REF_DROP, GC_TOGGLE_REF_STRONG, GC_TOGGLE_REF_WEAK};
const long references[] = {GC_UNREFERENCED,  GC_NO_SPACE,       GC_REFD_FROM_ROOT,
                           GC_REFD_FROM_REG, GC_REFD_FROM_HEAP, GC_FINALIZER_REFD};
const long descriptors[] = {GC_DS_TAG_BITS, GC_DS_TAGS, GC_DS_LENGTH, GC_DS_BITMAP, GC_DS_PROC, GC_DS_PER_OBJECT,
                            GC_INDIR_PER_OBJ_BIAS, GC_MAKE_PROC(5, 7)};
const long procs[] = {GC_PROC_BYTES, GC_LOG_MAX_MARK_PROCS, GC_MAX_MARK_PROCS, GC_RESERVED_MARK_PROCS,
                      GC_GCJ_RESERVED_MARK_PROC_INDEX, GC_TYPE_DESCR_LEN};
const long granules[] = {GC_GRANULE_BYTES, GC_GRANULE_WORDS, GC_TINY_FREELISTS, GC_RAW_BYTES_FROM_INDEX(3),
                         GC_WORDS_TO_GRANULES(7), GC_WORDS_TO_WHOLE_GRANULES(7), GC_I_PTRFREE, GC_I_NORMAL};

struct sample {
  long number;
  void *first;
  char text[600];
  void *second;
};
const unsigned long layout[] = {GC_WORDSZ, GC_WORD_OFFSET(struct sample, second), GC_WORD_LEN(struct sample),
                                GC_BITMAP_SIZE(struct sample)};
const unsigned long sizes[] = {sizeof(GC_word), sizeof(GC_signed_word), sizeof(GC_PTR), sizeof(GC_hidden_pointer),
                               sizeof(GC_descr), sizeof(struct GC_timeval_s), sizeof(struct GC_prof_stats_s),
                               sizeof(struct GC_stack_base), sizeof(struct GC_finalizer_closure),
                               sizeof(struct GC_ms_entry)};

#define TEXT_OF(value) #value
#define TEXT(value)    TEXT_OF(value)
const char attributes[] = TEXT(GC_API GC_CALL GC_CALLBACK GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) GC_ATTR_CALLOC_SIZE(1, 2)
                                 GC_ATTR_NONNULL(1) GC_ATTR_CONST GC_ATTR_DEPRECATED);
const int prerequisites[] = {GC_GNUC_PREREQ(2, 95), GC_GNUC_PREREQ(4, 9), GC_GNUC_PREREQ(99, 0)};

const int defined_names[] = {
#ifdef GC_H
  1,
#endif
#ifdef GC_BACKPTR_H
  2,
#endif
#ifdef GC_DISCLAIM_H
  3,
#endif
#ifdef GC_GCJ_H
  4,
#endif
#ifdef GC_INLINE_H
  5,
#endif
#ifdef GC_MARK_H
  6,
#endif
#ifdef GC_TYPED_H
  7,
#endif
#ifdef GC_TINY_FL_H
  8,
#endif
#ifdef GC_JAVAXFC_H
  9,
#endif
#ifdef GC_THREADS
  10,
#endif
#ifdef GC_PTHREADS
  11,
#endif
#ifdef GC_LINUX_THREADS
  12,
#endif
#ifdef _REENTRANT
  13,
#endif
#ifdef GC_HAVE_PTHREAD_EXIT
  14,
#endif
#ifdef GC_PTHREAD_EXIT_DECLARED
  15,
#endif
#ifdef GC_PTHREAD_REDIRECTS_H
  16,
#endif
#ifdef GC_CAN_SAVE_CALL_STACKS
  17,
#endif
#ifdef GC_HAVE_BUILTIN_BACKTRACE
  18,
#endif
#ifdef GC_ADD_CALLER
  19,
#endif
#ifdef __GC
  20,
#endif
#ifdef GC_USE_LD_WRAP
  21,
#endif
#ifdef HIDE_POINTER
  22,
#endif
#ifdef REVEAL_POINTER
  23,
#endif
  0};

/* ---- allocation ---- */

struct sample *new_sample(void) { return GC_NEW(struct sample); }
struct sample *new_atomic(void) { return GC_NEW_ATOMIC(struct sample); }
struct sample *new_uncollectable(void) { return GC_NEW_UNCOLLECTABLE(struct sample); }
struct sample *new_stubborn(void) { return GC_NEW_STUBBORN(struct sample); }
void *allocate(size_t bytes) { return GC_MALLOC(bytes); }
void *allocate_atomic(size_t bytes) { return GC_MALLOC_ATOMIC(bytes); }
void *allocate_uncollectable(size_t bytes) { return GC_MALLOC_UNCOLLECTABLE(bytes); }
void *allocate_atomic_uncollectable(size_t bytes) { return GC_MALLOC_ATOMIC_UNCOLLECTABLE(bytes); }
void *allocate_ignore_off_page(size_t bytes) { return GC_MALLOC_IGNORE_OFF_PAGE(bytes); }
void *allocate_atomic_ignore_off_page(size_t bytes) { return GC_MALLOC_ATOMIC_IGNORE_OFF_PAGE(bytes); }
void *allocate_stubborn(size_t bytes) { return GC_MALLOC_STUBBORN(bytes); }
void *reallocate(void *block, size_t bytes) { return GC_REALLOC(block, bytes); }
char *copy(const char *string) { return GC_STRDUP(string); }
char *copy_part(const char *string) { return GC_STRNDUP(string, 7); }
void release(void *block) { GC_FREE(block); }
void *allocate_typed(size_t bytes, GC_descr descriptor) { return GC_MALLOC_EXPLICITLY_TYPED(bytes, descriptor); }
void *allocate_typed_array(size_t n, GC_descr d) { return GC_CALLOC_EXPLICITLY_TYPED(n + 1, n + 2, d); }
void *allocate_kind(size_t bytes, int kind) { return GC_GENERIC_OR_SPECIAL_MALLOC(bytes, kind); }
void *allocate_kind_global(size_t bytes, int kind) { return GC_malloc_kind_global(bytes, kind); }
void *allocate_gcj(size_t bytes, void *type) { return GC_GCJ_MALLOC(bytes, type); }
void *allocate_gcj_array(size_t bytes, void *type) { return GC_GCJ_MALLOC_IGNORE_OFF_PAGE(bytes, type); }
void *allocate_from(size_t bytes, GC_EXTRA_PARAMS) { return GC_debug_malloc(bytes, s, i); }
void *allocate_here(size_t bytes) { return GC_debug_malloc(bytes, GC_EXTRAS); }
void *next_of(void *block) { return GC_NEXT(block); }
void *user_part(void *block) { return GC_USR_PTR_FROM_BASE(block); }
void changes(void *block) { GC_CHANGE_STUBBORN(block); }
void changed(void *block) { GC_END_STUBBORN_CHANGE(block); }
void displace(size_t bytes) { GC_REGISTER_DISPLACEMENT(bytes); }

/* ---- finalizers and links ---- */

void
finalizers(void *block, GC_finalization_proc finalizer, void *data, GC_finalization_proc *before, void **before_data) {
  GC_REGISTER_FINALIZER(block, finalizer, data, before, before_data);
  GC_REGISTER_FINALIZER_IGNORE_SELF(block, finalizer, data, before, before_data);
  GC_REGISTER_FINALIZER_NO_ORDER(block, finalizer, data, before, before_data);
  GC_REGISTER_FINALIZER_UNREACHABLE(block, finalizer, data, before, before_data);
  GC_reachable_here(block);
}

int link_short(void **link, const char *block) { return GC_GENERAL_REGISTER_DISAPPEARING_LINK(link, block); }
int link_long(void **link, const char *block) { return GC_REGISTER_LONG_LINK(link, block); }
GC_hidden_pointer hide(void *block) { return GC_HIDE_POINTER(block); }
void *reveal(GC_hidden_pointer hidden) { return GC_REVEAL_POINTER(hidden); }
#ifdef HIDE_POINTER
GC_hidden_pointer hide_old(void *block) { return HIDE_POINTER(block); }
void *reveal_old(GC_hidden_pointer hidden) { return REVEAL_POINTER(hidden); }
#endif

/* ---- pointers ---- */

long *add(long *pointer, int count) { return GC_PTR_ADD(pointer, count); }
long *increment(long *pointer, int count) { return GC_PRE_INCR(pointer, count) + *pointer; }
long *increment_after(long **pointer) { return GC_POST_INCR(*pointer); }
long *decrement_after(long **pointer) { return GC_POST_DECR(*pointer); }
#ifdef GC_PTR_ADD3
long *add_3(long *pointer, int count) { return GC_PTR_ADD3(pointer, count, long *); }
long *increment_3(long *pointer, int count) { return GC_PRE_INCR3(pointer, count, long *); }
long *increment_after_3(long *pointer, int count) { return GC_POST_INCR3(pointer, count, long *); }
#endif
void store(long **place, long *value) { GC_PTR_STORE(place, value); }
void store_dirty(long **place, long *value) { GC_PTR_STORE_AND_DIRTY(place, value); }

/* ---- marking and layouts ---- */

struct GC_ms_entry *
push(void *word, struct GC_ms_entry *top, struct GC_ms_entry *limit, void **place) {
  return GC_MARK_AND_PUSH(word, top, limit, place);
}

GC_word make_proc(GC_word number, GC_word environment) { return GC_MAKE_PROC(number, environment); }
GC_word get_bit(GC_bitmap bitmap, size_t index) { return GC_get_bit(bitmap, index); }
void set_bit(GC_bitmap bitmap, size_t index) { GC_set_bit(bitmap, index); }

/* ---- parts of gc_inline.h: inline.c tries the whole ---- */

void list_store(void **list, void *block) { GC_FAST_M_AO_STORE(list, block); }
void prefetch(void *block) { GC_PREFETCH_FOR_WRITE(block); }
long expect(long value) { return GC_EXPECT(value > 3, 0) ? value : -value; }
void assert_so(int condition) { GC_ASSERT(condition); }

/* ---- the start, and the lock ---- */

int
start(int condition) {
  if (condition) {
    GC_INIT()
  }
  GC_INIT();
  GC_alloc_lock();
  GC_alloc_unlock();
  return GC_VERSION_MAJOR;
}

/* ---- threads ---- */

#ifdef GC_THREADS
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>

GC_SUSPEND_THREAD_ID suspended;

void *threads[] = {(void *)pthread_create, (void *)pthread_join,    (void *)pthread_detach, (void *)pthread_cancel,
                   (void *)pthread_exit,   (void *)pthread_sigmask, (void *)dlopen};

const char thread_words[] = TEXT(GC_PTHREAD_CREATE_CONST GC_PTHREAD_EXIT_ATTRIBUTE GC_SUSPEND_THREAD_ID);
#endif

/* ---- leak_detector.h, which comes last: it redirects names ---- */

#ifdef GC_DEBUG
#include <gc/leak_detector.h>

void *leaky(size_t bytes) { return malloc(bytes); }
void *leaky_array(size_t count, size_t bytes) { return calloc(count + 1, bytes + 1); }
void *leaky_again(void *block, size_t bytes) { return realloc(block, bytes); }
char *leaky_copy(const char *string) { return strdup(string); }
char *leaky_copy_part(const char *string) { return strndup(string, 3); }
void *leaky_aligned(size_t bytes) { return memalign(64, bytes); }
int leaky_posix(void **block, size_t bytes) { return posix_memalign(block, 64, bytes); }
void leaky_free(void *block) { free(block); }
void leaks(void) { CHECK_LEAKS(); }
#ifdef GC_LEAK_DETECTOR_H
const int leak_detector = 1;
#endif
#endif

/* ---- GC_REQUIRE_WCSDUP ---- */

#ifdef GC_WCSDUP
wchar_t *copy_wide(const wchar_t *string) { return GC_WCSDUP(string); }
#endif
