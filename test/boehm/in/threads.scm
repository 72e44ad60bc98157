; SPDX-License-Identifier: MIT
; Threads that allocate: joined, with mutexes, conditions, atomics, thread locals, and collections by all of them.
(use-modules (srfi srfi-1) (ice-9 threads) (ice-9 atomic) (ice-9 match))

(define (say . items)
  (for-each (lambda (item) (display item) (display " ")) items)
  (newline))
(define (tree depth) (if (zero? depth) '() (cons (tree (1- depth)) (tree (1- depth)))))
(define (nodes t) (if (null? t) 1 (+ 1 (nodes (car t)) (nodes (cdr t)))))

; Threads that all begin together.  Each first makes its stack large, while nothing else runs: guile 3.0 sets the stack
; pointer of a stack that it has just moved a little late, and a collection by another thread in between is fatal.
(define (grow depth) (if (zero? depth) 0 (+ 1 (grow (1- depth)))))
(define (spawn* depth count proc)
  (define mutex (make-mutex))
  (define ready (make-condition-variable))
  (define gate (make-condition-variable))
  (define grown 0)
  (define open #f)
  (define (start i)
    (let ((thread (call-with-new-thread (lambda ()
            (grow depth)
            (with-mutex mutex
              (set! grown (1+ grown))
              (signal-condition-variable ready)
              (let wait () (unless open (wait-condition-variable gate mutex) (wait))))
            (proc i)))))
      (let wait () (when (<= grown i) (wait-condition-variable ready mutex) (wait)))
      thread))
  (with-mutex mutex
    (let ((threads (map start (iota count))))
      (set! open #t)
      (broadcast-condition-variable gate)
      threads)))
(define (spawn count proc) (spawn* 3000 count proc))

; ---- each thread builds its own, and returns it ----

(define trees (map join-thread (spawn 6 (lambda (i)
  (let loop ((round 0)) (when (< round 60) (tree (+ 9 (modulo round 4))) (loop (1+ round))))
  (tree (+ 8 i))))))
(say 'trees (map nodes trees))

; ---- waves of short threads ----

(define waves (let loop ((wave 0) (sum 0))
  (if (= wave 40) sum
    (loop (1+ wave) (+ sum (apply + (map join-thread (spawn 8 (lambda (i)
      (string-length (string-concatenate (map number->string (iota (+ 200 (* i wave)))))))))))))))
(say 'waves waves)

; ---- one structure, a mutex ----

(define shared (make-hash-table))
(define mutex (make-mutex))
(for-each join-thread (spawn 4 (lambda (i)
  (do ((k 0 (1+ k))) ((= k 4000))
    (let ((item (list i k (number->string (* i k)))))
      (with-mutex mutex
        (hash-set! shared (modulo (* k 7) 500) (cons item (hash-ref shared (modulo (* k 7) 500) '()))))
      (when (= 0 (modulo k 1000)) (gc)))))))
(say 'shared (hash-fold (lambda (k v sum) (+ sum (length v))) 0 shared)
  (hash-fold (lambda (k v sum) (fold (lambda (e sum) (+ sum (car e) (cadr e) (string-length (caddr e)))) sum v)) 0 shared))

; ---- a bounded queue, conditions ----

(define queue '())
(define queued 0)
(define not-empty (make-condition-variable))
(define not-full (make-condition-variable))
(define (put! item)
  (with-mutex mutex
    (let wait () (when (>= queued 16) (wait-condition-variable not-full mutex) (wait)))
    (set! queue (append queue (list item)))
    (set! queued (1+ queued))
    (signal-condition-variable not-empty)))
(define (take!)
  (with-mutex mutex
    (let wait () (when (null? queue) (wait-condition-variable not-empty mutex) (wait)))
    (let ((item (car queue)))
      (set! queue (cdr queue))
      (set! queued (1- queued))
      (signal-condition-variable not-full)
      item)))
(define consumers (spawn 3 (lambda (i)
  (let loop ((sum 0))
    (match (take!)
      ('end sum)
      ((n text items) (loop (+ sum n (string-length text) (length items)))))))))
(define producers (spawn 3 (lambda (i)
  (do ((k 0 (1+ k))) ((= k 4000)) (put! (list k (number->string (expt 7 (modulo k 90))) (iota (modulo k 30))))))))
(for-each join-thread producers)
(for-each (lambda (i) (put! 'end)) (iota 3))
(say 'queue (apply + (map join-thread consumers)))

; ---- atomics, thread locals, exceptions ----

(define box (make-atomic-box '()))
(for-each join-thread (spawn 4 (lambda (i)
  (do ((k 0 (1+ k))) ((= k 5000))
    (let retry ((old (atomic-box-ref box)))
      (let ((seen (atomic-box-compare-and-swap! box old (cons (+ i k) (if (> (length+ old) 20) '() old)))))
        (unless (eq? seen old) (retry seen))))))))
(define (length+ l) (length l))
(say 'atomics (< 0 (length (atomic-box-ref box)) 23))
(define local (make-thread-local-fluid 'none))
(say 'locals (map join-thread (spawn 5 (lambda (i)
  (fluid-set! local (list i (make-string 5 #\z)))
  (tree 13)
  (gc)
  (fluid-ref local)))))
(say 'exceptions (map join-thread (spawn 5 (lambda (i)
  (catch 'oops (lambda () (tree 10) (if (odd? i) (throw 'oops (list i)) (- i))) (lambda (key datum) (car datum)))))))
(say 'deep (map join-thread (spawn* 60000 4 (lambda (i)
  (let deep ((n 12000)) (if (zero? n) (begin (gc) 0) (+ 1 (car (list (deep (1- n)))))))))))

; ---- threads that wait while others collect ----

(define gate (make-mutex))
(lock-mutex gate)
(define waiting (spawn 6 (lambda (i)
  (let ((mine (tree (+ 5 i))))
    (with-mutex gate #t)
    (nodes mine)))))
(for-each join-thread (spawn 2 (lambda (i) (do ((k 0 (1+ k))) ((= k 10)) (tree 12) (gc)))))
(unlock-mutex gate)
(say 'waiting (map join-thread waiting))
(say 'end (map nodes trees) (> (assq-ref (gc-stats) 'gc-times) 20))
