# Commands for redis-cli --pipe: values of every type, some of them replaced.
function rnd(n) { x = (x * 16807) % 2147483647; return x % n }
BEGIN {
    x = 4242
    for (i = 0; i < 100000; i++) {
        t = rnd(7)
        s = sprintf("%0" (1 + rnd(120)) "d", i)
        if (t < 2) print "SET k:" rnd(30000), s
        else if (t == 2) print "HSET hash:" rnd(200), "f" rnd(300), s
        else if (t == 3) print "RPUSH list:" rnd(200), s, s
        else if (t == 4) print "ZADD zset:" rnd(100), rnd(10000), "m" rnd(2000)
        else if (t == 5) print "SADD set:" rnd(100), rnd(1000000)
        else print "DEL k:" rnd(30000)
    }
}
