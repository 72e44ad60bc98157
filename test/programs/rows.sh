#!/bin/bash
# Run one program of the table: rows.sh NAME ENVFILE INPUTS OUT TIMING
#
# run.sh starts this in an empty directory with a clean environment.  ENVFILE
# defines the array penv, what env(1) adds to the environment of the program
# under test (nothing in a reference run), and the array wrap, a command that
# runs it (none, or strace).  INPUTS is a directory for inputs
# made once and used by all the runs.  Wall times, exit statuses and peak RSS
# go to OUT.time, OUT.status and OUT.rss.
#
# Whatever a function prints is compared, so none may print a time, a process
# id, an address, or the order of anything unordered.

# shellcheck disable=SC2016,SC2094,SC2154
# (READY is evaluated later; "git log >log" does not read what it writes; penv
# is in ENVFILE.)

set -u
name=$1 envfile=$2 in=$3 out=$4 timing=$5
here=$(cd "$(dirname "$0")" && pwd)/in
# shellcheck source=/dev/null
. "$envfile"
rss=() as=()
if ((timing)) && [ -x /usr/bin/time ]; then
    rss=(/usr/bin/time -q -a -o "$out.rss" -f %M)
fi

took() { # START, in the form of EPOCHREALTIME
    local now=$EPOCHREALTIME
    echo $((${now/./} - ${1/./})) >>"$out.time"
}

# Run a program under test, with its time, exit status and RSS.
P() {
    local t0=$EPOCHREALTIME rc
    "${rss[@]}" "${as[@]}" "${wrap[@]}" env "${penv[@]}" "$@"
    rc=$?
    took "$t0"
    echo "$rc ${1##*/}" >>"$out.status"
    return $rc
}

# Run a client of a program under test: its time counts, but it has no preload.
C() {
    local t0=$EPOCHREALTIME rc
    "$@"
    rc=$?
    took "$t0"
    echo "$rc ${1##*/}" >>"$out.status"
    return $rc
}

