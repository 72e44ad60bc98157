#!/bin/bash
# Run real programs without and with a preloaded library, and compare.
#
# usage: run.sh [-n RUNS] [-k DIR] [-e] [-v] [-s DIR] LIB [name...]
#        run.sh -t [-n RUNS] LIB [name...]
#        run.sh -l
#
#   -n RUNS  preloaded runs of each program (default 1; 5 with -t)
#   -k DIR   keep the outputs of failures in DIR/NAME (default: a temporary
#            directory, made at the first failure and named in its row)
#   -e       do not compare stderr
#   -v       show what each run took, and the beginning of each difference
#   -s DIR   under strace: DIR/NAME.ref and DIR/NAME.lib count the system calls
#            that failed, by call and error; -n must be 1
#   -t       time: a tab-separated line per program, median seconds and peak
#            RSS without and with LIB, the runs interleaved (A B A B ...)
#   -l       list the programs, what they need, and what of it is missing
#
# LIB may be "" for no library, which checks that the programs and this
# script are deterministic.  Each row is
#
#   PASS|FAIL|SKIP|TIMEOUT name runs seconds ratio note
#
# with the median seconds of the preloaded runs and their ratio to those of
# the reference.  The seconds are those of the programs, without the making of
# inputs and checking of results; for a server, those of its clients.  The peak
# RSS is that of the largest single process.  A program not installed is a SKIP row; see packages.txt.
# The exit status is 0 if nothing failed or timed out, 1 if something did,
# and 2 if the arguments are wrong or LIB cannot be preloaded.
#
# Environment: CGC_* and the words of PROGRAMS_ENV (NAME=VALUE ...) reach the
# preloaded programs only; the rest of the environment reaches none.
# PROGRAMS_TIMEOUT is the seconds allowed to a run (default 120), multiplied
# by PROGRAMS_SLOW (default 1).  PROGRAMS_PATH is the PATH to use.

set -u
# The environment of the preloaded programs; nothing else has any of it.
unset LD_PRELOAD
declare -a penv=()
for v in "${!CGC_@}"; do
    penv+=("$v=${!v}")
    unset "$v"
done
# shellcheck disable=SC2206
penv+=(${PROGRAMS_ENV:-})

here=$(cd "$(dirname "$0")" && pwd) || exit 2
. "$here/table.sh"

# A fixed PATH: wrappers in a developer's own directories are not wanted.
PATH=${PROGRAMS_PATH:-/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin}
for d in /usr/lib/postgresql/*/bin; do
    [ -d "$d" ] && PATH=$PATH:$d
done

usage() { sed -n '4,6s/^# *//p' "$0" >&2; exit 2; }

runs='' keep='' strace='' verbose=0 timing=0 list=0 with_err=1
while getopts n:k:s:evtl opt; do
    case $opt in
    n) runs=$OPTARG ;;
    k) keep=$OPTARG ;;
    s) strace=$OPTARG ;;
    e) with_err=0 ;;
    v) verbose=1 ;;
    t) timing=1 ;;
    l) list=1 ;;
    *) usage ;;
    esac
done
shift $((OPTIND - 1))

missing() { # COMMAND... : those not installed
    local c
    for c; do
        command -v "$c" >/dev/null || printf '%s ' "$c"
    done
}

if ((list)); then
    while read -r name needs; do
        # shellcheck disable=SC2086
        m=$(missing $needs)
        printf '%-16s %s%s\n' "$name" "$needs" "${m:+   (missing: ${m% })}"
    done <<<"$table"
    exit 0
fi

