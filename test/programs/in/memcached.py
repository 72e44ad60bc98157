# Eight clients set, change, delete and check their own keys.
import hashlib, socket, sys, threading

def client(n, result):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    f = s.makefile('rwb')
    x, mine, h = n + 1, {}, hashlib.sha256()
    for i in range(2500):
        x = x * 16807 % 2147483647
        k, op = 'c%d:%d' % (n, x % 300), x // 300 % 10
        if op < 5:
            v = (b'%d,' % i) * (x // 3000 % 1500)
            f.write(b'set %s 0 0 %d\r\n%s\r\n' % (k.encode(), len(v), v))
            f.flush()
            assert f.readline() == b'STORED\r\n'
            mine[k] = v
        elif op == 5:
            f.write(b'delete %s\r\n' % k.encode())
            f.flush()
            assert f.readline() == (b'DELETED\r\n' if mine.pop(k, None) is not None else b'NOT_FOUND\r\n')
        else:
            f.write(b'get %s\r\n' % k.encode())
            f.flush()
            l = f.readline()
            if k in mine:
                v = f.read(len(mine[k]) + 2)[:-2]
                assert v == mine[k], k
                h.update(v)
                l = f.readline()
            assert l == b'END\r\n', l
    result[n] = '%d %d %s' % (n, len(mine), h.hexdigest())

for r in range(2):
    result = {}
    ts = [threading.Thread(target=client, args=(i, result)) for i in range(8)]
    [t.start() for t in ts]
    [t.join() for t in ts]
    for i in range(8):
        print(result.get(i, '%d failed' % i))
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall(b'flush_all\r\n')
    print(s.recv(100))
s.sendall(b'stats\r\n')
f = s.makefile()
for line in iter(f.readline, 'END\n'):
    if line.split()[1] in ('cmd_get', 'cmd_set', 'get_hits', 'evictions', 'threads', 'total_items'):
        print(line.strip())
