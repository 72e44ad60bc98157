# A history of 400 commits over 60 files in 6 directories, for git fast-import.
function rnd(n) { x = (x * 16807) % 2147483647; return x % n }
function line() { return "w" rnd(40) " w" rnd(400) " w" rnd(4000) " w" rnd(40000) }
BEGIN {
    x = 777
    for (c = 0; c < 400; c++) {
        printf "commit refs/heads/%s\nmark :%d\n", (c % 50 == 49 ? "side" : "main"), c + 1
        printf "committer A U Thor%d <author@example.com> %d +0000\n", c % 7, 1000000000 + c * 3600
        m = "Change " c "\n\n" line() "\n"
        printf "data %d\n%s\n", length(m), m
        if (c > 0)
            printf "from :%d\n", (c % 50 == 0 ? c - 1 : c)
        for (k = 0; k < (c == 0 ? 60 : 4); k++) {
            f = (c == 0 ? k : rnd(60))
            if (c == 0)
                for (n[f] = 0; n[f] < 150; n[f]++) l[f, n[f]] = line()
            for (j = 0; j < 6; j++) l[f, rnd(n[f])] = line()
            if (rnd(3) == 0) l[f, n[f]++] = line()
            body = ""
            for (j = 0; j < n[f]; j++) body = body l[f, j] "\n"
            printf "M 100644 inline dir%d/file%d\ndata %d\n%s\n", f % 6, f, length(body), body
        }
        if (c % 40 == 20)
            printf "reset refs/tags/v%d\nfrom :%d\n\n", c, c + 1
    }
}
