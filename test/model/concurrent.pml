/* SPDX-License-Identifier: MIT */
/*
 * The protocol of a cycle beside the program (lib/gc/collection.c, doc/design.md, "Marking while the program runs") for
 * spin: nothing that can be reached is swept or handed out again.  test/model/concurrent.sh runs it.
 *
 * A heap of four slots with one pointer each, in two spans of one page and two words of one slot each (with -DLARGE the
 * second span is a large block that comes and goes); threads with two registers, which stand for all roots, that load,
 * store, drop, allocate, and free what nothing points to; a collector.  Each access to memory that somebody else may
 * change meanwhile is a step of its own, and threads and collector interleave between any two.
 *
 * Asserted: whenever a slot is swept, given out or given back, no registers lead to it; and no thread ever loads a
 * pointer to a free slot.
 *
 * Left out, and why that loses nothing:
 *   - Store buffers.  Collecting and arming a page ends with a flush of all TLBs, and stopping a thread with a message
 *     from it: before both the thread's stores are in memory.  In between the collector may read an old word: the new
 *     one was then written after its page was armed, and is found there later.  A marker that has read a pointer to a
 *     slot sees the slot's free bit at least as new as when that was stored, as x86 (TSO) keeps the order of stores and
 *     of loads; FREE_BIT_FIRST reads it too early on purpose, and nothing is lost even so.
 *   - The fault at a write to an armed page.  The store is repeated until the page is not armed: one step here.
 *   - The two words free and remote are one: a slot is free if either bit is set.  A sweep reads it with the mark in one
 *     step: nobody else changes marks then, and a free that comes between the two is as good as one after them.
 *   - Lists of grey spans, and the short queues of words and blocks: a block is grey if it is marked and not scanned.
 *   - Confirmation by a second cycle, which only reclaims later.
 *   - The same structure for one span after the other: test/model/reuse.pml.
 *
 * A mutant is a name defined with -D; what it does wrong stands beside it.
 */
#ifndef THREADS
#define THREADS 1
#endif
#ifndef STEPS       /* of each thread */
#define STEPS 5
#endif
#ifndef CYCLES
#define CYCLES 1
#endif
#ifndef ROUNDS      /* of looking at written pages before the last stop */
#define ROUNDS 1
#endif

#define REGISTERS      2                        /* of each thread */
#define NIL            0
#define BIT(slot)      (1 << (slot))            /* slots are 1 to 4; bit 0 is NIL's and means nothing */
#define SPAN_OF(slot)  (((slot) - 1) / 2)       /* also its page */
#ifdef LARGE
#define SLOTS_OF(span) ((span) -> BIT(3) : BIT(1) | BIT(2))   /* the second span is a large block, not made yet */
#else
#define SLOTS_OF(span) (6 << (2 * (span)))
#endif
#define LOWEST(bits)   ((bits) & 2 -> 1 : ((bits) & 4 -> 2 : ((bits) & 8 -> 3 : 4)))

/* ---- what threads and collector share ---- */

byte field[5];
byte free_bits, marks, scanned;   /* of slots */
byte written;                     /* slots whose pointer was stored since they were allocated: what lay there is none */
byte armed, dirty;                /* pages */
#ifdef OPEN
byte open;                        /* pages that are not armed at first, and count as written (gc/open_pages.h) */
#endif
byte used;                        /* spans */
bool is_reuse_deferred, limbo;    /* of the second span: freed, and kept for the marker */
byte owner[2];                    /* of a span: 0, or the thread that allocates from it, plus one */
byte window[THREADS];             /* the slot whose word a thread allocates from, or NIL */
byte registers[THREADS * REGISTERS];
byte taken[THREADS];              /* a slot on its way from the window to a register: no pointer to it exists */
byte inside;                      /* threads in a slow path, which must not be stopped there */
bool stopped;

byte turn = 2;                    /* as span_sweep_turn, and swept_in: the turn, or it less 2, or it and BUSY */
byte swept_in[2];
#define BUSY 1

/* Slots in which no block is: free, or of a span that is. */
#ifdef LARGE
#define FREE_SLOTS (free_bits | ((used & BIT(1)) -> 0 : BIT(3)))
#else
#define FREE_SLOTS free_bits
#endif

