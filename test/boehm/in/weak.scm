; SPDX-License-Identifier: MIT
; What a collection does beyond freeing: weak tables of each kind, guardians, weak vectors, hooks, storms of (gc).
; A conservative collector may keep a few of the objects that are gone: "most" is nine in ten.
(use-modules (srfi srfi-1) (ice-9 weak-vector))

(define (say . items)
  (for-each (lambda (item) (display item) (display " ")) items)
  (newline))
(define (most? n of) (and (<= n of) (>= (* 10 n) (* 9 of))))
(define (few? n of) (most? (- of n) of))
; Deep in the stack, so that what it leaves there is overwritten by the next.
(define (deep depth thunk) (if (zero? depth) (thunk) (let ((r (deep (1- depth) thunk))) (if (eq? r deep) 0 r))))
(define-syntax-rule (elsewhere body ...) (deep 200 (lambda () body ... #t)))
(define (collect) (deep 300 (lambda () (make-string 10000 #\x) #t)) (gc) (usleep 200) (gc))
; Finalizers run in a thread of their own, and a stale word of a stack may keep a whole list for a while.
(define-syntax-rule (eventually condition)
  (let loop ((tries 50))
    (collect)
    (cond (condition #t)
          ((zero? tries) #f)
          (else (usleep 2000) (loop (1- tries))))))
(define total 5000)
(define (entries table) (hash-fold (lambda (k v n) (1+ n)) 0 table))

; ---- weak tables: half of the keys are kept elsewhere ----

(define (test-weak name make)
  (define table (make))
  (define kept '())
  (elsewhere
    (do ((i 0 (1+ i))) ((= i total))
      (let ((key (list 'key i)) (value (vector 'value i)))
        (if (even? i) (set! kept (cons (cons key value) kept)))
        (hashq-set! table key value))))
  (say name
    'gone (eventually (few? (- (entries table) (quotient total 2)) (quotient total 2)))
    'kept (every (lambda (pair) (eq? (hashq-ref table (car pair)) (cdr pair))) kept)
    'whole (hash-fold (lambda (k v ok) (and ok (= (cadr k) (vector-ref v 1)))) #t table)))

(test-weak 'weak-key make-weak-key-hash-table)
(test-weak 'weak-value make-weak-value-hash-table)
(test-weak 'doubly-weak make-doubly-weak-hash-table)

; Keys by equal?: strings, changed and removed meanwhile.
(define strings (make-weak-key-hash-table))
(define some (map (lambda (i) (string-append "kept" (number->string i))) (iota 1000)))
(for-each (lambda (s) (hash-set! strings s (string-length s))) some)
(do ((i 0 (1+ i))) ((= i 60000)) (hash-set! strings (string-append "lost" (number->string i)) (make-string 20 #\y)))
(for-each (lambda (s) (if (odd? (string-length s)) (hash-remove! strings s))) some)
(say 'strings
  (eventually (few? (- (entries strings) (count even? (map string-length some))) 60000))
  (every (lambda (s) (eqv? (hash-ref strings s) (if (odd? (string-length s)) #f (string-length s)))) some))

; A value that refers to its key: a weak key table alone would keep both for ever, and bdwgc does.
(define ephemeral (make-weak-key-hash-table))
(elsewhere (do ((i 0 (1+ i))) ((= i 100)) (let ((key (list i))) (hashq-set! ephemeral key (list key)))))
(collect)
(say 'referring (entries ephemeral))

; Object properties are weak, too.
(define colour (make-object-property))
(define painted (map (lambda (i) (vector i)) (iota 500)))
(for-each (lambda (v) (set! (colour v) (vector-ref v 0))) painted)
(collect)
(say 'properties (every (lambda (v) (eqv? (colour v) (vector-ref v 0))) painted))

; ---- symbols: the table of them is weak ----

(define named (map (lambda (i) (string->symbol (string-append "name" (number->string i)))) (iota 2000)))
(elsewhere (do ((i 0 (1+ i))) ((= i 50000)) (string->symbol (string-append "other" (number->string i)))))
(collect)
(say 'symbols (every (lambda (s i) (eq? s (string->symbol (string-append "name" (number->string i))))) named (iota 2000)))

; ---- weak vectors ----

(define weak (make-weak-vector 1000 #f))
(define held (map list (iota 500)))
(for-each (lambda (item) (weak-vector-set! weak (car item) item)) held)
(elsewhere (do ((i 500 (1+ i))) ((= i 1000)) (weak-vector-set! weak i (list i))))
(define (filled from to) (fold (lambda (i n) (if (weak-vector-ref weak (+ from i)) (1+ n) n)) 0 (iota (- to from))))
(say 'weak-vector (eventually (few? (filled 500 1000) 500)) (filled 0 500)
  (every (lambda (item) (eq? item (weak-vector-ref weak (car item)))) held))

; ---- guardians hand out what is gone, whole ----

(define guardian (make-guardian))
(define other (make-guardian))
(elsewhere
  (do ((i 0 (1+ i))) ((= i total))
    (let ((object (list i (vector i (number->string i)))))
      (guardian object)
      (if (even? i) (other object)))))
(define seen (make-bitvector total #f))
(define (whole? object)
  (and (= (car object) (vector-ref (cadr object) 0))
       (equal? (vector-ref (cadr object) 1) (number->string (car object)))))
; Gives each that the guardian has to PROC; the number of them.
(define (drain from proc) (let loop ((n 0)) (let ((object (from))) (if object (begin (proc object) (loop (1+ n))) n))))
(define wrong 0)
(define (check object)
  (unless (whole? object) (set! wrong (1+ wrong)))
  (when (bitvector-bit-set? seen (car object)) (set! wrong (1+ wrong)))
  (bitvector-set-bit! seen (car object)))
(define-syntax-rule (drained-most? from proc of)
  (let ((n 0)) (eventually (begin (set! n (+ n (drain from proc))) (most? n of)))))
(say 'guardian (drained-most? guardian check total) wrong)
(say 'other (drained-most? other whole? (quotient total 2)))

; What it has handed out can be guarded again.  One stale word may keep a whole batch, hence many of them.
(define (guard-again)
  (define first (make-guardian))
  (define second (make-guardian))
  (elsewhere (do ((i 0 (1+ i))) ((= i 50)) (first (list i (vector i (number->string i))))))
  (collect)
  (drain first (lambda (object) (unless (whole? object) (set! wrong (1+ wrong))) (second object)))
  (collect)
  (drain second (lambda (object) (unless (whole? object) (set! wrong (1+ wrong))))))
(say 'again (let loop ((rounds 40) (n 0)) (if (zero? rounds) (> n 100) (loop (1- rounds) (+ n (guard-again))))) wrong)

; A guardian that is gone does not matter to what it guards.
(elsewhere (let ((lost (make-guardian))) (do ((i 0 (1+ i))) ((= i 1000)) (lost (list i)))))
(collect)

; ---- storms: a live structure that changes between collections ----

(define live (make-vector 2000 '()))

(add-hook! after-gc-hook (lambda () (make-vector 100 'hook)))
(do ((round 0 (1+ round))) ((= round 60))
  (do ((i 0 (1+ i))) ((= i 2000))
    (vector-set! live i (cons (list round i (number->string (* round i))) (if (= 0 (modulo (+ i round) 7)) '() (vector-ref live i)))))
  (gc))
(say 'storm (fold (lambda (i sum) (+ sum (fold (lambda (e sum) (+ sum (car e) (string-length (caddr e)))) 0 (vector-ref live i))))
              0 (iota 2000)))
(say 'collections (> (assq-ref (gc-stats) 'gc-times) 60))

; What the symbol table, hash tables and modules hold has survived all of it.
(say 'end (length (module-map (lambda (name variable) name) (resolve-module '(guile)))))
