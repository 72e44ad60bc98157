# SPDX-License-Identifier: MIT
# Fibers, channels, closures, hashes, strings, finalizers and weak references of Crystal, whose stacks the collector must
# be told of.
require "weak_ref"

def say(*items)
  puts items.join(" ")
end

class Node
  property left : Node?
  property right : Node?

  def initialize(depth)
    if depth > 0
      @left = Node.new(depth - 1)
      @right = Node.new(depth - 1)
    end
  end

  def nodes : Int32
    1 + (@left.try(&.nodes) || 0) + (@right.try(&.nodes) || 0)
  end
end

class Counted
  @@finalized = 0
  class_getter finalized

  def initialize(@value : Array(Int32))
  end

  def finalize
    @@finalized += @value.size
  end
end

kept = Node.new(16)
say "trees", (0...600).sum { |i| Node.new(7 + i % 6).nodes }

# Fibers that each hold a structure across switches, and collections while all of them wait.
results = Channel(Int32).new
start = Channel(Nil).new
50.times do |i|
  spawn do
    mine = Node.new(5 + i % 6)
    text = "fiber #{i}"
    start.receive
    20.times { Node.new(6); Fiber.yield }
    results.send mine.nodes + text.size
  end
end
Fiber.yield
10.times { GC.collect }
50.times { start.send nil }
say "fibers", (0...50).sum { results.receive }

# A pipeline of channels.
numbers = Channel(Array(Int32)).new(8)
strings = Channel(String).new(8)
spawn { 20_000.times { |i| numbers.send [i, i * i % 1009] }; numbers.close }
4.times do
  spawn do
    while pair = numbers.receive?
      strings.send "#{pair[0]}:#{pair[1]}"
    end
    strings.send "end"
  end
end
ended = 0
digest = 0_u64
while ended < 4
  text = strings.receive
  text == "end" ? (ended += 1) : (digest &+= text.hash_code)
end

class String
  def hash_code
    each_byte.reduce(7_u64) { |sum, byte| (sum &* 31 &+ byte) % 1_000_003 }
  end
end

say "pipeline", digest

table = {} of String => Array(String)
100_000.times { |i| (table["key#{i * 7 % 3000}"] ||= [] of String) << "v#{i}"; table.delete("key#{i % 3000}") if i % 5 == 0 }
say "table", table.size, table.values.sum(&.size)
say "text", (0...50_000).map { |i| "w#{i % 977}" }.join(' ').split.uniq.size
say "sorted", (0...100_000).map { |i| (i &* 7919) % 100_003 }.sort.first(5)
say "closures", (0...50_000).map { |i| list = [i]; ->{ list[0] } }.sum { |f| f.call.to_i64 }
say "exceptions", (0...5_000).sum { |i| begin; i.odd? ? raise("odd #{i}") : 1; rescue e; (e.message || "").size; end }
say "big", (1..200).reduce(1_u64) { |a, b| (a &* b) % 1_000_003 }

1_000.times { |i| Counted.new([i]) }
Node.new(10)
5.times { GC.collect }
say "finalized", Counted.finalized > 500 && Counted.finalized <= 1000

references = (0...300).map { |i| WeakRef.new([i]) }
Node.new(10)
5.times { GC.collect }
say "weak", references.count { |r| r.value } < 150, references.all? { |r| (v = r.value).nil? || v.size == 1 }
say "end", kept.nodes
