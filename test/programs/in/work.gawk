# What only gawk has: arrays of arrays, sorted iteration, regexp arrays.
NR > 40000 { exit }
{
    a[$1][$3][$2]++
    if (match($0, /^(..)(..).* ([0-9]+) (.*)$/, m)) b[m[1]] = b[m[1]] substr(m[4], 1, 1)
    $2 = gensub(/([0-9])([0-9])/, "\\2\\1", "g", $2)
    s += $2
}
END {
    PROCINFO["sorted_in"] = "@ind_str_asc"
    for (i in a) {
        t = 0
        for (j in a[i]) for (k in a[i][j]) t += a[i][j][k] * k
        print i, length(a[i]), t
        delete a[i]
    }
    for (i in b) print i, length(b[i])
    print s, strtonum("0x1f"), strftime("%F", 400000000, 1)
}
