import collections, decimal, fractions, gc, hashlib, io, itertools, json, pickle, re, struct, weakref, zlib

x = 12345
def rnd(n):
    global x
    x = x * 16807 % 2147483647
    return x % n

# Dictionaries and strings.
d = collections.defaultdict(list)
for i in range(400000):
    d['key%d' % rnd(5000)].append((i, str(i) * 2))
    if i % 5 == 0:
        d.pop('key%d' % rnd(5000), None)
print(len(d), sum(len(v) for v in d.values()))

# Cycles, weak references and finalizers.
class Node:
    dead = 0
    def __init__(self, n):
        self.n = n
        self.links = [self]
        self.data = bytearray(rnd(200))
    def __del__(self):
        Node.dead += 1
refs = []
for r in range(25):
    nodes = [Node(i) for i in range(2000)]
    for n in nodes:
        n.links += [nodes[rnd(2000)] for _ in range(3)]
    refs.append(weakref.ref(nodes[7]))
    del nodes, n
    gc.collect()
print(Node.dead, [r() for r in refs].count(None))

# A binary tree, many times.
def tree(depth):
    return (tree(depth - 1), tree(depth - 1)) if depth else None
def check(t):
    return 1 + check(t[0]) + check(t[1]) if t else 1
print(check(tree(16)), sum(check(tree(10)) for _ in range(150)))

# Serialization and compression, with buffers of all sizes.
data = {'l%d' % i: [j * 1.5 for j in range(i % 40)] for i in range(2000)}
text = json.dumps(data, sort_keys=True)
assert json.loads(text) == data
p = pickle.dumps(data)
assert pickle.loads(p) == data
z = zlib.compress(text.encode(), 6)
assert zlib.decompress(z) == text.encode()
print(len(text), len(p), hashlib.sha256(z).hexdigest())
bufs = [bytes([i & 255]) * (rnd(20) * rnd(4000)) for i in range(2000)]
rnd_order = sorted(range(2000), key=lambda i: (rnd(1 << 20), i))
h = hashlib.md5()
for i in rnd_order:
    h.update(bufs[i])
    bufs[i] = None
print(h.hexdigest())

print(len(re.findall(r'(\d+)\.5', text)), re.sub(r'(l\d)(\d+)', r'\2\1', text)[3000:3060])
print(2 ** 5000 % (10 ** 40 + 7), decimal.Decimal(2).sqrt(), sum((fractions.Fraction(1, i) for i in range(1, 200)), fractions.Fraction()))
s = io.StringIO()
for a, b in itertools.islice(itertools.permutations(range(9), 2), 50):
    s.write('%d%d,' % (a, b))
print(s.getvalue())
lists = []
for i in range(200):
    lists.append([])
    for l in lists:
        l.extend(struct.pack('<I', i))
print(sum(map(len, lists)))
def gen(n):
    if n:
        yield n
        yield from gen(n - 1)
print(sum(gen(300)))
try:
    raise ValueError('raised') from KeyError('cause')
except ValueError as e:
    print(repr(e), repr(e.__cause__))
