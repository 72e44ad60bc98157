# Eight threads that hand objects to each other; the ones in C code (zlib,
# hashlib, sqlite) really run at the same time.
import hashlib, queue, sqlite3, threading, zlib

N = 8
queues = [queue.Queue() for _ in range(N)]
results = [None] * N
tls = threading.local()

def work(me):
    tls.mine = []
    h = hashlib.sha256()
    db = sqlite3.connect(':memory:')
    db.execute('create table t (a integer primary key, b text)')
    for r in range(40):
        d = {i: ('%d-%d' % (me, i)) * (i % 7) for i in range(300)}
        s = ' '.join(d.values()).encode() * 12
        z = zlib.compress(s, 3)
        queues[(me + 1) % N].put((r, z, d))
        rr, zz, dd = queues[me].get()
        assert rr == r and len(dd) == 300
        back = zlib.decompress(zz)
        h.update(back)
        tls.mine.append(dd[299][:3])
        db.executemany('insert into t (b) values (?)', ((v,) for v in dd.values()))
    n, l = db.execute('select count(*), sum(length(b)) from t where b like ?', ('%-%',)).fetchone()
    results[me] = (n, l, len(tls.mine), h.hexdigest())

for generation in range(2):
    threads = [threading.Thread(target=work, args=(i,)) for i in range(N)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(*results, sep='\n')
# Many short threads.
lock, total = threading.Lock(), 0
def short(i):
    global total
    v = sum(len(str(j)) for j in range(i))
    with lock:
        total += v
for i in range(0, 400, 8):
    ts = [threading.Thread(target=short, args=(i + j,)) for j in range(8)]
    [t.start() for t in ts]
    [t.join() for t in ts]
print(total)
