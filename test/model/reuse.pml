/* SPDX-License-Identifier: MIT */
/*
 * A span is given back and made anew with other slots while a marker is in the middle of it (lib/gc/mark.c,
 * gc/limbo.c): beside test/model/concurrent.pml, where a structure describes the same slots for ever.
 *
 * Block A has one pointer, and there is a span of two slots S1 and S2: A -> S1 -> S2.  The program allocates C
 * elsewhere, which has no pointer; it frees S1 and S2 and gives their span back; makes it anew with one slot that covers
 * the two, takes that, makes it point to C and A to it, and forgets C.  Meanwhile the one marker marks, looks at written
 * pages and stops the program.  Its reads and writes of the span's words are steps of their own: it takes no lock.  With
 * -DMANY a second marker helps it to mark beside the program.
 *
 * At the end all that can be reached must be marked, and no slot that the span does not have ([span.tail]).
 *
 * A mutant is a name defined with -D; what it does wrong stands beside it.
 */
#define NIL 0
#define A   1     /* addresses */
#define S1  2
#define S2  3
#define C   4
#define BIT(n) (1 << (n))

byte field[4];    /* of A, S1 and S2 */
bool dirty_a, dirty_s;
byte register_b, register_c;

/* The span of S1 and S2; bit 0 of a word is slot 0. */
mtype = { USED, LIMBO, HIDDEN, FREE };
mtype state = USED;
byte slot_count = 2, free_bits, marks, scanned;
bool is_grey;

/* gc/limbo.c */
byte turn, let_go_in[2];
bool is_resting = true, is_busy;   /* the second marker */
bool is_hidden;

bool is_marked_a, is_scanned_a, is_marked_c;
bool stopped;

#define SLOT_OF(addr) ((addr) == S2 && slot_count == 2 -> 1 : 0)

/* ---- the program: its page faults are part of its stores ---- */

#define RUN !stopped ->

proctype program() {
  atomic { RUN register_c = C }
  atomic { RUN field[A] = NIL; dirty_a = true }
  atomic { RUN free_bits = free_bits | BIT(0) }
  atomic { RUN free_bits = free_bits | BIT(1) }
#ifdef REUSE_WHILE_MARKING   /* mutant */
  atomic { RUN state = FREE }
  atomic { RUN slot_count = 0 }
#else
  atomic { RUN state = LIMBO }                       /* page_heap_free */
#endif
end:
  atomic { !stopped && state == FREE -> skip }
  atomic { RUN marks = 0 }                           /* make_used_locked */
  atomic { RUN scanned = 0 }
  atomic { RUN free_bits = BIT(0) }
  atomic { RUN slot_count = 1; state = USED }
  atomic { RUN free_bits = 0; register_b = S1 }      /* the slot is taken */
  atomic { RUN field[S2] = NIL; dirty_s = true }
  atomic { RUN field[S1] = C; dirty_s = true }
  atomic { RUN register_c = NIL }
  atomic { RUN field[A] = register_b; dirty_a = true }
  atomic { RUN register_b = NIL }
}

/* ---- the marker ---- */

/* Of several markers each sets bits in one step with reading the word. */
#ifdef MANY
#define OTHERS(now, before) (now)
#else
#define OTHERS(now, before) (before)
#endif

/* mark_candidate, set_mark and queue_span; the slot is known before the words are looked at. */
inline mark(addr) {
  if
  :: addr == A && !is_marked_a -> is_marked_a = true
  :: addr == C -> is_marked_c = true
  :: (addr == S1 || addr == S2) && (state == USED || state == LIMBO) && slot_count ->
    slot = SLOT_OF(addr);
    before = marks;
    if
    :: !(before & BIT(slot)) && !(free_bits & BIT(slot)) ->
      marks = OTHERS(marks, before) | BIT(slot);
      is_grey = true
    :: else
    fi
  :: else
  fi;
  addr = NIL;
  slot = 0;
  before = 0
}

inline scan(addr) {
  target = field[addr];
  mark(target)
}