# Start a server under test, and wait until the command READY succeeds.
# usage: S READY server args...
S() {
    local ready=$1
    shift
    "${rss[@]}" "${as[@]}" "${wrap[@]}" env "${penv[@]}" "$@" >server.out.log 2>server.err.log &
    server=$! server_name=${1##*/}
    until eval "$ready" >/dev/null 2>&1; do
        if ! kill -0 "$server" 2>/dev/null; then
            echo "$server_name did not start"
            cat server.err.log
            return 1
        fi
        sleep 0.05
    done
}

# Wait for the server, which was told to end, and show its exit status and
# anything in its logs that looks like a crash.
S_ended() {
    wait "$server"
    echo "$? $server_name" >>"$out.status"
    grep -aiE '(^|[^a-z])(cgc|crash|segfault|segmentation|fault|corrupt|aborted|assert|panic|out of memory|cannot allocate|smashing|ld\.so|terminated by|stack ?trace)' \
        server.out.log server.err.log
    return 0
}

sum() { # FILE...: their checksums, without directories
    local f
    for f; do
        printf '%s  %s\n' "$(sha256sum <"$f" | cut -d' ' -f1)" "${f##*/}"
    done
}

# input NAME: make the input called NAME unless an earlier run did.
input() {
    [ -e "$in/$1" ] && return
    "input_$1" >"$in/tmp" && mv "$in/tmp" "$in/$1"
}

# A word, a number, and another word a line, 300,000 lines.
input_words() { awk -v lines=300000 -f "$here/words.awk"; }
input_big.c() { awk -v functions=300 -f "$here/big_c.awk"; }
input_big.cc() { awk -v types=3 -f "$here/big_cc.awk"; }

p_bash() { P bash "$here/work.bash"; }

p_perl() {
    input words
    export PERL_HASH_SEED=1
    P perl "$here/work.pl" "$in/words"
}

# (Each row has a shell of its own, so what it exports goes no further.)
p_python3() {
    export PYTHONHASHSEED=1
    P python3 "$here/work.py"
}

# Without Python's own allocator every object is a malloc.
p_python3_malloc() {
    export PYTHONHASHSEED=1 PYTHONMALLOC=malloc
    P python3 "$here/work.py"
}

p_python3_threads() {
    export PYTHONHASHSEED=1 PYTHONMALLOC=malloc
    P python3 "$here/threads.py"
}

p_python3_fork() {
    export PYTHONHASHSEED=1
    P python3 "$here/processes.py" fork
}

p_python3_spawn() {
    export PYTHONHASHSEED=1
    P python3 "$here/processes.py" spawn
}

p_sqlite3() {
    P sqlite3 -batch data.db <"$here/work.sql"
    P sqlite3 -batch data.db .dump >dump.sql
    P sqlite3 -batch copy.db <dump.sql
    P sqlite3 -batch copy.db .dump >dump2.sql
    sum dump.sql
    cmp dump.sql dump2.sql
}

p_lua() { P lua5.4 "$here/work.lua"; }

p_git() {
    export GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
    git config --global pack.threads 2
    git config --global gc.auto 0
    git config --global init.defaultBranch main
    git config --global advice.detachedHead false
    awk -f "$here/fast_import.awk" >stream
    P git init -q --bare a.git
    P git -C a.git fast-import --quiet <stream
    P git clone -q --no-local a.git b
    P git -C b gc -q --prune=now
    P git -C b repack -q -a -d -f --depth=20 --window=20
    P git -C b fsck --full --strict --no-progress
    P git -C b log --stat --format='%H %an %s' >log
    P git -C b log -p -M --all >patches
    P git -C b blame --porcelain dir3/file9 >blame
    P git -C b count-objects -v | grep -E '^(count|in-pack|packs):'
    P git -C b rev-list --objects --all | sort >objects
    P git -C b bundle create -q ../all.bundle --all
    P git clone -q all.bundle c
    P git -C c checkout -q HEAD~10
    P git -C c status --short
    P git -C c grep -c 'w1.*w2' | sort >counts
    sum log patches blame objects counts
}

# gcc runs cc1, as and collect2 and ld, which get the preload through it.
p_gcc() {
    input big.c
    P gcc -O2 -S -o big.s "$in/big.c" && sum big.s
    P gcc -g -o big "$in/big.c" && P ./big
    P gcc -O1 -flto=2 -fwhole-program -ffat-lto-objects -o lto "$here/gdb.c" && P ./lto
}

p_g++() {
    input big.cc
    P g++ -O1 -S -o big.s "$in/big.cc" && sum big.s
    P g++ -pipe -o big big.s && P ./big
}

p_clang() {
    input big.c
    P clang -O2 -S -o big.s "$in/big.c" && sum big.s
    P clang -g -o big "$in/big.c" && P ./big
}

p_sort() {
    input words
    P sort --parallel=2 "$in/words" >a
    P sort --parallel=2 -S 2M -T "$TMPDIR" -k2,2n -k1,1r "$in/words" >b
    P sort --parallel=2 -u -k3,3 "$in/words" >c
    P sort --parallel=2 -c a
    sum a b c
}

p_mawk() {
    input words
    P mawk -f "$here/work.awk" "$in/words" >out
    sum out
    head -n 20 out
}

p_gawk() {
    input words
    P gawk -f "$here/work.awk" "$in/words" >out
    P gawk -f "$here/work.gawk" "$in/words" >out2
    sum out out2
    head -n 20 out
}

p_xz() {
    input words
    P xz -T2 -2 --block-size=1MiB -c "$in/words" >a.xz
    P xz -T2 -dc a.xz >a
    P xz -T2 -l --robot a.xz | cut -f 1-5
    sum a a.xz
}

p_zstd() {
    input words
    P zstd -q -T2 -10 -c "$in/words" >a.zst
    P zstd -q -dc a.zst >a
    P zstd -q --train -B4096 --maxdict=32KB "$in/words" -o dict
    P zstd -q -T2 -6 -D dict -c "$in/words" >b.zst
    P zstd -q -dc -D dict b.zst >b
    sum a b a.zst b.zst
}

p_tar_gzip() {
    input words
    mkdir tree
    (cd tree && for d in 0 1 2 3; do mkdir $d && cd $d &&
        split -a 3 -l 3000 "$in/words" && cd ..; done)
    P sh -c 'tar --sort=name --mtime=@1000000000 --owner=0 --group=0 \
        --mode=u+rw -cf - tree | gzip -n4 >tree.tar.gz'
    P tar -tzf tree.tar.gz >list
    mkdir out
    P tar -xzf tree.tar.gz -C out
    P tar -cjf some.tar.bz2 tree/3
    P tar -djf some.tar.bz2
    diff -r tree out/tree
    sum tree.tar.gz list
}

p_ruby() { P ruby --disable-gems "$here/work.rb"; }

p_php() { P php -n "$here/work.php"; }

# Without PHP's own allocator.
p_php_malloc() {
    export USE_ZEND_ALLOC=0
    P php -n "$here/work.php"
}

p_node() { P node "$here/work.js"; }

p_java_version() { P java -XX:-UsePerfData -version 2>&1; }

p_javac_java() {
    P javac -J-XX:-UsePerfData -J-Xmx256m -d classes "$here/Work.java"
    P java -XX:-UsePerfData -Xmx256m -cp classes Work
    sum classes/Work.class
}

p_guile() { P guile --no-auto-compile -q -s "$here/work.scm"; }

# The native compiler of newer versions would write to HOME in the background.
p_emacs() {
    input words
    cp "$here/work.el" .
    head -n 20000 "$in/words" >words
    P emacs -Q --batch --eval '(setq native-comp-deferred-compilation nil
        native-comp-jit-compilation nil)' -l work.el 2>/dev/null
}

