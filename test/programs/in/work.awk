# Counts, joins and strings; ordered output, as awks iterate differently.
{
    n[$1]++
    v[$1] += $2
    if (length(long[$1]) < 400) long[$1] = long[$1] " " substr($3, 1, 4)
    two[$1, substr($3, 1, 2)]++
    line = $0
    c += gsub(/[aeiou]/, "#", line)
    split(line, part, "#")
    p += length(part[2])
}
END {
    printf "%d %d\n", c, p
    k = 0
    for (i in n) key[k++] = i
    sort_keys(k)
    for (i = 0; i < k; i++)
        printf "%s %d %d %s\n", key[i], n[key[i]], v[key[i]], toupper(long[key[i]])
    for (i in two) { t++; s += two[i]; delete two[i] }
    print t, s, length(two)
}
function sort_keys(k,   gap, i, j, x) {
    for (gap = int(k / 2); gap > 0; gap = int(gap / 2))
        for (i = gap; i < k; i++) {
            x = key[i]
            for (j = i; j >= gap && key[j - gap] > x; j -= gap) key[j] = key[j - gap]
            key[j] = x
        }
}