/* ---- the property ---- */

#define FOLLOW(slot) if :: reached & written & BIT(slot) -> reached = reached | BIT(field[slot]) :: else fi
#define FOLLOW_ALL   FOLLOW(1); FOLLOW(2); FOLLOW(3); FOLLOW(4)

byte reached;   /* scratch, used within one step */

inline find_reached() {
  d_step {
    reached = BIT(registers[0]) | BIT(registers[1]);
#if THREADS > 1
    reached = reached | BIT(registers[2]) | BIT(registers[3]);
#endif
    FOLLOW_ALL; FOLLOW_ALL; FOLLOW_ALL;
    reached = reached | BIT(taken[0]);
#if THREADS > 1
    reached = reached | BIT(taken[1]);
#endif
    reached = reached & ~BIT(NIL);
  }
}

inline must_be_unreachable(slots) {
  find_reached();
  assert(!(reached & (slots)));
  reached = 0;
}

/* ---- sweep (span_sweep.c) ---- */

/* judge_word and the rest of sweep_small, for one word: what is in a window is not judged. */
inline sweep_word(slot, dead) {
  atomic {
    dead = BIT(slot) & ~free_bits & ~marks;
#if !defined(JUDGE_WINDOW) && !defined(BLACK)   /* mutant: it is */
    if
    :: owner[SPAN_OF(slot)] && window[owner[SPAN_OF(slot)] - 1] == slot -> dead = 0
    :: else
    fi
#endif
  }
  atomic {
    marks = marks & ~BIT(slot);
#ifndef KEEP_SCANNED   /* mutant: the next cycle takes the block for scanned */
    scanned = scanned & ~BIT(slot)
#endif
  }
  atomic {
    must_be_unreachable(dead);
    free_bits = free_bits | dead;
    dead = 0
  }
}

/* sweep_small or sweep_large, and the end of try_claimed */
inline sweep_claimed(span, dead) {
#ifdef LARGE
  if
  :: span == 1 ->
    atomic { dead = BIT(3) & ~marks; marks = marks & ~BIT(3); scanned = scanned & ~BIT(3) }
    swept_in[1] = turn;
    if
    :: dead -> free_span(dead)
    :: else
    fi
  :: else ->
    sweep_word(1, dead);
    sweep_word(2, dead);
    swept_in[0] = turn
  fi
#else
  sweep_word(2 * span + 1, dead);
  sweep_word(2 * span + 2, dead);
  swept_in[span] = turn
#endif
}

/* page_heap_free of the large block */
inline free_span(dead) {
  atomic {
    must_be_unreachable(dead);
    dead = 0;
    used = used & ~BIT(1);
    limbo = is_reuse_deferred
  }
}

/* span_sweep_wait: the compare-and-swap, or waiting. */
inline ensure_swept(span, dead) {
  if
  :: swept_in[span] == turn
  :: atomic { swept_in[span] == turn - 2 -> swept_in[span] = turn + BUSY };
    sweep_claimed(span, dead)
  fi
}

/* ---- threads ---- */

#define REGISTER(n) registers[me * REGISTERS + (n)]
#define STEP        !stopped && steps > 0

inline load(to, from) {
  atomic {
    STEP && REGISTER(from) != NIL && (written & BIT(REGISTER(from))) ->
    steps--;
    REGISTER(to) = field[REGISTER(from)];
    assert(REGISTER(to) == NIL || !(FREE_SLOTS & BIT(REGISTER(to))))
  }
}

/* Atomic with regard to collect_page: that a page is armed is seen by the store itself. */
inline store(into, from) {
  atomic {
    STEP && REGISTER(into) != NIL ->
    steps--;
    field[REGISTER(into)] = REGISTER(from);
    written = written | BIT(REGISTER(into));
    if
    :: armed & BIT(SPAN_OF(REGISTER(into))) ->
      armed = armed & ~BIT(SPAN_OF(REGISTER(into)));
      dirty = dirty | BIT(SPAN_OF(REGISTER(into)))
    :: else
    fi
  }
}

