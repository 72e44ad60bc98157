use strict;
use warnings;
use Data::Dumper;
use List::Util qw(sum max);
use Scalar::Util qw(weaken);
my (%n, %by, @all);
open my $f, '<', $ARGV[0] or die;
while (<$f>) {
    last if $. > 200000;
    my ($a, $v, $b) = split;
    $n{$a}++;
    push @{ $by{ substr $b, 0, 4 } }, { word => $b, value => $v };
    push @all, "$b:$v" if /(ba|de)(\w)\2?.* 1\d+ /;
}
print scalar(keys %n), " ", scalar(keys %by), " ", scalar(@all), "\n";
for my $k ((sort { $n{$b} <=> $n{$a} || $a cmp $b } keys %n)[0 .. 9]) {
    print "$k $n{$k}\n";
}
for my $k (sort keys %by) {
    next unless $k =~ /^z/;
    my @s = sort { $a->{value} <=> $b->{value} or $a->{word} cmp $b->{word} } @{ $by{$k} };
    printf "%s %d %s %d\n", $k, scalar(@s), $s[0]{word}, sum map { $_->{value} } @s;
}
# A tree with weak links to the parents.
{
    package Node;
    our $gone = 0;
    sub new { my ($c, $p, $v) = @_; my $s = bless { v => $v, kids => [] }, $c;
        if ($p) { push @{ $p->{kids} }, $s; $s->{up} = $p; Scalar::Util::weaken($s->{up}) } $s }
    sub DESTROY { $gone++ }
}
for my $r (1 .. 20) {
    my $root = Node->new(undef, 0);
    my @q = ($root);
    for my $i (1 .. 2000) { push @q, Node->new($q[ $i * 7 % @q ], $i) }
    my $d = 0;
    for (my $x = $q[-1]; $x; $x = $x->{up}) { $d++ }
    print "depth $d\n" if $r == 20;
}
print "gone $Node::gone\n";
my $text = join ' ', @all;
(my $t = $text) =~ s/(\w+):(\d+)/$2 . ucfirst $1/ge;
print length($t), " ", substr($t, 5000, 40), "\n";
my $s = '';
$s .= chr(97 + $_ % 26) x ($_ % 50) for 1 .. 20000;
print length($s), " ", ($s =~ tr/a-m//), "\n";
local $Data::Dumper::Sortkeys = 1;
print Dumper({ a => [ 1, { b => 2 } ], c => \"text" });
print eval { die { code => 42 } } // "died $@->{code}", "\n";
my $out = `$^X -e 'print join ",", map { \$_ * \$_ } 1 .. 10; exit 3'`;
print "$out ", $? >> 8, "\n";
