$x = 12345
def rnd(n) = ($x = $x * 16807 % 2147483647) % n

h = Hash.new { |a, k| a[k] = [] }
150_000.times { |i| h["key#{rnd(9000)}"] << [i, i.to_s * 3]; h.delete("key#{rnd(9000)}") if i % 4 == 0 }
puts "#{h.size} #{h.values.sum(&:size)}"

Node = Struct.new(:left, :right)
def tree(d) = d == 0 ? Node.new : Node.new(tree(d - 1), tree(d - 1))
def check(t) = t.left ? 1 + check(t.left) + check(t.right) : 1
puts check(tree(15)), 30.times.sum { check(tree(10)) }

require 'objspace'
dead = 0
5000.times { ObjectSpace.define_finalizer(Object.new, proc { dead += 1 }) }
GC.start
GC.compact if GC.respond_to?(:compact)
s = +''
40_000.times { |i| s << "word#{rnd(1000)} " * (i % 5) }
puts s.size, s.scan(/word(\d)(\d+)/).size, s.gsub(/d(\d+)/) { $1.reverse }[5000, 50]
puts s.split.tally.sort_by { |k, v| [-v, k] }.first(5).inspect
puts (1..2000).inject(:*).to_s.size, (3**4000 % 10**30)

q = Queue.new
ts = 6.times.map { |t| Thread.new { 300.times { |i| q << ("#{t}:#{i}" * 5).sum }; Thread.current[:x] = t } }
ts.each(&:join)
t = 0
t += q.pop until q.empty?
puts t
f = 500.times.map { |i| Fiber.new { 5.times { |j| Fiber.yield i * j }; nil } }
puts f.sum { |g| r = 0; while (v = g.resume); r += v; end; r }
big = 300.times.map { |i| 'z' * (rnd(60) * rnd(3000)) }
big.shuffle!(random: Random.new(5))
puts big.sum(&:size)
puts Marshal.load(Marshal.dump(h.to_a)).size
r, w = IO.pipe
pid = fork { r.close; w.write tree(10).then { check(_1) }.to_s; exit!(4) }
w.close
puts r.read
Process.wait(pid)
puts $?.exitstatus
begin
  def deep(n) = deep(n + 1)
  deep(0)
rescue SystemStackError => e
  puts e.class
end