#ifdef LARGE
#define IS_LARGE(slot) ((slot) == 3)
#else
#define IS_LARGE(slot) false
#endif

/* Clears a register, and may free the block if that was the last way to it. */
inline drop(from) {
  atomic {
    STEP && REGISTER(from) != NIL ->
    steps--;
    slot = REGISTER(from);
    REGISTER(from) = NIL;
    find_reached();
    if
    :: !(reached & BIT(slot)) && !IS_LARGE(slot) -> free_bits = free_bits | BIT(slot); slot = NIL
    :: !(reached & BIT(slot)) && IS_LARGE(slot) -> inside++
    :: slot = NIL
    fi;
    reached = 0
  }
#ifdef LARGE
  if   /* free_large */
  :: slot != NIL ->
    slot = NIL;
    ensure_swept(1, dead);
    dead = BIT(3);
    free_span(dead);
    inside--
  :: else
  fi
#endif
}

#define CAN_POP (free_bits & ~BIT(NIL) & BIT(window[me]))

inline take_slot() {
  must_be_unreachable(BIT(window[me]));
  free_bits = free_bits & ~BIT(window[me]);
  written = written & ~BIT(window[me]);
  taken[me] = window[me]
}

/*
 * Another design: slots are marked when they are taken, from is_black on, and sweeps judge windows and ask nobody
 * (-DBLACK).  That would do if no thread were ever stopped while it takes one; malloc's fast path can be stopped
 * anywhere, and is in the mutant BLACK_STOPPABLE.
 */
bool is_black;

inline pop_black(to) {
#ifdef BLACK_STOPPABLE
  atomic { STEP && CAN_POP -> steps--; is_new_black = is_black }
#else
  atomic { STEP && CAN_POP -> steps--; inside++; is_new_black = is_black }
#endif
  atomic {
    inside || !stopped ->
    take_slot();
    if
    :: is_new_black -> marks = marks | BIT(taken[me])
    :: else
    fi;
    is_new_black = false
  }
#ifdef BLACK_STOPPABLE
  atomic { !stopped -> REGISTER(to) = taken[me]; taken[me] = NIL }
#else
  atomic { REGISTER(to) = taken[me]; taken[me] = NIL; inside-- }
#endif
}

/* thread_cache_try_pop: it can be stopped when it has the slot and nothing points to it. */
inline pop(to) {
#ifdef BLACK
  pop_black(to)
#else
  atomic { STEP && CAN_POP -> steps--; take_slot() }
  atomic { !stopped -> REGISTER(to) = taken[me]; taken[me] = NIL }
#endif
}

#define IS_PARTIAL(span) ((used & BIT(span)) && !owner[span] && (free_bits & SLOTS_OF(span)))

#if defined(SWEEP_WITHOUT_CLAIM) || defined(BLACK)   /* mutant: threads allocate from spans that are not swept */
#define OWNER_ENSURE_SWEPT(span) skip
#else
#define OWNER_ENSURE_SWEPT(span) ensure_swept(span, dead)
#endif

/* make_current */
inline take_span(span) {
  OWNER_ENSURE_SWEPT(span);
  window[me] = LOWEST(free_bits & SLOTS_OF(span))
}

/* thread_cache_refill: the window moves in its span, or to another span. */
inline refill() {
  atomic {
    STEP && !CAN_POP &&
    (IS_PARTIAL(0) || IS_PARTIAL(1) || (window[me] != NIL && (free_bits & SLOTS_OF(SPAN_OF(window[me]))))) ->
    inside++
  }
  if
  :: window[me] != NIL ->
#ifndef MOVE_UNSWEPT   /* mutant: a window is moved away before its span is swept */
    OWNER_ENSURE_SWEPT(SPAN_OF(window[me]));
#endif
    atomic {
      if
      :: free_bits & SLOTS_OF(SPAN_OF(window[me])) -> window[me] = LOWEST(free_bits & SLOTS_OF(SPAN_OF(window[me])))
      :: else -> owner[SPAN_OF(window[me])] = 0; window[me] = NIL   /* retire_current */
      fi
    }
  :: else
  fi;
  if
  :: window[me] != NIL
  :: atomic { window[me] == NIL && IS_PARTIAL(0) -> owner[0] = me + 1 };
    take_span(0)
  :: atomic { window[me] == NIL && IS_PARTIAL(1) -> owner[1] = me + 1 };
    take_span(1)
  :: window[me] == NIL && !IS_PARTIAL(0) && !IS_PARTIAL(1)   /* another thread was faster */
  fi;
  inside--
}

