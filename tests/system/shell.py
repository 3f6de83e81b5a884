# SPDX-License-Identifier: Apache-2.0
"""The prompt: a session replayed from a file, agents that run wild beside a crowd, and a terminal."""
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import time

from support import Failed, case, equal, main

HERE = pathlib.Path(__file__).parent
WILD = """local troupe = require("troupe")
local agent = troupe.agent {}
function agent.on.spin() while true do end end
function agent.on.cling() local function loop() while true do end end xpcall(loop, loop) end
function agent.on.eat() local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end end
function agent.on.ping() return "pong" end
return agent
"""
CROWD = """local crowd = { { id = "spinner", start = "wild.lua" }, { id = "clinger", start = "wild.lua" },
  { id = "eater", start = "wild.lua", limits = { memory = "4MiB" } } }
for i = 1, 100 do crowd[#crowd + 1] = { id = "c" .. i, start = "wild.lua" } end
return { name = "crowd", tree = { intensity = 10, period = 60, children = crowd } }
"""


@case
def a_session_is_replayed_from_a_file(t):
    t.write("wild.lua", WILD)
    t.write("app.lua", 'return { name = "s", tree = { children = { { id = "a", start = "wild.lua" } } } }')
    ran = t.troupe("shell", "app.lua", stdin=(HERE / "session.txt").read_text())
    # Addresses differ from run to run.
    equal(re.sub(r"<[0-9a-f]+>", "<address>", ran.out), (HERE / "session.out").read_text())
    equal(ran.err, (HERE / "session.err").read_text())
    equal(ran.code, 1, "a session with failures in it")


CLERK = """local troupe = require("troupe")
local agent = troupe.agent { %s }
function agent.on_start(self) self.state.count = 0 end
function agent.on.add(self, n) self.state.count = self.state.count + n return self.state.count end
function agent.on.free() end
%s
return agent
"""
BROKEN = "function agent.on_upgrade(self) self.state.count = -1 error('this count is too old') end"
BETTER = """function agent.on_upgrade(self, from) self.state.migrated_from = from end
function agent.on.report(self) return self.state end"""
TICKER = """local troupe, timer = require("troupe"), require("troupe.timer")
local agent = troupe.agent { needs = { call = { "clerk" } } }
function agent.on_start() timer.every(0.01, "tick") end
function agent.own.tick() troupe.send("clerk", "add", 1) end
return agent
"""
WAITER = """local troupe, async = require("troupe"), require("troupe.async")
local agent = troupe.agent { needs = { call = { "clerk" } } }
function agent.on.wait_for(self, whom)
  troupe.monitor(whom)
  async.sleep(1000)
end
return agent
"""


@case
def a_living_tree_is_looked_into_and_changed(t):
    t.write("clerk.lua", CLERK % ("", ""))
    t.write("ticker.lua", TICKER)
    t.write("waiter.lua", WAITER)
    t.write("wild.lua", WILD)
    t.write("app.lua", """return { name = "live", grants = { call = { "*" } }, tree = { children = {
      { id = "clerk", start = "clerk.lua" }, { id = "ticker", start = "ticker.lua" },
      { id = "waiter", start = "waiter.lua", isolate = "process" }, { id = "spinner", start = "wild.lua" } } } }""")
    prologue = (f"broken, better = [==[{CLERK % ('version = 2', BROKEN)}]==], [==[{CLERK % ('version = 2', BETTER)}]==]\n"
                'function write(path, data) local _, e = tool.call("file.write", { path = path, data = data }) return e end\n')
    ran = t.troupe("shell", "app.lua", stdin=prologue + (HERE / "live.txt").read_text())
    # Sizes, times and what is left of deadlines differ from run to run.
    steady = re.sub(r"<[0-9a-f]+>", "<address>", ran.out)
    steady = re.sub(r"^(  (?:worker|mailbox|handled|memory|serves|waits for) .*)$",
                    lambda line: re.sub(r"\d+(\.\d+)?( [kM])?", "N", line.group(1)), steady, flags=re.M)
    equal(steady, (HERE / "live.out").read_text())
    said = "".join(line + "\n" for line in ran.err.splitlines() if not line.startswith("{") and "crashed" not in line)
    equal(said, (HERE / "live.err").read_text())


