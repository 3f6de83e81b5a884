#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the first seven figures of the design for this machine, with Erlang and skynet beside ours in the same run.

usage: bench.py BUILD_FOLDER [--quick]

Each figure is the best of some runs, ours and theirs in turn, so that what else the machine does hits all. Without `erl`
on the PATH, or without SKYNET_DIR, the folder of a built checkout of skynet, their columns stay empty.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

build = pathlib.Path(sys.argv[1]).resolve()
quick = "--quick" in sys.argv
here = pathlib.Path(__file__).parent
troupe = build / "bin/troupe"
scale = 0.1 if quick else 1
rounds = 1 if quick else 3
erl = shutil.which("erl") and shutil.which("erlc")
skynet = os.environ.get("SKYNET_DIR")
beams = tempfile.mkdtemp()
if erl:
    subprocess.run(["erlc", "-o", beams, here / "peers.erl", here / "peers_server.erl"], check=True)


def say(text):
    print(text, file=sys.stderr, flush=True)


def ours(what, *numbers, threads=os.cpu_count(), crowd=0):
    done = subprocess.run([troupe, "run", "--threads", str(threads), "--set", f"crowd={crowd}", here / "bench.lua", what,
                           *map(str, numbers)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: {what} failed: {done.stderr[-500:]}")
    return float(done.stdout)


def theirs(what, *numbers):
    if not erl:
        return None
    done = subprocess.run(["erl", "-noshell", "-s", "peers", "main", what, *map(str, numbers)], cwd=beams,
                          capture_output=True, text=True)
    found = re.search(rf"^{what} ([\d.]+)", done.stdout, re.M)
    return float(found.group(1)) if found else None


def skynets(what, *numbers, threads=os.cpu_count()):
    if not skynet:
        return None
    env = {**os.environ, "BENCH_DIR": str(here / "skynet"), "BENCH_THREADS": str(threads),
           "BENCH_WHAT": " ".join(map(str, (what, *numbers)))}
    done = subprocess.run([pathlib.Path(skynet) / "skynet", here / "skynet/config"], env=env, capture_output=True,
                          text=True)
    found = re.search(rf"^{what} ([\d.]+)", done.stdout, re.M)
    if not found:
        sys.exit(f"bench: skynet: {what} failed: {done.stdout[-500:]}{done.stderr[-500:]}")
    return float(found.group(1))


def in_turn(*sides, best=min):
    runs = [[side() for side in sides] for _ in range(rounds)]
    return [None if None in figures else best(figures) for figures in zip(*runs)]


def whole(command, **kw):
    """Seconds and peak MiB of a process of its own."""
    done = subprocess.run([build / "bin/bench_whole", *command], capture_output=True, text=True, **kw)
    if done.returncode != 0:
        sys.exit(f"bench: {command} failed: {done.returncode}")
    seconds, peak = map(float, done.stdout.split())
    return seconds, peak


rows = []


def row(name, unit, a, b, c, goal):
    def cell(x):
        return f"{x:.2f} {unit}" if x else "-"

    def ratio(x):
        return f"{a / x:.2f} x" if x else "-"

    rows.append((name, cell(a), cell(b), ratio(b), cell(c), ratio(c), goal))
    say(f"  {name}: {cell(a)}" + (f", Erlang {cell(b)}" if b else "") + (f", skynet {cell(c)}" if c else ""))


def three(what, *numbers, erlangs=None, best=min):
    erlangs = erlangs or (what, *numbers)
    return in_turn(lambda: ours(what, *numbers), lambda: theirs(*erlangs), lambda: skynets(what, *numbers), best=best)


n = int(200000 * scale)
say("[1/8] round trips between Lua agents")
for pairs in (1, 8):
    row(f"Lua agent calls Lua agent, {pairs} pair{'s' if pairs > 1 else ''}", "us",
        *three("round_trip", n // pairs, pairs), "at most Erlang's ping-pong, a fifth of skynet's")
a, b = in_turn(lambda: ours("round_trip", n, 1), lambda: theirs("gen_call", n // 2, 1))
row("the same beside gen_server:call", "us", a, b, None, "(deadline and monitor on both sides)")

say("[2/8] round trips between native agents")
core = build / "bin/bench_core"
if core.exists():
    out = subprocess.run([core, "1", "trip"], capture_output=True, text=True).stdout
    for line in out.splitlines():
        say("  " + line)
    found = re.search(r"1 threads, 1 pairs:\s+([\d.]+) ns, bare CAF\s+([\d.]+) ns:\s+([\d.]+) x", out)
    if found:
        rows.append(("native agent round trip", f"{found.group(1)} ns", f"{found.group(2)} ns (bare CAF)",
                     f"{found.group(3)} x", "-", "-", "at most 0.7 x bare CAF"))

say("[3/8] many senders, one Lua receiver")
row("8 senders, one Lua receiver", "M/s", *three("many_senders", int(800000 * scale), 8, best=max),
    "at least 4 x skynet's")

say("[4/8] start of a Lua agent, and its memory at rest")
s = int(5000 * scale)
row("start of a Lua agent until it is ready", "us", *three("start", s, erlangs=("start", s * 10)),
    "at most a sixth of skynet's")
few, many = 100, 2000 if quick else 10000
_, base = whole([troupe, "run", here / "bench.lua", "start", str(few)])
_, full = whole([troupe, "run", here / "bench.lua", "start", str(many)])
row("memory of one at rest", "kB", (full - base) * 1048.576 / (many - few), theirs("memory", many),
    skynets("memory", many), "at most a quarter of skynet's")

say("[5/8] crash until it is ready again")
c = int(500 * scale)
row("crash to ready again (Lua, one_for_one)", "us",
    *in_turn(lambda: ours("crash_to_ready", c), lambda: theirs("crash_to_ready", c)), None, "at most half of OTP's")

say("[6/8] process start to first message and end")
hello = here / "hello.lua"
times = [whole([troupe, "run", hello]) for _ in range(rounds * 3)]
peers = [whole(["erl", "-noshell", "-s", "peers", "main", "nothing"], cwd=beams) for _ in range(rounds)] if erl else []
skynet_env = {**os.environ, "BENCH_DIR": str(here / "skynet"), "BENCH_THREADS": str(os.cpu_count()), "BENCH_WHAT": "nothing"}
others = [whole([pathlib.Path(skynet) / "skynet", here / "skynet/config"], env=skynet_env)
          for _ in range(rounds)] if skynet else []
row("process start to end", "ms", min(t for t, _ in times) * 1e3, min((t for t, _ in peers), default=0) * 1e3,
    min((t for t, _ in others), default=0) * 1e3, "at most skynet's")
row("its memory", "MiB", min(m for _, m in times), min((m for _, m in peers), default=0),
    min((m for _, m in others), default=0), "at most skynet's")

say("[7/8] a script that only computes")
plain = shutil.which("lua5.4")
if plain:
    agent, alone = [], []
    for _ in range(rounds):
        agent.append(whole([troupe, "run", here / "compute.lua", "20000000"])[0])
        alone.append(whole([plain, here / "compute_plain.lua", "20000000"])[0])
    started = min(t for t, _ in times)
    rows.append(("a script that only computes", f"{min(agent) - started:.3f} s", f"{min(alone):.3f} s (lua5.4)",
                 f"{(min(agent) - started) / min(alone):.2f} x", "-", "-", "at most 1.03 x lua5.4"))

say("[8/8] many agents, and long runs")
load = here / "load.lua"
lines = []


def loaded(*words, threads=os.cpu_count()):
    done = subprocess.run([troupe, "run", "--threads", str(threads), load, *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: {words} failed: {done.stderr[-500:]}")
    return done.stdout


def usage(process):
    """CPU seconds and resident bytes of a process."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(fields[21]) * os.sysconf("SC_PAGE_SIZE")


def watched(*words):
    """What it says line by line; with each line what the process has used by then, a moment later."""
    process = subprocess.Popen([troupe, "run", load, *map(str, words)], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        yield line.strip(), process
    process.wait()


counts = (10, 1000) if quick else (10, 1000, 50000)
for threads in (1, 2, 4):
    cells = [f"{count}: {float(loaded('spread', n, count, threads=threads)):.2f} us" for count in counts]
    lines.append(f"a call among so many agents, {threads} thread{'s' if threads > 1 else ''}: " + ", ".join(cells))
    if skynet:
        cells = [f"{count}: {skynets('spread', n // 4, count, threads=threads):.2f} us" for count in counts[:2]]
        lines.append("  skynet: " + ", ".join(cells))
for title, unit, what, numbers in (("round trip, 1 pair", "us", "round_trip", (n // 4, 1)),
                                   ("8 senders, one receiver", "M/s", "many_senders", (int(200000 * scale), 8)),
                                   ("start of a Lua agent", "us", "start", (s // 2,)),
                                   ("crash to ready again", "us", "crash_to_ready", (c,))):
    for threads in (1, 2, 4):
        cells = [f"{count}: {ours(what, *numbers, threads=threads, crowd=count):.2f} {unit}" for count in counts]
        lines.append(f"{title}, beside so many others, {threads} thread{'s' if threads > 1 else ''}: " + ", ".join(cells))
crowd = 10000 if quick else 100000
for said, process in watched("rest", crowd, 1):
    if said != "rested":
        lines.append(f"{crowd} Lua agents alive: started in {said} s, {usage(process)[1] / crowd / 1000:.1f} kB each")
for said, process in watched("rest", 10000, 4):
    if said != "rested":
        time.sleep(0.5)  # what it owes from starting
        before = usage(process)[0]
        time.sleep(3)
        lines.append(f"CPU of a node with 10 000 idle agents: {(usage(process)[0] - before) / 3 * 100:.2f} %")
marks = [usage(process)[1] for said, process in watched("steady", int(10_000_000 * scale)) if said == "mark"]
lines.append(f"memory after a tenth of {int(10 * scale)} million messages: {marks[0] / 1e6:.1f} MB, after all: {marks[1] / 1e6:.1f} MB")
p50, p99, p999 = loaded("half_load", 1 if quick else 4, os.cpu_count()).split()
lines.append(f"a call while half of each thread's time is taken: p50 {p50} us, p99 {p99} us, p99.9 {p999} us")
for line in lines:
    say("  " + line)

shutil.rmtree(beams)
head = ("figure", "Troupe", "Erlang" if erl else "Erlang (none)", "ratio", "skynet" if skynet else "skynet (none)", "ratio", "goal")
width = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
for r in [head, *rows]:
    print("  ".join(cell.ljust(width[i]) for i, cell in enumerate(r)).rstrip())
print(*lines, sep="\n")
