/* SPDX-License-Identifier: MIT */
/*
 * Partial cycles (lib/gc/old_pages.c, doc/design.md, "Partial cycles") for spin: cycles in one stop, of which each either
 * marks anew, or keeps the marks of those before and looks only at written pages.  test/model/concurrent.sh runs it.
 *
 * A heap of four slots with one pointer each, on two pages; a thread with two registers, which stand for all roots, that
 * loads, stores, drops, allocates and frees; a collector, each of whose cycles is whole or partial.  The world may stop
 * when a slot has been taken and no pointer to it is anywhere yet.  What the thread has asked the kernel to store, as by
 * read(2), the kernel stores at any time, in a stop too, while the thread waits.
 *
 * Asserted: whenever a slot is reclaimed or given out no registers lead to it, and no thread ever loads a pointer to a
 * free slot.  What lay in a slot before it was allocated is left in it, and is no pointer of the program's.
 *
 * A mutant is a name defined with -D; what it does wrong stands beside it.
 */
#ifndef STEPS
#define STEPS 5
#endif
#ifndef CYCLES
#define CYCLES 2
#endif

#define NIL           0
#define BIT(slot)     (1 << (slot))
#define PAGE_OF(slot) (((slot) - 1) / 2)
#define SLOTS         (BIT(1) | BIT(2) | BIT(3) | BIT(4))
#define SLOTS_OF(page) (6 << (2 * (page)))

byte field[5];
byte free_bits = SLOTS, marks;
byte written;                     /* slots whose pointer was stored since they were allocated */
byte armed;                       /* pages: not written to since they were */
byte registers[2];
byte taken;                       /* a slot on its way to a register: its word of bits is in the window */
byte into, value;                 /* of the kernel: a store to come, or NIL */
bool stopped, has_marks;
byte steps = STEPS;

byte reached, looked_at, seen;    /* scratch */

#define FOLLOW(slot) if :: reached & written & BIT(slot) -> reached = reached | BIT(field[slot]) :: else fi
#define FOLLOW_ALL   FOLLOW(1); FOLLOW(2); FOLLOW(3); FOLLOW(4)

inline must_be_unreachable(slots) {
  d_step {
    reached = BIT(registers[0]) | BIT(registers[1]) | BIT(taken) | BIT(into) | BIT(value);
    FOLLOW_ALL; FOLLOW_ALL; FOLLOW_ALL;
    assert(!(reached & ~BIT(NIL) & (slots)));
    reached = 0
  }
}

inline write_word(slot, pointer) {
  field[slot] = pointer;
  written = written | BIT(slot);
  armed = armed & ~BIT(PAGE_OF(slot))
}

/* ---- the program ---- */

#define STEP !stopped && steps > 0 && into == NIL

inline load(to, from) {
  atomic {
    STEP && registers[from] != NIL && (written & BIT(registers[from])) ->
    steps--;
    registers[to] = field[registers[from]];
    assert(registers[to] == NIL || !(free_bits & BIT(registers[to])))
  }
}

inline store(to, from) {
  atomic { STEP && registers[to] != NIL -> steps--; write_word(registers[to], registers[from]) }
}

/* read(2) and the like: the thread waits until the kernel has stored what it has. */
inline store_by_kernel(to, from) {
  atomic { STEP && registers[to] != NIL -> steps--; into = registers[to]; value = registers[from] }
}

/* May free the block, if that was the last way to it. */
inline drop(from) {
  atomic {
    STEP && registers[from] != NIL ->
    steps--;
    seen = registers[from];
    registers[from] = NIL;
    reached = BIT(registers[0]) | BIT(registers[1]);
    FOLLOW_ALL; FOLLOW_ALL; FOLLOW_ALL;
    if
    :: !(reached & BIT(seen)) -> free_bits = free_bits | BIT(seen)
    :: true
    fi;
    reached = 0;
    seen = 0
  }
}

