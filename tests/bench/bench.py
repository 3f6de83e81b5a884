#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the first seven figures of the design for this machine, with Erlang beside ours in the same run.

usage: bench.py BUILD_FOLDER [--quick]

Each figure is the best of some runs, ours and Erlang's in turn, so that what else the machine does hits both. Without
`erl` on the PATH its column stays empty.
"""
import os
import pathlib
import re
import resource
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
beams = tempfile.mkdtemp()
if erl:
    subprocess.run(["erlc", "-o", beams, here / "peers.erl", here / "peers_server.erl"], check=True)


def say(text):
    print(text, file=sys.stderr, flush=True)


def ours(what, *numbers):
    done = subprocess.run([troupe, "run", here / "bench.lua", what, *map(str, numbers)], capture_output=True, text=True)
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


def in_turn(f, g, best=min):
    a, b = [], []
    for _ in range(rounds):
        a.append(f())
        b.append(g())
    return best(a), best(b) if None not in b else None


def whole(command, **kw):
    """Seconds and peak MiB of a process of its own."""
    before = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kw)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    return time.monotonic() - before, usage.ru_maxrss / 1024


rows = []


def row(name, unit, a, b, goal, higher_is_better=False):
    ratio = ""
    if b:
        ratio = f"{a / b:.2f} x"
    rows.append((name, f"{a:.2f} {unit}", f"{b:.2f} {unit}" if b else "-", ratio, goal))
    say(f"  {name}: {a:.2f} {unit}" + (f", Erlang {b:.2f} {unit}" if b else ""))


n = int(200000 * scale)
say("[1/7] round trips between Lua agents")
for pairs in (1, 8):
    a, b = in_turn(lambda: ours("round_trip", n // pairs, pairs), lambda: theirs("round_trip", n // pairs, pairs))
    row(f"Lua agent calls Lua agent, {pairs} pair{'s' if pairs > 1 else ''}", "us", a, b, "at most Erlang's plain ping-pong")
a, b = in_turn(lambda: ours("round_trip", n, 1), lambda: theirs("gen_call", n // 2, 1))
row("the same beside gen_server:call", "us", a, b, "(deadline and monitor on both sides)")

say("[2/7] round trips between native agents")
core = build / "bin/bench_core"
if core.exists():
    out = subprocess.run([core, "1", "trip"], capture_output=True, text=True).stdout
    for line in out.splitlines():
        say("  " + line)
    found = re.search(r"1 threads, 1 pairs:\s+([\d.]+) ns, bare CAF\s+([\d.]+) ns:\s+([\d.]+) x", out)
    if found:
        rows.append(("native agent round trip", f"{found.group(1)} ns", f"{found.group(2)} ns (bare CAF)",
                     f"{found.group(3)} x", "at most 0.7 x"))

say("[3/7] many senders, one Lua receiver")
m = int(800000 * scale)
a, b = in_turn(lambda: ours("many_senders", m, 8), lambda: theirs("many_senders", m, 8), max)
row("8 senders, one Lua receiver", "M/s", a, b, "at least 4 x skynet's 0.49 M/s")

say("[4/7] start of a Lua agent, and its memory at rest")
s = int(5000 * scale)
a, b = in_turn(lambda: ours("start", s), lambda: theirs("start", s * 10))
row("start of a Lua agent until it is ready", "us", a, b, "at most a sixth of skynet's 172 us")
few, many = 100, 2000 if quick else 10000
_, base = whole([troupe, "run", here / "bench.lua", "start", str(few)])
_, full = whole([troupe, "run", here / "bench.lua", "start", str(many)])
row("memory of one at rest", "kB", (full - base) * 1024 / (many - few), theirs("memory", many), "at most a quarter of skynet's 66 kB")

say("[5/7] crash until it is ready again")
c = int(500 * scale)
a, b = in_turn(lambda: ours("crash_to_ready", c), lambda: theirs("crash_to_ready", c))
row("crash to ready again (Lua, one_for_one)", "us", a, b, "at most half of OTP's")

say("[6/7] process start to first message and end")
hello = here / "hello.lua"
times = [whole([troupe, "run", hello]) for _ in range(rounds * 3)]
peers = [whole(["erl", "-noshell", "-s", "peers", "main", "nothing"], cwd=beams) for _ in range(rounds)] if erl else []
row("process start to end", "ms", min(t for t, _ in times) * 1e3, min((t for t, _ in peers), default=0) * 1e3, "at most skynet's 15 ms")
row("its memory", "MiB", min(m for _, m in times), min((m for _, m in peers), default=0), "at most skynet's 13.6 MiB")

say("[7/7] a script that only computes")
plain = shutil.which("lua5.4")
if plain:
    agent, alone = [], []
    for _ in range(rounds):
        agent.append(whole([troupe, "run", here / "compute.lua", "20000000"])[0])
        alone.append(whole([plain, here / "compute_plain.lua", "20000000"])[0])
    started = min(t for t, _ in times)
    rows.append(("a script that only computes, beside lua5.4", f"{min(agent) - started:.3f} s", f"{min(alone):.3f} s (lua5.4)",
                 f"{(min(agent) - started) / min(alone):.2f} x", "at most 1.03 x"))

shutil.rmtree(beams)
head = ("figure", "Troupe", "Erlang" if erl else "Erlang (not installed)", "ratio", "goal")
width = [max(len(r[i]) for r in [head, *rows]) for i in range(5)]
for r in [head, *rows]:
    print("  ".join(cell.ljust(width[i]) for i, cell in enumerate(r)).rstrip())