p_vim() {
    input words
    head -n 20000 "$in/words" >words
    P vim -u NONE -i NONE -n -N -es -S "$here/work.vim" words
    sum result
    tail -n 5 result
}

# Nothing here prints a stack address: these move with the environment.  The thread of option stress-ms is the
# debugger's to see.
p_gdb() {
    cp "$here/gdb.c" . && gcc -g -O0 -no-pie -pthread -o debuggee gdb.c
    P gdb -nx -q -batch -x "$here/work.gdb" debuggee >out
    sed 's/(LWP [0-9]*)/(LWP)/; s/Thread 0x[0-9a-f]*/Thread/; s/process [0-9]*/process/
        /^\[New [TP]/d; /^\[Thread .* exited/d; s/^Thread 1 "debuggee" hit //' out
    P gdb -nx -q -batch -ex 'info functions -q json' -ex 'info line main' \
        -ex 'python print(sum(i * i for i in range(1000)))' debuggee
}

p_ghostscript() {
    P gs -q -dSAFER -dBATCH -dNOPAUSE -sDEVICE=ppmraw -r72 -o page%d.ppm "$here/work.ps"
    P gs -q -dSAFER -dBATCH -dNOPAUSE -sDEVICE=pdfwrite -o out.pdf "$here/work.ps"
    P gs -q -dSAFER -dBATCH -dNOPAUSE -sDEVICE=pgmraw -r50 -o pdf%d.pgm out.pdf
    sum page*.ppm pdf*.pgm
}

p_convert() {
    export MAGICK_THREAD_LIMIT=2
    P convert -size 700x700 gradient:red-blue \( -size 700x700 pattern:checkerboard \) \
        -compose multiply -composite -depth 8 a.ppm
    P convert a.ppm -swirl 200 -blur 0x3 -resize 1200x900 -rotate 30 -depth 8 b.ppm
    P convert b.ppm -colors 64 -define png:exclude-chunks=date,time -strip c.png
    P convert c.png -edge 2 -negate -crop 200x200 +repage -append -depth 8 d.ppm
    P convert a.ppm -quality 80 -strip e.jpg
    sum a.ppm b.ppm c.png d.ppm e.jpg
}

p_ffmpeg() {
    local q=(-nostdin -v error -y -threads 2 -filter_threads 2)
    P ffmpeg "${q[@]}" -f lavfi -i testsrc=size=480x360:rate=25 \
        -f lavfi -i sine=frequency=500:sample_rate=44100 -t 6 \
        -vf 'hue=h=10*t,scale=320:240' -c:v mpeg4 -q:v 4 -threads:v 2 \
        -c:a flac -fflags +bitexact -flags:v +bitexact -flags:a +bitexact a.mkv
    P ffmpeg "${q[@]}" -i a.mkv -map 0 -f framemd5 a.md5
    P ffmpeg "${q[@]}" -i a.mkv -an -c:v ffv1 -threads:v 2 -slices 4 -f framemd5 b.md5
    P ffmpeg "${q[@]}" -i a.mkv -an -c:v libx264 -preset veryfast -threads:v 2 -f framemd5 c.md5
    sum a.mkv a.md5 b.md5 c.md5
}

p_redis() {
    local cli=(redis-cli -s "$PWD/r.sock")
    local start=(redis-server --port 0 --unixsocket "$PWD/r.sock" --dir "$PWD"
        --save '' --appendonly no --enable-debug-command yes
        --activerehashing yes --lazyfree-lazy-user-del yes)
    S '"${cli[@]}" ping | grep PONG' "${start[@]}" || return
    C redis-benchmark -s "$PWD/r.sock" -q -P 8 -c 20 -n 60000 -d 64 \
        -t set,get,incr,lpush,rpop,sadd,hset,zadd >bench.log
    "${cli[@]}" flushall
    awk -f "$here/redis.awk" >commands
    C "${cli[@]}" --pipe <commands >pipe.log
    # The forked child writes a snapshot while the parent changes its values.
    "${cli[@]}" bgsave >/dev/null
    "${cli[@]}" eval "for i = 1, 20000 do redis.call('append', 'k:' .. i, tostring(i * 7)) end
        return redis.call('strlen', 'k:77')" 0
    # The lazy deletion is in a thread of its own.
    "${cli[@]}" del list:1 hash:2 zset:3
    until "${cli[@]}" info persistence | grep -q rdb_bgsave_in_progress:0; do sleep 0.05; done
    "${cli[@]}" info persistence | grep -o rdb_last_bgsave_status:ok
    "${cli[@]}" dbsize
    "${cli[@]}" get k:7
    "${cli[@]}" hget hash:5 f10
    "${cli[@]}" zrange zset:4 0 4 withscores
    "${cli[@]}" lrange list:2 10 13
    "${cli[@]}" debug digest >digest
    cat digest
    "${cli[@]}" save
    "${cli[@]}" shutdown nosave
    S_ended
    # Load the file in a new server.
    S '"${cli[@]}" ping | grep PONG' "${start[@]}" || return
    "${cli[@]}" debug digest | cmp - digest && echo same
    "${cli[@]}" shutdown nosave
    S_ended
    cat server.err.log
    grep -aEv '^[0-9]+:[A-Z] ' server.out.log    # what is not in its log's form
    return 0
}

p_memcached() {
    S 'test -S m.sock' memcached -u "$(id -un)" -s "$PWD/m.sock" -t 4 -m 64 -P "$PWD/m.pid" || return
    C python3 "$here/memcached.py" m.sock
    kill "$(cat m.pid)"
    S_ended
    cat server.out.log server.err.log
}

p_nginx() {
    local i urls=()
    input words
    mkdir -p www logs
    split -a 2 -n 40 "$in/words" www/part
    sed "s|@DIR@|$PWD|g; s|@USER@|$(id -un)|" "$here/nginx.conf" >nginx.conf
    # Only root may choose a user; for others nginx warns, with the time.
    [ "$(id -u)" -eq 0 ] || sed -i '/^user /d' nginx.conf
    S 'curl -sf --unix-socket n.sock http://localhost/partaa' \
        nginx -p "$PWD" -c "$PWD/nginx.conf" || return
    for f in www/*; do
        for i in 1 2 3 4 5; do
            urls+=(-o "got/${f##*/}.$i" "http://localhost/${f##*/}?n=$i")
        done
    done
    fetch() {
        C curl -s -f -Z --no-progress-meter --parallel-max 16 --compressed --create-dirs \
            --unix-socket n.sock "${urls[@]}"
        for f in www/*; do
            for i in 1 2 3 4 5; do cmp "$f" "got/${f##*/}.$i"; done
        done
        rm -r got
    }
    fetch
    # New workers, and a second look.
    kill -HUP "$(cat nginx.pid)"
    fetch
    C curl -s -o /dev/null -w '%{http_code}\n' --unix-socket n.sock http://localhost/none
    C curl -s --unix-socket n.sock http://localhost/hello
    C curl -s --unix-socket n.sock http://localhost/proxy/partab | sha256sum
    kill -QUIT "$(cat nginx.pid)"
    S_ended
    # Shows an error of a worker too, such as its end by a signal.
    cat server.out.log server.err.log error.log
}