@case
def help_has_a_line_for_every_function_of_every_module(t):
    names = []
    for stub in sorted(t.program.parents[1].glob("share/troupe/lua/*.lua")):
        module = "troupe" if stub.stem == "troupe" else "troupe." + stub.stem
        for holder, dot, name in re.findall(r"^function (\w+)([.:])(\w+)\(", stub.read_text(), flags=re.M):
            names.append(module + dot + name)
    if len(names) < 60:
        raise Failed(f"only {len(names)} functions are documented")
    ran = t.troupe("shell", stdin="".join(f":help {name}\n" for name in names) + ":help\n").exits(0)
    for name in names:
        if not re.search(rf"^{re.escape(name)}\(", ran.out, flags=re.M):
            raise Failed(f":help {name} says nothing")
    for command in ("inspect", "trace", "suspend", "resume", "state", "reload"):
        if not re.search(rf"^:{command} ", ran.out, flags=re.M):
            raise Failed(f":help does not name :{command}")


@case
def what_there_is_not_is_told_in_one_sentence_with_the_nearest_name(t):
    ran = t.troupe("shell", stdin=":help nonsense\n:help troupe.cal\n:help async.mpa\n:help inspct\n:help ''\n"
                   ":inspct a\n:zzzzz\n:kill\n")
    equal(ran.err.splitlines(), [
        'not_found: no help for "nonsense"; :help lists the commands, :help troupe the functions',
        'not_found: no help for "troupe.cal": did you mean "troupe.call"?',
        'not_found: no help for "async.mpa": did you mean "async.map"?',
        'not_found: no help for "inspct": did you mean "inspect"?',
        "not_found: no help for \"''\"; :help lists the commands, :help troupe the functions",
        "not_found: there is no command :inspct: did you mean :inspect?",
        "not_found: there is no command :zzzzz; see :help",
        "bad_argument: usage: :kill AGENT"])


@case
def with_json_every_answer_is_a_line_of_json(t):
    t.write("wild.lua", WILD)
    t.write("app.lua", 'return { name = "s", tree = { children = { { id = "a", start = "wild.lua" }, '
                       '{ id = "desk", start = { children = { { id = "b", start = "wild.lua" } } } } } } }')
    commands = [":ps", ":tree", ":inspect desk/b", ":children desk", ":count", ":spec a", ":exits a", ":call a.ping",
                ":call a.spin_not", ":state a", ":tail 3", ":help quit", ":suspend a", ":resume a", ":nosuch",
                "{ x = 1 }", "print", "nil", ":stop a", ":kill desk/b"]
    ran = t.troupe("shell", "--json", "app.lua", stdin="".join(line + "\n" for line in commands)).exits(1)
    told = [json.loads(line) for line in ran.out.splitlines()]
    failed = [json.loads(line) for line in ran.err.splitlines()]
    equal([f["error"]["code"] for f in failed if "error" in f], ["unknown_verb", "not_found"])
    equal(len(told), len(commands) - 2, ran.out)
    ps, tree, inspected, children, count, spec, exits, pong, state, events, *sentences = told
    equal([one["agent"] for one in ps], ["a", "desk", "desk/b"])
    equal([one["type"] for one in tree], ["worker", "supervisor", "worker"])
    equal((inspected["path"], inspected["phase"]), ("desk/b", "running"))
    equal([one["id"] for one in children], ["b"])
    equal(count, {"specs": 2, "active": 2, "workers": 1, "supervisors": 1})
    equal((spec["id"], spec["start"], exits, pong, state, len(events)), ("a", "wild.lua", [], "pong", [], 3))
    equal(sentences[3:6], [{"x": 1}, sentences[4], None])
    equal([type(s) for s in (sentences[0], sentences[4], sentences[6])], [str, str, str])


@case
def a_trace_under_json_is_lines_of_json(t):
    t.write("clerk.lua", CLERK % ("", ""))
    t.write("ticker.lua", TICKER)
    t.write("app.lua", 'return { name = "s", tree = { children = { { id = "clerk", start = "clerk.lua" }, '
                       '{ id = "ticker", start = "ticker.lua" } } } }')
    ran = t.troupe("shell", "--json", "app.lua", stdin=":trace clerk 2\n").exits(0)
    first, second, said = [json.loads(line) for line in ran.out.splitlines()]
    equal((first["path"], first["verb"], second["peer"], said["shown"]), ("clerk", "add", "ticker", 2))


