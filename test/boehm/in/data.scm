; SPDX-License-Identifier: MIT
; Data of all kinds, most of it dropped at once: arithmetic, lists, strings, bignums, continuations, exceptions, ports.
(use-modules (srfi srfi-1) (srfi srfi-9) (srfi srfi-11) (ice-9 match) (ice-9 regex) (ice-9 vlist) (rnrs bytevectors))

(define seed 12345)
(define (random-below n)
  (set! seed (modulo (* seed 16807) 2147483647))
  (modulo seed n))
(define (say . items)
  (for-each (lambda (item) (display item) (display " ")) items)
  (newline))

; A checksum of any datum, by what it prints.
(define (digest datum)
  (string-fold (lambda (c sum) (modulo (+ (* sum 31) (char->integer c)) 1000000007)) 7
    (call-with-output-string (lambda (port) (write datum port)))))

; ---- lists and trees ----

(define (tree depth) (if (zero? depth) '() (cons (tree (1- depth)) (tree (1- depth)))))
(define (nodes t) (if (null? t) 1 (+ 1 (nodes (car t)) (nodes (cdr t)))))
(define long-lived (tree 16))
(say 'trees (apply + (map (lambda (i) (nodes (tree (+ 8 (modulo i 6))))) (iota 400))) (nodes long-lived))

(define numbers (map (lambda (i) (random-below 1000000)) (iota 100000)))
(say 'sorted (digest (take (sort numbers <) 50)) (fold + 0 numbers))
(say 'alist (length (delete-duplicates (map (lambda (i) (random-below 2000)) (iota 6000)))))
(say 'partition (call-with-values (lambda () (partition even? numbers)) (lambda (a b) (list (length a) (length b)))))

(define-record-type point (make-point x y next) point? (x point-x set-point-x!) (y point-y) (next point-next))
(define points (fold (lambda (i next) (make-point i (* i i) next)) #f (iota 50000)))
(say 'points (let loop ((p points) (sum 0)) (if p (loop (point-next p) (+ sum (point-x p) (point-y p))) sum)))

; ---- vectors, hash tables, vhashes ----

(define (take-at-most l n) (if (or (null? l) (zero? n)) '() (cons (car l) (take-at-most (cdr l) (1- n)))))
(define table (make-hash-table))
(do ((i 0 (1+ i))) ((= i 120000))
  (let ((key (string-append "key" (number->string (random-below 6000)))))
    (hash-set! table key (cons (list i key) (take-at-most (hash-ref table key '()) 10)))
    (if (zero? (modulo i 4)) (hash-remove! table (string-append "key" (number->string (random-below 6000)))))))

(say 'hash (hash-count (const #t) table) (hash-fold (lambda (k v sum) (+ sum (length v) (string-length k))) 0 table))
(define vhash (fold (lambda (i v) (vhash-consv (random-below 5000) i v)) vlist-null (iota 60000)))
(say 'vhash (vlist-length vhash) (fold (lambda (i sum) (+ sum (if (vhash-assv i vhash) 1 0))) 0 (iota 5000)))
(define grid (list->vector (map (lambda (i) (make-vector 300 i)) (iota 300))))
(do ((i 0 (1+ i))) ((= i 200000))
  (vector-set! (vector-ref grid (random-below 300)) (random-below 300) (list i)))
(say 'grid (fold (lambda (row sum) (fold (lambda (v sum) (+ sum (if (pair? v) (car v) v))) sum (vector->list row)))
  0 (vector->list grid)))

; ---- bignums, rationals, floats ----

(define (factorial n) (if (< n 2) 1 (* n (factorial (1- n)))))
(define (fibonacci n) (let loop ((a 0) (b 1) (n n)) (if (zero? n) a (loop b (+ a b) (1- n)))))
(define (digits-of-pi count)   ; Gibbons's unbounded spigot
  (let loop ((q 1) (r 0) (t 1) (k 1) (n 3) (l 3) (count count) (out '()))
    (cond ((zero? count) (reverse out))
          ((< (+ (* 4 q) r (- t)) (* n t))
           (loop (* q 10) (* 10 (- r (* n t))) t k (- (quotient (* 10 (+ (* 3 q) r)) t) (* 10 n)) l (1- count) (cons n out)))
          (else (loop (* q k) (* (+ (* 2 q) r) l) (* t l) (1+ k)
                      (quotient (+ (* q (+ (* 7 k) 2)) (* r l)) (* t l)) (+ l 2) count out)))))
(say 'factorial (string-length (number->string (factorial 4000))) (modulo (factorial 3000) (1+ (expt 2 127))))
(say 'fibonacci (digest (fibonacci 20000)) 'power (modulo (expt 3 30000) (expt 10 40)))
(say 'pi (digest (digits-of-pi 1500)))
(say 'rationals (digest (fold + 0 (map (lambda (i) (/ 1 (1+ i))) (iota 1200)))))
(say 'floats (inexact->exact (round (fold + 0.0 (map (lambda (i) (sqrt i)) (iota 300000))))))
(say 'gcd (apply gcd (map (lambda (i) (* (factorial 60) (1+ (random-below 1000)))) (iota 300))))

; ---- strings, symbols, ports, regular expressions ----

(define text (string-join (map (lambda (i) (string-append "w" (number->string (random-below 9999) 36))) (iota 60000)) " "))
(say 'text (string-length text) (digest (take (sort (string-split text #\space) string<?) 100)))
(say 'unicode (string-length (string-upcase (string-concatenate (map (lambda (i) "stra\xdfe \x3b1\x3b2\x3b3 ") (iota 5000))))))
(say 'symbols (length (delete-duplicates
  (map (lambda (i) (string->symbol (string-append "sym" (number->string (random-below 500))))) (iota 5000)) eq?)))
(say 'read (let ((port (open-input-string (call-with-output-string
    (lambda (out) (do ((i 0 (1+ i))) ((= i 20000)) (write (list i (number->string i) 'a (vector i "x\ny")) out)))))))
  (let loop ((count 0) (sum 0))
    (let ((datum (read port)))
      (if (eof-object? datum) (list count sum) (loop (1+ count) (+ sum (car datum))))))))
(say 'regexp (length (fold-matches "w[0-9][a-z]+" (substring text 0 15000) '() cons)))
(say 'bytes (let ((b (make-bytevector 100000 1)))
  (do ((i 0 (1+ i))) ((= i 100000)) (bytevector-u8-set! b i (logand i 255)))
  (fold (lambda (i sum) (+ sum (bytevector-u8-ref (bytevector-copy b) i))) 0 (iota 300))))

; ---- control: continuations, generators, exceptions, dynamic wind ----

(define (generator proc)
  (define return #f)
  (define (resume) (proc (lambda (v) (call/cc (lambda (k) (set! resume (lambda () (k #f))) (return v))))) (return 'done))
  (lambda () (call/cc (lambda (r) (set! return r) (resume)))))
(define (walk t yield) (if (pair? t) (begin (walk (car t) yield) (walk (cdr t) yield)) (yield 1)))
(say 'generator (let ((next (generator (lambda (yield) (walk (tree 10) yield)))))
  (let loop ((sum 0)) (let ((v (next))) (if (eq? v 'done) sum (loop (+ sum v)))))))
(define (prompt-generator n)
  (let loop ((k (lambda () (let iter ((i 0)) (when (< i n) (abort-to-prompt 'tag (list i)) (iter (1+ i)))) 'end)) (sum 0))
    (let ((v (call-with-prompt 'tag k (lambda (k v) (cons (lambda () (k #t)) v)))))
      (if (eq? v 'end) sum (loop (car v) (+ sum (cadr v)))))))
(say 'prompts (prompt-generator 20000))
(say 'deep (let deep ((n 200000)) (if (zero? n) 0 (+ 1 (deep (1- n))))))
(define winds 0)
(say 'exceptions (fold (lambda (i sum)
  (+ sum (catch 'odd
    (lambda () (dynamic-wind (lambda () (set! winds (1+ winds)))
      (lambda () (if (odd? i) (throw 'odd (list i (number->string i))) (length (iota 20))))
      (lambda () (set! winds (1+ winds)))))
    (lambda (key datum) (car datum))))) 0 (iota 20000)) winds)
(say 'guarded (with-exception-handler (lambda (e) 42) (lambda () (vector-ref (vector 1 2) 9)) #:unwind? #t))
(say 'match (fold (lambda (i sum) (match (list i (vector i (1+ i)) "s")
  ((a #(b c) (? string? s)) (+ sum a b c (string-length s))))) 0 (iota 30000)))
(say 'eval (fold + 0 (map (lambda (i) (primitive-eval `(let ((x ,i)) (define (f n) (* n x)) (f ,(1+ i))))) (iota 400))))

; What was kept all along is still whole.
(say 'end (nodes long-lived) (digest (take (sort numbers <) 50)) (> (assq-ref (gc-stats) 'gc-times) 5))