[ $# -ge 1 ] || usage
lib=$1
shift
: "${runs:=$((timing ? 5 : 1))}"
[[ $runs =~ ^[1-9][0-9]*$ ]] || usage
limit=$(awk -v t="${PROGRAMS_TIMEOUT:-120}" -v s="${PROGRAMS_SLOW:-1}" \
    'BEGIN { print t * s }')
for name; do
    grep -q "^$name " <<<"$table" || {
        echo "run.sh: no program called $name (see -l)" >&2
        exit 2
    }
done

if [ -n "$lib" ]; then
    lib=$(realpath -e -- "$lib") || exit 2
    penv+=("LD_PRELOAD=$lib")
    # ld.so only warns about a library that it cannot preload.
    if ! env "${penv[@]}" cat /proc/self/maps 2>/dev/null | grep -qF "$lib"; then
        echo "run.sh: $lib cannot be preloaded" >&2
        exit 2
    fi
fi

tmp=$(mktemp -d "${TMPDIR:-/tmp}/programs.XXXXXX") || exit 2
chmod 711 "$tmp"        # postgres runs as another user
declare -a wrap=()
declare -p penv wrap >"$tmp/env.lib"
echo 'declare -a penv=() wrap=()' >"$tmp/env.ref"
if [ -n "$strace" ]; then
    command -v strace >/dev/null || { echo "run.sh: no strace" >&2; exit 2; }
    mkdir -p "$strace" || exit 2
    for mode in ref lib; do
        wrap=(strace -f -A -qq -Z -e signal=none -o "$tmp/strace.$mode")
        declare -p wrap >>"$tmp/env.$mode"
    done
fi
mkdir "$tmp/in"
ulimit -c 0

# The processes that a row left behind: those with a HOME in $tmp, or, as some
# servers overwrite their environment, with none and a current directory there.
left_behind() {
    {
        grep -lzs "^HOME=$tmp/" /proc/[0-9]*/environ
        find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' -lname "$tmp/*" 2>/dev/null |
            sed 's/cwd$/environ/' | xargs -r grep -Lzs '^HOME='
    } | cut -d/ -f3 | sort -u
}

# The shared memory of postgres servers that were killed: files that nothing
# maps, and the System V segments of its size that nothing has attached.
postgres_memory() {
    local f
    for f in /dev/shm/PostgreSQL.*; do
        [ -f "$f" ] && ! grep -qsF "$f" /proc/[0-9]*/maps && echo "$f"
    done
    ipcs -m | awk '$5 == 56 && $6 == 0 { print $2 }'
}
# What there was before is not ours.
memory_before=$(postgres_memory | tr '\n' ' ')

# Give the stragglers 2 seconds to go, then kill them; true if there were any.
sweep() {
    local i pids
    for ((i = 0; i < ${1:-20}; i++)); do
        pids=$(left_behind)
        [ -z "$pids" ] && return 1
        sleep 0.1
    done
    # Gently at first, so that they can remove what they have outside of $tmp.
    # shellcheck disable=SC2086
    kill $pids 2>/dev/null
    for ((i = 0; i < 10; i++)); do
        sleep 0.1
        pids=$(left_behind)
        [ -z "$pids" ] && break
    done
    # shellcheck disable=SC2086
    [ -n "$pids" ] && kill -9 $pids 2>/dev/null && sleep 0.1
    for i in $(postgres_memory); do
        case " $memory_before " in
        *" $i "*) ;;
        *) if [ -f "$i" ]; then rm -f "$i"; else ipcrm -m "$i"; fi ;;
        esac
    done
    return 0
}

cleanup() {
    sweep 1
    rm -rf "$tmp"
}
trap cleanup EXIT
# (Not to hear of the row that cleanup kills.)
trap 'exec 2>/dev/null; exit 130' INT
trap 'exec 2>/dev/null; exit 143' TERM HUP

# one NAME ref|lib LABEL: run a program in an empty directory, always at the
# same path.  What it did is then in $o/LABEL.{out,err,status,time,rss}.
# The result is 0, 1 if it timed out, or 2 if it left processes behind.
one() {
    local name=$1 mode=$2 label=$3 rc
    rm -rf "$tmp/work"
    mkdir -p "$tmp/work/home" "$tmp/work/tmp"
    chmod 711 "$tmp/work"
    : | tee "$o/$label.time" "$o/$label.rss" >"$o/$label.status"
    set -m      # or the programs would have SIGINT ignored
    (
        cd "$tmp/work" || exit 1
        exec env -i PATH="$PATH" HOME="$tmp/work/home" TMPDIR="$tmp/work/tmp" \
            LC_ALL=C.UTF-8 TZ=UTC USER=root LOGNAME=root TERM=dumb \
            timeout -k 5 "$limit" \
            bash "$here/rows.sh" "$name" "$tmp/env.$mode" "$tmp/in" \
            "$o/$label" "$timing"
    ) >"$o/$label.out" 2>"$o/$label.err" </dev/null &
    # Unlike a command in the foreground, wait can be interrupted.
    wait $!
    rc=$?
    set +m
    if ((rc == 124 || rc == 137)); then
        sweep 1
        return 1
    fi
    echo "$rc row" >>"$o/$label.status"
    if sweep; then
        return 2
    fi
    return 0
}

# differ A B: say what differs between two runs, if anything does.
differ() {
    local a=$o/$1 b=$o/$2 what=''
    if ! cmp -s "$a.status" "$b.status"; then
        what="exit status ($(diff "$a.status" "$b.status" | sed -n 's/^> //p' |
            head -n 1 | sed 's/^$/none/'))"
    fi
    cmp -s "$a.out" "$b.out" || what="${what:+$what, }stdout"
    ((with_err)) && ! cmp -s "$a.err" "$b.err" && what="${what:+$what, }stderr"
    [ -n "$what" ] && echo "$what"
}