#ifdef LARGE
/* alloc_large */
inline make_large(to) {
  atomic {
    STEP && !(used & BIT(1)) && !limbo ->
    steps--;
    inside++;
    must_be_unreachable(BIT(3));
    marks = marks & ~BIT(3);
    scanned = scanned & ~BIT(3);
    written = written & ~BIT(3);
#ifndef SWEEP_NEW   /* mutant: spans made after the mark are judged */
    swept_in[1] = turn;
#endif
    used = used | BIT(1);
    taken[me] = 3
  }
  atomic { REGISTER(to) = taken[me]; taken[me] = NIL; inside-- }
}
#endif

proctype thread(byte me) {
  byte steps = STEPS, slot, dead;
#ifdef BLACK
  bool is_new_black;
#endif
end:
  do
  :: load(0, 0)
  :: load(0, 1)
  :: load(1, 0)
  :: load(1, 1)
  :: store(0, 0)
  :: store(0, 1)
  :: store(1, 0)
  :: store(1, 1)
  :: drop(0)
  :: drop(1)
  :: pop(0)
  :: pop(1)
  :: refill()
#ifdef LARGE
  :: make_large(0)
  :: make_large(1)
#endif
  od
}

/* ---- marking (mark.c) ---- */

/* A word is read, then the slot's bits; the mark is set together with that, as a free that comes between has the same
 * effect as one after it. */
inline mark_candidate() {
  atomic {
    if
    :: !(marks & BIT(target)) && !(seen_free & BIT(target)) -> marks = marks | BIT(target)
    :: else
    fi;
    target = NIL;
    seen_free = 0
  }
}

/* scan_range */
inline scan(slot) {
#ifdef FREE_BIT_FIRST   /* no mutant: not wrong */
  seen_free = FREE_SLOTS;
#endif
  target = field[slot];
  if
  :: atomic {
      target != NIL ->
#ifndef FREE_BIT_FIRST
      seen_free = FREE_SLOTS;
#endif
      mark_candidate()
    }
  :: target == NIL
  fi
}

/* mark_drain, with take_grey */
inline drain() {
  do
  :: limbo -> limbo = false   /* let_go */
  :: atomic { marks & ~scanned -> at = LOWEST(marks & ~scanned); scanned = scanned | BIT(at) };
    scan(at);
    at = 0
  :: else -> break
  od
}

/* mark_rescan_range */
inline rescan() {
  at = 1;
  do
  :: atomic { at <= 4 && (found & BIT(SPAN_OF(at))) && (marks & ~(FREE_SLOTS) & BIT(at)) -> skip };
    scan(at);
    at++
  :: atomic { at <= 4 && !((found & BIT(SPAN_OF(at))) && (marks & ~(FREE_SLOTS) & BIT(at))) -> at++ }
  :: atomic { at > 4 -> at = 0; break }
  od
}

inline scan_roots() {
  at = 0;
  do
  :: at < THREADS * REGISTERS ->
    target = registers[at];
    seen_free = FREE_SLOTS | BIT(NIL);
    mark_candidate();
    at++
  :: else -> at = 0; break
  od
}

/* ---- written pages (dirty_heap.c) ---- */

#ifdef OPEN
#ifdef KEEP_OPEN   /* mutant: in the last stop, too */
#define IS_LEFT_OPEN(page) (open & BIT(page))
#else
#define IS_LEFT_OPEN(page) ((open & BIT(page)) && !stopped)
#endif
#define CLOSE(page)        open = open & ~BIT(page)
#else
#define IS_LEFT_OPEN(page) false
#define CLOSE(page)        skip
#endif

/* PAGEMAP_SCAN: a page that was written is told and armed again in one step.  Which pages stay open is anybody's
 * guess. */
