# SPDX-License-Identifier: MIT
# A large module of guile's: macros, records, closures, pattern matching, and a procedure that calls them all.
# usage: awk -v count=N -f module.awk
BEGIN {
  print "(define-module (big) #:use-module (srfi srfi-1) #:use-module (srfi srfi-9) #:use-module (ice-9 match) #:export (run))"
  print "(define-syntax my-or (syntax-rules () ((_) #f) ((_ a) a) ((_ a b ...) (let ((t a)) (if t t (my-or b ...))))))"
  print "(define-syntax while* (syntax-rules () ((_ c body ...) (let loop () (when c body ... (loop))))))"
  for (i = 0; i < count; i++) {
    printf "(define-record-type rec%d (make-rec%d a b c) rec%d? (a rec%d-a set-rec%d-a!) (b rec%d-b) (c rec%d-c))\n", i, i, i, i, i, i, i
    printf "(define (f%d x y)\n", i
    printf "  (let* ((a (+ x %d)) (b (* y %d)) (r (make-rec%d a b (list x y 'sym%d \"text %d\"))))\n", i, i % 17 + 1, i, i % 40, i
    printf "    (define (inner n acc) (if (<= n 0) acc (inner (- n 1) (cons (my-or #f (and (odd? n) n) (- n)) acc))))\n"
    printf "    (set-rec%d-a! r (apply + (map (lambda (z) (modulo (* z z) 97)) (inner 9 '()))))\n", i
    printf "    (match (list (rec%d-a r) b)\n", i
    printf "      ((0 _) 0)\n"
    printf "      ((p (? odd? q)) (string-length (string-append (number->string p) (number->string q))))\n"
    printf "      ((p q) (let ((s 0)) (while* (< s %d) (set! s (+ s 3))) (modulo (+ s p q a) 1009))))))\n", i % 23
  }
  printf "(define (run) (map (lambda (f i) (f (* i 3) (modulo i 11))) (list"
  for (i = 0; i < count; i++) printf " f%d", i
  printf ") (iota %d)))\n", count
}