p_postgres() {
    local user
    mkdir pg
    # The server refuses to run as root.
    if [ "$(id -u)" -eq 0 ]; then
        user=postgres
        id -u $user >/dev/null 2>&1 || user=nobody
        chown $user pg
        as=(setpriv --reuid="$user" --regid="$(id -g $user)" --clear-groups)
    else
        user=$(id -un)
    fi
    export PGHOST=$PWD/pg PGUSER=postgres PGDATABASE=postgres PGOPTIONS=''
    P initdb -N -D pg/data -U postgres -A trust -E UTF8 --locale=C.UTF-8 >initdb.log
    cat >>pg/data/postgresql.conf <<END
listen_addresses = ''
unix_socket_directories = '$PWD/pg'
fsync = off
dynamic_shared_memory_type = mmap
shared_buffers = 32MB
max_connections = 20
autovacuum_naptime = 1s
min_parallel_table_scan_size = 0
parallel_setup_cost = 0
parallel_tuple_cost = 0
END
    S 'psql -c "select 1"' postgres -D pg/data || return
    C pgbench -q -i -s 3 >pgbench.log 2>&1
    C pgbench -n --random-seed=1 -c 4 -j 2 -t 400 >>pgbench.log 2>&1
    # The clients' order is not the same each time, the sums still agree.
    psql -Atq <<'END'
select 'balances', (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history),
    (select sum(tbalance) from pgbench_tellers) = (select sum(delta) from pgbench_history),
    (select sum(bbalance) from pgbench_branches) = (select sum(delta) from pgbench_history);
select 'history', count(*) from pgbench_history;
END
    C psql -Atq -f "$here/work.pg.sql"
    kill -INT "$(head -n 1 pg/data/postmaster.pid)"
    S_ended
    grep -aE 'PANIC|WARNING|signal' server.err.log
    cat server.out.log
    return 0
}

"p_$name"
