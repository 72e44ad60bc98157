# The programs, in the order in which they run, and the commands each needs.
# shellcheck shell=bash disable=SC2034
table='bash bash
perl perl
python3 python3
python3_malloc python3
python3_threads python3
python3_fork python3
python3_spawn python3
sqlite3 sqlite3
lua lua5.4
git git
gcc gcc
g++ g++
clang clang
sort sort
mawk mawk
gawk gawk
xz xz
zstd zstd
tar_gzip tar gzip bzip2
ruby ruby
php php
php_malloc php
node node
java_version java
javac_java javac java
guile guile
emacs emacs
vim vim
gdb gdb gcc
ghostscript gs
convert convert
ffmpeg ffmpeg
redis redis-server redis-cli redis-benchmark
memcached memcached python3
nginx nginx curl
postgres postgres initdb pgbench psql'