@case
def a_session_without_failures_ends_with_0(t):
    equal(t.troupe("shell", stdin="1 + 1\n").exits(0).out, "2\n")
    equal(t.troupe("shell", stdin="").exits(0).out, "")
    equal(t.troupe("shell", stdin=":quit\n1\n").exits(0).out, "")


@case
def who_runs_wild_is_killed_at_once_while_a_hundred_others_answer(t):
    t.write("wild.lua", WILD)
    t.write("app.lua", CROWD)
    ask_all = 'n = 0 for i = 1, 100 do if troupe.call("c" .. i, "ping") == "pong" then n = n + 1 end end\nn\n'
    ran = t.troupe("shell", "app.lua", stdin=(
        'troupe.send("spinner", "spin") troupe.send("clinger", "cling")\n' + ask_all +
        ":kill spinner\n:kill clinger\n" + ask_all +
        'async.retry({ tries = 50, backoff = { 0.01, 0.1 } }, troupe.call, "spinner", "ping")\n'
        'async.retry({ tries = 50, backoff = { 0.01, 0.1 } }, troupe.call, "clinger", "ping")\n'))
    equal(ran.exits(0).out, '100\nspinner was killed\nclinger was killed\n100\n"pong"\n"pong"\n')
    ran.says("spinner crashed: killed").says("clinger crashed: killed")


@case
def who_eats_all_memory_dies_alone_and_is_started_anew(t):
    t.write("wild.lua", WILD)
    t.write("app.lua", CROWD)
    ran = t.troupe("shell", "app.lua", stdin=(
        'answer, why = troupe.call("eater", "eat")\nwhy.code, why.cause.code, why.cause.data.what\n'
        'async.retry({ tries = 50, backoff = { 0.01, 0.1 } }, troupe.call, "eater", "ping")\n'
        'troupe.call("c7", "ping")\n'))
    equal(ran.exits(0).out, '"down"\n"limit"\n"memory"\n"pong"\n"pong"\n')
    ran.says(r"eater crashed: limit: memory.*; restarted in .* ms, 1 of 10")


class Terminal:
    """A shell on a terminal of its own, 100 columns wide."""

    def __init__(self, t, *words, program=None):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(t.folder)
            os.execve(str(program or t.program), ["troupe", "shell", *words], {**t.env, "TERM": "xterm", "COLUMNS": "100"})

    def type(self, text):
        os.write(self.fd, text.encode())

    def shows(self, pattern, limit=30):
        """Waits until the pattern comes; what came before is gone."""
        end = time.monotonic() + limit
        while True:
            plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\x1b[=>]|.\x08", "", self.text)
            found = re.search(pattern, plain)
            if found:
                self.text = plain[found.end():]
                return
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise Failed(f"expected on the terminal: {pattern}\nit shows: {plain!r}")
            try:
                self.text += os.read(self.fd, 4096).decode(errors="replace")
            except OSError:
                raise Failed(f"it ended before it showed {pattern}: {plain!r}") from None

    def ends(self):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                if select.select([self.fd], [], [], 0.1)[0]:
                    os.read(self.fd, 4096)
            except OSError:
                pass
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise Failed("the shell does not end")


@case
def on_a_terminal_one_can_type_complete_interrupt_and_go_back(t):
    shell = Terminal(t)
    shell.shows(":quit leaves\n> ")
    shell.type("6 * 7\n")
    shell.shows(r"\n42\n> ")
    shell.type("for i = 1, 2 do\n")
    shell.shows(">> ")
    shell.type("x = i * 10\nend\nx\n")
    shell.shows(r"\n20\n> ")
    shell.type("troupe.sel\t() ~= nil\n")
    shell.shows(r"\ntrue\n> ")
    shell.type("while true do end\n\x03")  # it runs by then, or is dropped: both lead back to the prompt
    shell.shows("> ")
    shell.type("'still here'\n")
    shell.shows(r'\n"still here"\n> ')
    shell.type("'gr\u00fc\u00df dich'\n")
    shell.shows("\n\"gr\u00fc\u00df dich\"\n> ")
    shell.type("half a line\x03")
    shell.shows(r"\^C\n> ")
    shell.type("'still here'\n")
    shell.shows(r'\n"still here"\n> ')
    shell.type("x = {\n")
    shell.shows(">> ")
    shell.type("\x03")
    shell.shows("> ")
    shell.type("\x10\n")  # up: the last line that ran
    shell.shows(r'\n"still here"\n> ')
    shell.type("\x04")
    equal(shell.ends(), 0)
    again = Terminal(t)
    again.shows("> ")
    again.type("\x10\n")  # up: what was typed in the other shell
    again.shows('"still here"')
    again.type(":quit\n")
    equal(again.ends(), 0)


