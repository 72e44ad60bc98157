<?php
$x = 12345;
function rnd(int $n): int { global $x; $x = $x * 16807 % 2147483647; return $x % $n; }
$a = [];
for ($i = 0; $i < 600000; $i++) {
    $k = 'key' . rnd(9000);
    $a[$k][] = [$i, str_repeat((string)$i, 3)];
    if ($i % 4 == 0) unset($a['key' . rnd(9000)]);
}
ksort($a);
echo count($a), ' ', array_sum(array_map('count', $a)), ' ', array_key_first($a), "\n";
class Node {
    public static int $gone = 0;
    public array $links = [];
    public ?Node $self;
    function __construct(public int $v) { $this->self = $this; }
    function __destruct() { self::$gone++; }
}
for ($r = 0; $r < 60; $r++) {
    $n = [];
    for ($i = 0; $i < 2000; $i++) {
        $n[$i] = new Node($i);
        $n[$i]->links[] = $n[intdiv($i, 2)];
    }
    unset($n);
    gc_collect_cycles();
}
echo Node::$gone, "\n";
function tree(int $d): array { return $d ? [tree($d - 1), tree($d - 1)] : []; }
function check(array $t): int { return $t ? 1 + check($t[0]) + check($t[1]) : 1; }
echo check(tree(15)), "\n";
$s = '';
for ($i = 0; $i < 100000; $i++) $s .= 'w' . rnd(5000) . ' ';
echo strlen($s), ' ', md5(preg_replace_callback('/w(\d)(\d*)/', fn($m) => $m[2] . strtoupper($m[1]), $s)), "\n";
$c = array_count_values(explode(' ', $s));
uksort($c, fn($p, $q) => $c[$q] <=> $c[$p] ?: strcmp($p, $q));
print_r(array_slice($c, 0, 4));
$j = json_encode($a);
echo strlen($j), ' ', md5(serialize(json_decode($j, true))), "\n";
function gen(int $n) { for ($i = 0; $i < $n; $i++) { $got = yield $i => str_repeat('y', $i % 50); if ($got) yield $got; } }
$t = 0;
foreach (gen(20000) as $k => $v) $t += $k * strlen($v);
echo $t, "\n";
$heap = new SplPriorityQueue;
for ($i = 0; $i < 30000; $i++) $heap->insert([$i], [rnd(1000000), $i]);
$h = hash_init('sha256');
while (!$heap->isEmpty()) hash_update($h, (string)$heap->extract()[0]);
echo hash_final($h), "\n";
try { intdiv(1, 0); } catch (DivisionByZeroError $e) { echo $e->getMessage(), "\n"; }
