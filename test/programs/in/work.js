const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const crypto = require('crypto'), zlib = require('zlib'), fs = require('fs');

let x = 12345 + (workerData || 0);
const rnd = (n) => (x = x * 16807 % 2147483647) % n;
const sha = (b) => crypto.createHash('sha256').update(b).digest('hex').slice(0, 16);

// Buffers have their memory from malloc, and their owners in V8's heap.
function buffers() {
  const keep = new Map();
  const h = crypto.createHash('sha256');
  for (let i = 0; i < 20000; i++) {
    const k = rnd(500);
    const old = keep.get(k);
    if (old) h.update(old);
    keep.set(k, Buffer.from(new Uint8Array(1 + rnd(4000)).fill(i & 255).buffer));
  }
  return h.digest('hex').slice(0, 16);
}

function objects() {
  const m = {};
  for (let i = 0; i < 100000; i++) {
    const k = 'key' + rnd(5000);
    (m[k] = m[k] || []).push({ i, s: String(i).repeat(2) });
    if (i % 4 === 0) delete m['key' + rnd(5000)];
  }
  const text = JSON.stringify(Object.keys(m).sort().map((k) => [k, m[k]]));
  return [text.length, sha(text), JSON.parse(text).length];
}

function compress() {
  const text = Array.from({ length: 60000 }, () => 'w' + rnd(3000)).join(' ');
  const z = zlib.gzipSync(text), b = zlib.brotliCompressSync(text, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } });
  return [zlib.gunzipSync(z).toString() === text, zlib.brotliDecompressSync(b).toString() === text, z.length, b.length];
}

if (!isMainThread) {
  parentPort.postMessage([workerData, buffers(), objects(), compress()]);
} else {
  console.log(buffers(), objects(), compress());
  (async () => {
    const run = (n) => new Promise((ok, bad) => {
      const w = new Worker(__filename, { workerData: n });
      let r;
      w.on('message', (m) => { r = m; });
      w.on('error', bad);
      w.on('exit', (c) => ok([r, c]));
    });
    for (const r of await Promise.all([1, 2, 3].map(run))) console.log(JSON.stringify(r));
    // The thread pool: files, hashing and compression.
    const jobs = [];
    for (let i = 0; i < 40; i++) {
      jobs.push(new Promise((ok) => fs.writeFile('f' + i, 'text'.repeat(i * 500), () =>
        fs.readFile('f' + i, (e, d) => zlib.deflate(d, (e2, z) =>
          crypto.pbkdf2(z, 'salt', 200, 32, 'sha256', (e3, k) => ok(k.toString('hex').slice(0, 8))))))));
    }
    console.log((await Promise.all(jobs)).join(' '));
    console.log(require('child_process').execFileSync(process.execPath, ['-e', 'console.log(2n ** 200n)']).toString());
  })();
}
