; SPDX-License-Identifier: MIT
; usage: guile -s compile.scm FROM TO
(use-modules (system base compile) (ice-9 match))
(match (command-line) ((_ from to) (compile-file from #:output-file to)))