# count_failures NAME: what strace saw of both runs.
count_failures() {
    local mode
    for mode in ref lib; do
        sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.* = -1 ([A-Z0-9]+) .*/\1 \2/p
            s/^[0-9]+ +<\.\.\. ([a-z0-9_]+) resumed.* = -1 ([A-Z0-9]+) .*/\1 \2/p' "$tmp/strace.$mode" |
            sort | uniq -c >"$strace/$1.$mode"
        rm -f "$tmp/strace.$mode"
    done
}

seconds() { awk '{ s += $1 } END { printf "%.3f\n", s / 1e6 }' "$1"; }
peak() { awk '$1 > m { m = $1 } END { print m + 0 }' "$1"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int((NR + 2) / 2)]) / 2 }'; }

passed=0 failed=0 skipped=0
row() { # VERDICT NAME RUNS SECONDS RATIO NOTE
    if ((timing)); then
        printf '%s\t%s\t-\t-\t-\t-\t-\t-\t%s\n' "$2" "$1" "$6"
    else
        printf '%-7s %-16s %3s %8s %6s  %s\n' "$@" | sed 's/ *$//'
    fi
}

program() { # NAME NEEDS...
    local name=$1 m bad='' verdict=FAIL ok=0 i rc d label ref_s lib_s ratio t
    shift
    m=$(missing "$@")
    if [ -n "$m" ]; then
        row SKIP "$name" 0 - - "not installed: ${m% }"
        skipped=$((skipped + 1))
        return
    fi
    o=$tmp/out.$name
    mkdir -p "$o"
    for ((i = 1; i <= runs && ${#bad} == 0; i++)); do
        for label in ref$i $i; do
            # Plain runs are repeated for their time only.
            ((i > 1 && !timing)) && [ "$label" != "$i" ] && continue
            if [ "$label" = "$i" ]; then
                one "$name" lib "$label"
                rc=$?
            else
                one "$name" ref "$label"
                rc=$?
            fi
            if ((verbose)); then
                echo "  $name $label: $(seconds "$o/$label.time") s" >&2
            fi
            if ((rc == 1)); then
                bad="run $label took over $limit s" verdict=TIMEOUT
            elif ((rc == 2)); then
                bad="run $label left processes behind"
            elif [ "$label" = ref1 ]; then
                # A reference that fails would be easy to agree with.
                if grep -qv '^0 ' "$o/ref1.status" || ! [ -s "$o/ref1.out" ]; then
                    bad="the reference run failed"
                fi
            elif d=$(differ ref1 "$label"); then
                bad="run $label: $d differs"
            fi
            [ -n "$bad" ] && break
            [ "$label" = "$i" ] && ok=$((ok + 1))
        done
    done
    [ -n "$strace" ] && count_failures "$name"
    ref_s=$(for t in "$o"/ref*.time; do seconds "$t"; done | median)
    if [ -n "$bad" ]; then
        : "${keep:=$(mktemp -d "${TMPDIR:-/tmp}/programs-failed.XXXXXX")}"
        rm -rf "${keep:?}/$name"
        mkdir -p "$keep/$name"
        cp "$o"/* "$keep/$name/"
        find "$tmp/work" -maxdepth 2 -name '*.log' -size -1000k \
            -exec cp {} "$keep/$name/" \;
        row "$verdict" "$name" "$ok/$runs" - - "$bad; see $keep/$name"
        if ((verbose)) && [ -e "$o/$label.out" ]; then
            for t in status out err; do
                diff -a "$o/ref1.$t" "$o/$label.$t"
            done | cut -c 1-200 | head -n 20 | sed 's/^/  /' >&2
        fi
        failed=$((failed + 1))
    else
        lib_s=$(for t in "$o"/[0-9]*.time; do seconds "$t"; done | median)
        ratio=$(awk -v a="$lib_s" -v b="$ref_s" \
            'BEGIN { if (b > 0) printf "%.2f", a / b; else print "-" }')
        if ((timing)); then
            printf '%s\tPASS\t%d\t%.3f\t%.3f\t%s\t%s\t%s\t\n' "$name" "$runs" \
                "$ref_s" "$lib_s" "$ratio" \
                "$(for t in "$o"/ref*.rss; do peak "$t"; done | median)" \
                "$(for t in "$o"/[0-9]*.rss; do peak "$t"; done | median)"
        else
            row PASS "$name" "$runs" "$(printf %.2f "$lib_s")" "$ratio" ""
        fi
        passed=$((passed + 1))
    fi
    rm -rf "$o" "$tmp/work"
}

if ((timing)); then
    [ -x /usr/bin/time ] || echo "run.sh: no GNU time, so no RSS" >&2
    printf '#name\tverdict\truns\tplain_s\tlib_s\tratio\tplain_kib\tlib_kib\tnote\n'
fi
while read -r name needs <&3; do
    if [ $# -gt 0 ]; then
        [[ " $* " == *" $name "* ]] || continue
    fi
    # shellcheck disable=SC2086
    program "$name" $needs
done 3<<<"$table"
((timing)) && printf '# '
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