/* scan_span: has_grey, release_span, take_grey, scan_small */
inline scan_span() {
  count = slot_count;
  is_grey = false;
  if
  :: count ->
    before = scanned;
    grey = marks & ~before;
    atomic {
      grey = grey & ~OTHERS(scanned, before);
      scanned = OTHERS(scanned, before) | grey
    }
    before = 0
  :: else
  fi;
  if
  :: grey & BIT(0) -> scan(S1)
  :: else
  fi;
  if
  :: (grey & BIT(1)) || (count == 1 && (grey & BIT(0))) -> scan(S2)
  :: else
  fi;
  atomic { grey = 0; count = 0 }
}

#ifdef NO_WAIT    /* mutant: does not wait for the other marker */
#define HAVE_ALL_LET_GO true
#else
#define HAVE_ALL_LET_GO (is_resting || let_go_in[1] >= turn)
#endif
#ifdef NOT_HIDDEN /* mutant: what has been freed can be found until it is reused */
#define HIDE      state = HIDDEN_BUT_MAPPED
#define HIDDEN_BUT_MAPPED LIMBO
#else
#define HIDE      state = HIDDEN; slot_count = 0
#endif

/* limbo_let_go of marker 0, page_heap_turn_limbo: it hides what has been freed, and frees what was hidden before. */
inline let_go() {
  atomic {
    if
    :: HAVE_ALL_LET_GO && is_hidden -> is_hidden = false; state = FREE; slot_count = 0; turn++
    :: HAVE_ALL_LET_GO && !is_hidden && state == LIMBO -> is_hidden = true; HIDE; turn++
    :: else
    fi
  }
}

inline drain() {
  do
  :: is_marked_a && !is_scanned_a -> let_go(); is_scanned_a = true; scan(A)
  :: is_grey -> let_go(); scan_span()
  :: is_busy -> let_go()
  :: !is_busy && !is_grey && !(is_marked_a && !is_scanned_a) -> let_go(); break
  od
}

/* Pages in the order of their addresses, of which the span's is the first here; what is free is not looked at. */
inline rescan() {
  if
  :: found_s && state == USED && slot_count == 1 && (marks & ~free_bits & BIT(0)) -> scan(S1); scan(S2)
  :: found_s && state == USED && slot_count == 2 ->
    if
    :: marks & ~free_bits & BIT(0) -> scan(S1)
    :: else
    fi;
    if
    :: marks & ~free_bits & BIT(1) -> scan(S2)
    :: else
    fi
  :: else
  fi;
  if
  :: found_a && is_marked_a -> scan(A)
  :: else
  fi
}

inline collect() {
  atomic { found_s = dirty_s; dirty_s = false }
  atomic { found_a = dirty_a; dirty_a = false }
}

inline scan_roots() {
  target = A;
  mark(target);
  target = register_b;
  mark(target);
  target = register_c;
  mark(target)
}

/* await_work, mark_drain and limbo_let_go of the second marker, which holds nothing while it rests. */
proctype helper() {
  byte target, slot, count, before, grey, now;
end:
  do
  :: atomic { !stopped && is_grey -> is_busy = true }
    now = turn;
    atomic { let_go_in[1] = now; is_resting = false }
    do
    :: is_grey ->
      scan_span();
      now = turn;
      let_go_in[1] = now
    :: else -> break
    od;
    is_resting = true;
    is_busy = false
  od
}

proctype marker() {
  byte target, slot, count, before, grey;
  bool found_a, found_s;
  scan_roots();
  drain();
  collect();
  rescan();
  drain();
  atomic {
    !is_busy -> stopped = true;
    collect();
    scan_roots();
    rescan();
    drain();
    assert(slot_count != 1 || !(marks & BIT(1)));
    assert(register_c == NIL || is_marked_c);
    assert(register_b == NIL || (marks & BIT(0)));
    assert(field[A] == NIL || (marks & BIT(SLOT_OF(field[A]))));
    assert(slot_count != 1 || !(register_b == S1 || field[A] == S1) || field[S1] != C || is_marked_c);
    let_go();
    stopped = false
  }
}

init {
  atomic {
    field[A] = S1;
    field[S1] = S2;
    run program();
#ifdef MANY
    run helper();
#endif
    run marker()
  }
}
