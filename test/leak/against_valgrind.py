#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare what cgc and Valgrind find in installed programs.

usage: against_valgrind.py CGC LIB [NAME...]

Each program runs under `valgrind --leak-check=full` and under `CGC leaks --library LIB`.  A leak is told by the names of
its innermost frames, where both know them.  Prints a row per program, and each leak that only one of the two reports, with
how the other one calls it.  Exit status: 0, or 1 if a program could not be run.
"""
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

FRAMES = 4
ALLOCATORS = {"malloc", "calloc", "realloc", "reallocarray", "memalign", "posix_memalign", "operator new(unsigned long)",
              "operator new[](unsigned long)", "_Znwm", "_Znam", "aligned_alloc"}
PUBLIC_NAMES = {"__newlocale": "newlocale", "__strdup": "strdup"}
PROGRAMS = {
    "sqlite3": ["sqlite3", ":memory:", "create table t(a,b); insert into t values(1,'x'),(2,'y'); select count(*) from t;"],
    "xz": ["xz", "-c", "-0", "-T1", "/bin/ls"],
    "git": ["git", "--version"],
    "python3": ["/usr/bin/python3", "-c", "import json; print(json.dumps([1, {'a': 2}]))"],
    "perl": ["perl", "-e", "my %h = map { $_ => [$_] } 1..100; print scalar(keys %h)"],
    "lua5.4": ["lua5.4", "-e", "local t = {} for i = 1, 1000 do t[i] = {i} end print(#t)"],
    "gawk": ["gawk", "BEGIN { for (i = 0; i < 1000; i++) a[i] = i; print length(a) }"],
    "mawk": ["mawk", "BEGIN { for (i = 0; i < 1000; i++) a[i] = i; print length(a) }"],
    "bash": ["bash", "-c", "x=$(echo 1); a=(1 2 3); echo $x ${#a[@]}"],
    "sed": ["sed", "-n", "s/a/b/gp", "/etc/passwd"],
    "expr": ["expr", "1", "+", "2"],
    "sort": ["sort", "/etc/passwd"],
    "as": ["as", "-o", "/dev/null", "/dev/null"],
    "tar": ["tar", "cf", "/dev/null", "/etc/passwd"],
    "gzip": ["gzip", "-c", "/etc/passwd"],
    "curl": ["curl", "--version"],
    "cc1": ["{cc1}", "-quiet", "-O1", "-o", "/dev/null", "{directory}/source.c"],
    "redis-server": ["redis-server", "--port", "0", "--unixsocket", "{directory}/socket", "--save", "", "--dir",
                     "{directory}"],
}
SOURCE = """
struct node { struct node *next; int value; };
static int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
int sum(const struct node *node) { int s = 0; for (; node; node = node->next) s += fib(node->value); return s; }
double mean(const double *x, int n) { double s = 0; for (int i = 0; i < n; i++) s += x[i] * x[i]; return s / n; }
"""
REDIS = ["redis-cli", "-s", "{directory}/socket"]
# What is done while a program runs; it runs when the first of these succeeds.
CONVERSATIONS = {
    "redis-server": [REDIS + words.split() for words in [
        "ping", "set name value", "get name", "rpush list a b c d", "lrange list 0 -1", "hset hash field 1", "incr count",
        "zadd sorted 1 a 2 b", "eval return{1,2} 0", "del list", "config get maxmemory", "info", "nonsense",
        "shutdown nosave"]],
}
START_SECONDS = 60


def key_of(names):
    """What calls main is not told alike."""
    names = [PUBLIC_NAMES.get(name, name) for name in names if name not in ALLOCATORS]
    ends = [i for i, name in enumerate(names) if name == "(below main)" or name.startswith("__libc_start")]
    return tuple(names[:min(ends + [FRAMES])])


def words_of(command, directory):
    cc1 = subprocess.run(["gcc", "-print-prog-name=cc1"], stdout=subprocess.PIPE, check=False, text=True).stdout.strip()
    return [word.replace("{directory}", directory).replace("{cc1}", cc1) for word in command]


def converse(process, steps):
    """Until a program runs, its first step fails."""
    end = time.monotonic() + START_SECONDS
    while steps and subprocess.run(steps[0], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            raise OSError("does not start")
        time.sleep(0.1)
    for step in steps[1:]:
        subprocess.run(step, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def run(tool, name, directory):
    with open(os.path.join(directory, "source.c"), "w", encoding="utf-8") as file:
        file.write(SOURCE)
    steps = [words_of(step, directory) for step in CONVERSATIONS.get(name, [])]
    with subprocess.Popen(tool + words_of(PROGRAMS[name], directory), stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as process:
        converse(process, steps)


def run_valgrind(name, directory):
    path = os.path.join(directory, "valgrind.xml")
    run(["valgrind", "-q", "--leak-check=full", "--show-leak-kinds=all", "--leak-resolution=high", "--num-callers=40",
         "--child-silent-after-fork=yes", "--xml=yes", "--xml-file=" + path], name, directory)
    kinds = {"Leak_DefinitelyLost": "direct", "Leak_IndirectlyLost": "indirect", "Leak_PossiblyLost": "possible",
             "Leak_StillReachable": "reachable"}
    leaks = collections.defaultdict(collections.Counter)
    for error in ElementTree.parse(path).getroot().iter("error"):
        kind = kinds.get(error.findtext("kind"))
        if not kind:
            continue
        names = [frame.findtext("fn") or frame.findtext("obj") or "?" for frame in error.find("stack").iter("frame")]
        leaks[key_of(names)][kind] += int(error.findtext("xwhat/leakedblocks"))
    return leaks


def run_cgc(cgc, library, name, directory):
    path = os.path.join(directory, "cgc.json")
    run([cgc, "leaks", "--library", library, "-o", "sites=1", "--format", "json=" + path,
         "--keep", os.path.join(directory, "records"), "--"], name, directory)
    leaks = collections.defaultdict(collections.Counter)
    with open(path, encoding="utf-8") as file:
        for leak in json.load(file)["leaks"]:
            names = [frame.get("function") or frame.get("module") or "?" for frame in leak["stack"]]
            leaks[key_of(names)][leak["kind"]] += leak["blocks"]
    return leaks


def total(leaks, kind):
    return sum(counts[kind] for counts in leaks.values())


def describe(counts):
    return " ".join(f"{kind} {count}" for kind, count in sorted(counts.items())) or "nothing"


def compare(name, ours, theirs):
    print(f"{name:12} {total(ours, 'direct'):6} {total(ours, 'indirect'):6} {total(theirs, 'direct'):6} "
          f"{total(theirs, 'indirect'):6}")
    for key in sorted(set(ours) | set(theirs)):
        lost = ours[key]["direct"] + ours[key]["indirect"], theirs[key]["direct"] + theirs[key]["indirect"]
        if lost[0] != lost[1]:
            print(f"    {' < '.join(key)}\n        cgc: {describe(ours[key])}; Valgrind: {describe(theirs[key])}")


def main():
    if len(sys.argv) < 3:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    cgc, library, names = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3:] or list(PROGRAMS)
    failed = False
    os.environ["PYTHONMALLOC"] = "malloc"
    print(f"{'blocks':12} {'cgc':>6} {'':6} {'Valgrind'}\n{'':12} direct indir. direct indir.")
    for name in names:
        with tempfile.TemporaryDirectory() as directory:
            try:
                compare(name, run_cgc(cgc, library, name, directory), run_valgrind(name, directory))
            except (OSError, ElementTree.ParseError, KeyError, ValueError) as error:
                print(f"{name:12} FAILED: {error!r}")
                failed = True
    return failed


if __name__ == "__main__":
    sys.exit(main())
