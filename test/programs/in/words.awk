# Lines of a word, a number and another word, always the same.
function rnd(n) { x = (x * 16807) % 2147483647; return x % n }
BEGIN {
    x = 12345
    split("ba de fi go hu ka le mi no pu ra se ti vo wu xa ye zi", s, " ")
    for (i = 0; i < lines; i++) {
        a = s[1 + rnd(18)] s[1 + rnd(18)] s[1 + rnd(18)]
        b = s[1 + rnd(18)] s[1 + rnd(18)] s[1 + rnd(18)] s[1 + rnd(18)]
        print a, rnd(100000), b
    }
}
