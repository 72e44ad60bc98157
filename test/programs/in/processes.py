import hashlib, multiprocessing, sys

def work(n):
    d = {i: str(i * n) for i in range(40000)}
    l = sorted(d.values())
    return n, hashlib.sha256(','.join(l).encode()).hexdigest()[:16]

def child(conn, n):
    l = []
    while True:
        m = conn.recv()
        if m is None:
            break
        l.append([m] * n)
        conn.send(sum(map(len, l)))
    conn.close()

if __name__ == '__main__':
    c = multiprocessing.get_context(sys.argv[1])
    # Something for a forked child to inherit.
    keep = [{j: [j] * 5 for j in range(20)} for i in range(2000)]
    with c.Pool(3) as pool:
        for r in pool.imap(work, range(1, 25)):
            print(*r)
        pool.close()
        pool.join()
    a, b = c.Pipe()
    p = c.Process(target=child, args=(b, 7))
    p.start()
    total = 0
    for i in range(1500):
        a.send('message %d' % i * (i % 10))
        total += a.recv()
    a.send(None)
    p.join()
    print(total, p.exitcode, sum(map(len, keep)))
