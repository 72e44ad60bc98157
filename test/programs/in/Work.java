import java.nio.ByteBuffer;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.*;
import java.util.stream.*;
import java.util.zip.*;

public class Work {
    record Item(int id, String name, List<Integer> values) {}
    sealed interface Tree permits Leaf, Pair {}
    record Leaf() implements Tree {}
    record Pair(Tree a, Tree b) implements Tree {}
    static Tree tree(int d) { return d == 0 ? new Leaf() : new Pair(tree(d - 1), tree(d - 1)); }
    static int check(Tree t) { return t instanceof Pair p ? 1 + check(p.a()) + check(p.b()) : 1; }

    static String job(int seed) throws Exception {
        Random r = new Random(seed);
        Map<String, Item> m = new HashMap<>();
        for (int i = 0; i < 40000; i++) {
            String k = "key" + r.nextInt(4000);
            m.put(k, new Item(i, k.repeat(2), IntStream.range(0, i % 20).boxed().collect(Collectors.toList())));
            if (i % 3 == 0) m.remove("key" + r.nextInt(4000));
        }
        long n = m.values().stream().mapToLong(v -> v.values().size() + v.name().length()).sum();
        // Deflater and direct buffers have memory from malloc.
        byte[] data = m.keySet().stream().sorted().collect(Collectors.joining(" ")).getBytes("UTF-8");
        long c = 0;
        for (int i = 0; i < 10; i++) {
            Deflater d = new Deflater(1 + i % 9);
            d.setInput(data);
            d.finish();
            byte[] z = new byte[data.length + 100];
            int l = d.deflate(z);
            d.end();
            Inflater f = new Inflater();
            f.setInput(z, 0, l);
            byte[] back = new byte[data.length];
            if (f.inflate(back) != data.length || !Arrays.equals(back, data)) return "bad";
            f.end();
            c += l;
        }
        ByteBuffer[] b = new ByteBuffer[50];
        for (int i = 0; i < 2000; i++) {
            ByteBuffer x = ByteBuffer.allocateDirect(1 + r.nextInt(5000));
            x.put(0, (byte) i);
            ByteBuffer old = b[i % 50];
            if (old != null) c += old.get(0);
            b[i % 50] = x;
        }
        return seed + " " + n + " " + m.size() + " " + c + " " + check(tree(14));
    }

    public static void main(String[] a) throws Exception {
        ExecutorService e = Executors.newFixedThreadPool(4);
        List<Future<String>> l = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            int s = i;
            l.add(e.submit(() -> job(s)));
        }
        for (Future<String> f : l) System.out.println(f.get());
        e.shutdown();
        Process p = new ProcessBuilder("sh", "-c", "echo child; exit 5").start();
        System.out.println(new String(p.getInputStream().readAllBytes()).trim() + " " + p.waitFor());
        Function<Integer, Supplier<String>> g = i -> () -> "lambda " + i;
        System.out.println(g.apply(3).get());
        try {
            int[] big = new int[Integer.MAX_VALUE - 8];
            System.out.println(big.length);
        } catch (OutOfMemoryError x) {
            System.out.println("OutOfMemoryError");
        }
    }
}