@case
def tab_completes_commands_agents_verbs_files_and_help(t):
    t.write("desk/wild.lua", WILD)
    t.write("desk/notes.txt", "")
    agents = ", ".join('{ id = "%s", start = "desk/wild.lua" }' % name for name in ("writer", "x-ray"))
    t.write("app.lua", 'return { name = "s", tree = { children = { '
                       '{ id = "desk", start = { children = { %s } } } } } }' % agents)
    shell = Terminal(t, "app.lua")
    shell.shows(":quit leaves\n> ")
    shell.type(":cal\t desk/wri\tpi\t\n")
    shell.shows(r':call desk/writer\.ping\s*\n"pong"\n> ')
    shell.type(":call desk/x\t\t")
    shell.shows(r"desk/x-ray\.cling  desk/x-ray\.eat  desk/x-ray\.ping  desk/x-ray\.spin")
    shell.type("pi\t\n")
    shell.shows(r'"pong"\n> ')
    shell.type(":count d\t\n")  # desk alone: its children are no supervisors
    shell.shows(r":count desk\s*\n2 specs")
    shell.type(":start desk de\t\t another\n")
    shell.shows(r":start desk desk/wild\.lua another\s*\ndesk/another runs")
    shell.type(":reload pl\t x\n")
    shell.shows(r":reload plugin x\s*\n")
    shell.type(":help troupe.mon\t\n")
    shell.shows(r"\ntroupe\.monitor\(whom\)")
    shell.type(":quit\n")
    equal(shell.ends(), 0)


@case
def what_the_node_says_does_not_land_in_the_line_that_is_typed(t):
    t.write("late.lua", """local troupe, timer = require("troupe"), require("troupe.timer")
local agent = troupe.agent {}
function agent.on.fall_soon(self, seconds) timer.after(seconds, "fall") end
function agent.own.fall() error("too late") end
return agent
""")
    t.write("app.lua", 'return { name = "s", tree = { children = { { id = "late", start = "late.lua" } } } }')
    shell = Terminal(t, "app.lua")
    shell.shows(":quit leaves\n> ")
    shell.type(":send late.fall_soon :=0.3\n")
    shell.shows("> ")
    shell.type("'half a")
    shell.shows(r"late crashed: .*; restarted in [^\n]*\n> 'half a$")
    shell.type(" line'\n")
    shell.shows(r'\n"half a line"\n> ')
    shell.type(":quit\n")
    equal(shell.ends(), 0)


@case
def what_was_printed_before_a_failure_stands_above_it(t):
    shell = Terminal(t)
    shell.shows(":quit leaves\n> ")
    shell.type('for i = 1, 3000 do print("line " .. i) end error("too late", 0)\n')
    shell.shows(r"\nline 3000\n(.*\n)*.*crash: too late")
    shell.type(":quit\n")
    equal(shell.ends(), 0)


@case
def at_the_prompt_a_signal_ends_the_program_and_ctrl_c_does_not(t):
    shell = Terminal(t)
    shell.shows("> ")
    for _ in range(30):
        shell.type("'lost' ..\x03")
        shell.shows("> ")
    shell.type("'kept'\n")
    shell.shows(r'\n"kept"\n')
    shell.type("half")
    shell.shows("half")
    os.kill(shell.pid, signal.SIGTERM)
    equal(shell.ends(), 0)


@case
def a_prompt_that_can_not_be_started_anew_ends_the_program(t):
    prefix = t.folder / "prefix"
    shutil.copytree(t.prefix / "bin", prefix / "bin")
    shutil.copytree(t.prefix / "share/troupe/shell", prefix / "share/troupe/shell")
    shell = Terminal(t, program=prefix / "bin/troupe")
    shell.shows("> ")
    (prefix / "share/troupe/shell/prompt.lua").unlink()
    shell.type(":kill shell\n")
    shell.shows("shell was killed\n> ")
    shell.type("1\n")
    shell.shows(r"down: the prompt can't be started anew; because .*prompt\.lua")
    equal(shell.ends(), 1)


main()