inline collect_page(page) {
  atomic {
    if
    :: IS_LEFT_OPEN(page) -> skip
    :: dirty & BIT(page) ->
      CLOSE(page);
      found = found | BIT(page);
      dirty = dirty & ~BIT(page);
#ifdef COLLECT_WITHOUT_REARM   /* mutant: beside the program it is not armed again */
      if
      :: stopped -> armed = armed | BIT(page)
      :: else
      fi
#else
      armed = armed | BIT(page)
#endif
    :: else
    fi
  }
}

inline arm_page(page) {
#ifdef OPEN
  if
  :: armed = armed | BIT(page)
  :: atomic { open = open | BIT(page); dirty = dirty | BIT(page) }
  fi
#else
  armed = armed | BIT(page)
#endif
}

inline collect() {
  found = 0;
  collect_page(0);
  collect_page(1)
}

inline arm() {
  arm_page(0);
  arm_page(1)
}

/* ---- a cycle (collection.c) ---- */

inline stop_the_world() { atomic { !inside -> stopped = true } }
inline start_the_world() { stopped = false }

inline mark_stacks() {
  atomic {
    stop_the_world();
    is_reuse_deferred = true;
    scan_roots();
#ifndef BLACK_LATE   /* mutant: only when the world runs after the last stop */
    is_black = true;
#endif
    start_the_world()
  }
}

inline preclean() {
#ifdef RESCAN_BEFORE_COLLECT   /* mutant: the pages are looked at before they are armed again */
  found = dirty;
  rescan();
  collect();
#else
  collect();
  rescan();
#endif
  drain();
  found = 0
}

inline finish_mark_stw() {
#ifndef NO_FINAL_ROOTS   /* mutant: those of the first stop must do */
  scan_roots();
#endif
#ifndef NO_RESCAN        /* mutant: blocks on written pages are not looked at again */
  rescan();
#endif
  drain();
  found = 0
}

inline begin_turn() {
  atomic { turn = turn + 2 }
}

/* The last stop.  A stop may collect pages and go back to marking beside the program first. */
inline finish_mark() {
#if ROUNDS > 1
  if
  :: atomic { stop_the_world(); collect(); start_the_world() };
    rescan();
    drain();
    preclean()
  :: true
  fi;
#endif
  atomic {
    stop_the_world();
    collect();
    finish_mark_stw();
#ifndef LATE_TURN   /* mutant: the world runs before the turn begins */
    begin_turn();
#endif
    limbo = false;
    start_the_world()
  }
#ifdef LATE_TURN
  begin_turn();
#endif
  atomic { is_reuse_deferred = false; limbo = false }
  is_black = true;
}

/* span_sweep_try */
inline sweep_span(span) {
  if
  :: atomic { (used & BIT(span)) && swept_in[span] == turn - 2 -> swept_in[span] = turn + BUSY };
    sweep_claimed(span, dead)
  :: else
  fi
}

inline sweep_heap() {
  sweep_span(0);
  sweep_span(1);
  swept_in[0] != turn + BUSY;
  swept_in[1] != turn + BUSY
}

proctype collector() {
  byte cycle, at, target, seen_free, found, dead;
  do
  :: cycle < CYCLES ->
#ifdef ARM_AFTER_SCAN   /* mutant: pages are watched only after the first marking */
    mark_stacks();
    drain();
    arm();
#else
    arm();
    mark_stacks();
    drain();
#endif
    preclean();
    finish_mark();
    sweep_heap();
    atomic { armed = 0; dirty = 0; is_black = false; cycle++ }
  :: else -> break
  od
}

/* ---- the beginning: register 0 -> 1 -> 2, and in the other span either 2 -> 3, or nothing yet ---- */

init {
  atomic {
    registers[0] = 1;
    field[1] = 2;
    written = BIT(1) | BIT(2);
    swept_in[0] = turn;
    swept_in[1] = turn;
#ifdef LARGE
    used = 1;
#else
    used = 3;
    field[2] = 3;
    written = written | BIT(3);
    free_bits = BIT(4);
#endif
    run thread(0);
#if THREADS > 1
    registers[REGISTERS] = 1;
    run thread(1);
#endif
    run collector()
  }
}