inline take(slot, to) {
  atomic {
    STEP && (free_bits & BIT(slot)) && taken == NIL ->
    steps--;
    must_be_unreachable(BIT(slot));
    free_bits = free_bits & ~BIT(slot);
    written = written & ~BIT(slot);
    taken = slot
  }
  atomic { !stopped -> registers[to] = taken; taken = NIL }
}

active proctype thread() {
end:
  do
  :: load(0, 0)
  :: load(0, 1)
  :: load(1, 0)
  :: store(0, 0)
  :: store(0, 1)
  :: store(1, 0)
  :: store_by_kernel(0, 1)
  :: drop(0)
  :: drop(1)
  :: take(1, 0)
  :: take(2, 0)
  :: take(2, 1)
  :: take(3, 0)
  :: take(4, 1)
  od
}

active proctype kernel() {
end:
  do
  :: atomic { into != NIL -> write_word(into, value); into = NIL; value = NIL }
  od
}

/* ---- a cycle ---- */

/* old_pages_collect_stw: of pages with old blocks, those that may have been written to are to be looked at, and are armed
 * or not, as it seems best. */
inline look_at_page(page) {
  atomic {
    if
#ifdef SKIP_OPEN   /* mutant: a page that is not watched counts as clean */
    :: (marks & SLOTS_OF(page)) && !(armed & BIT(page)) -> armed = armed | BIT(page)
#else
    :: (marks & SLOTS_OF(page)) && !(armed & BIT(page)) -> looked_at = looked_at | SLOTS_OF(page); armed = armed | BIT(page)
    :: (marks & SLOTS_OF(page)) && !(armed & BIT(page)) -> looked_at = looked_at | SLOTS_OF(page)
#endif
    :: else
    fi
  }
}

/* What a scanned word points to is marked, unless it is free. */
inline mark(target) {
  marks = marks | (BIT(target) & ~free_bits & ~BIT(NIL))
}

/* Each word is read in a step of its own, once: the kernel may store before or after. */
inline scan_new(slot, was_marked) {
  atomic {
    if
    :: (marks & BIT(slot)) && !(was_marked & BIT(slot)) -> was_marked = was_marked | BIT(slot); mark(field[slot])
    :: else
    fi
  }
}

inline scan_all_new() {
  do
  :: marks & ~scanned & SLOTS -> scan_new(1, scanned); scan_new(2, scanned); scan_new(3, scanned); scan_new(4, scanned)
  :: else -> break
  od
}

inline sweep_word(slot) {
  atomic {
    if
    :: taken != slot && !(free_bits & BIT(slot)) && !(marks & BIT(slot)) ->
      must_be_unreachable(BIT(slot));
      free_bits = free_bits | BIT(slot)
    :: else
    fi;
    marks = marks & ~free_bits
  }
}

active proctype collector() {
  byte cycle, scanned;
  do
  :: cycle < CYCLES ->
    cycle++;
    stopped = true;
#ifndef ARM_LATE   /* no mutant: pages are watched when all is marked.  What the program has the kernel store meanwhile it holds
                    itself, so that it is marked; a pointer from outside could get lost. */
    look_at_page(0);
    look_at_page(1);
#else
    atomic { if :: !(armed & 1) -> looked_at = looked_at | SLOTS_OF(0) :: else fi };
    atomic { if :: !(armed & 2) -> looked_at = looked_at | SLOTS_OF(1) :: else fi };
#endif
    if
    :: has_marks   /* partial */
    :: atomic { true -> marks = 0; looked_at = 0 }   /* whole */
    fi;
    atomic {
#ifdef NO_LOOK   /* mutant */
      looked_at = 0;
#endif
      scanned = marks & ~looked_at;
#ifndef NO_ROOTS   /* mutant */
      mark(registers[0]); mark(registers[1]); mark(into); mark(value)
#endif
    }
    scan_all_new();
    scanned = 0;
    looked_at = 0;
#ifdef ARM_LATE
    armed = 3;
#endif
    sweep_word(1);
    sweep_word(2);
    sweep_word(3);
    sweep_word(4);
    atomic {
      has_marks = true;
      stopped = false
    }
  :: else -> break
  od
}
