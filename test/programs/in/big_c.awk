# A C program of many functions that call the earlier ones.
function rnd(n) { x = (x * 16807) % 2147483647; return x % n }
BEGIN {
    x = 54321
    print "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>"
    print "typedef unsigned u;"
    for (i = 0; i < functions; i++) {
        printf "struct s%d { u a[%d]; char name[%d]; struct s%d *next; };\n", \
            i, 2 + rnd(9), 8 + rnd(30), (i > 0 ? i - 1 : 0)
        printf "static const char *const t%d[] = { \"one %d\", \"two %d\", \"three %d\" };\n", \
            i, rnd(1000), rnd(1000), rnd(1000)
        printf "u f%d(u x, u y) {\n  struct s%d s; u i, r = x ^ %du;\n", i, i, rnd(100000)
        print "  memset(&s, 0, sizeof s);"
        printf "  for (i = 0; i < sizeof s.a / sizeof *s.a; i++) {\n"
        printf "    s.a[i] = r * %du + i;\n    r ^= s.a[i] >> %d;\n  }\n", 1 + 2 * rnd(5000), 1 + rnd(15)
        print "  switch ((r + y) % 7) {"
        for (j = 0; j < 7; j++)
            printf "  case %d: r %s %du; break;\n", j, substr("+=-=^=|=", 1 + 2 * rnd(4), 2), rnd(9999)
        print "  }"
        printf "  snprintf(s.name, sizeof s.name, \"%%s\", t%d[r %% 3]);\n", i
        printf "  for (i = 0; s.name[i]; i++) r = r * 31 + (u)s.name[i];\n"
        if (i > 0)
            printf "  if (y > 0) r += f%d(r, y - 1);\n", rnd(i)
        print "  return r;\n}"
    }
    print "int main(void) {\n  u r = 1;"
    for (i = 0; i < functions; i++)
        printf "  r = f%d(r, 3);\n", i
    print "  printf(\"%u\\n\", r);\n  return 0;\n}"
}
