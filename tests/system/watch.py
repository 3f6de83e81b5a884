# SPDX-License-Identifier: Apache-2.0
"""`--watch`: files that change while an app runs."""
import os
import re
import shutil
import subprocess
import threading

from support import INTERRUPT, LIMIT, Failed, Skip, case, equal, main

AGENT = """local troupe = require("troupe")
local timer = require("troupe.timer")
%s
local agent = troupe.agent {}
function agent.on_start(self)
  self.state.n = 0
  timer.every(0.02, "tick")
end
function agent.own.tick(self)
  self.state.n = self.state.n + 1
  print(("%s %%d"):format(self.state.n))
end
return agent
"""


def agent(word, more=""):
    return AGENT % (more, word)


def app(children):
    return 'return { name = "x", tree = { children = { %s } } }\n' % children


class Watched:
    """`troupe run --watch`, whose stderr is read line by line."""

    def __init__(self, t, *words):
        self.t, self.lines = t, []
        self.process = t.start("run", "--watch", *words)
        self.limit = threading.Timer(LIMIT, self.process.kill)
        self.limit.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.limit.cancel()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def says(self, pattern):
        """The next line that fits."""
        for line in self.process.stderr:
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found
        raise Failed(f"it ended without saying {pattern!r}: {self.lines}")

    def watch_lines(self):
        return [line for line in self.lines if line.startswith("watch:")]

    def ends(self):
        self.process.send_signal(INTERRUPT)
        return self.t.ended(self.process).exits(130)


@case
def a_script_that_is_edited_gets_its_new_code_and_keeps_its_state(t):
    t.write("a.lua", agent("first"))
    with Watched(t, "a.lua") as run:
        counted = int(run.says(r"^first (\d+)").group(1))
        t.write("a.lua", agent("second"))
        run.says("^watch: a.lua: reloaded a$")
        if int(run.says(r"^second (\d+)").group(1)) <= counted:
            raise Failed(f"it lost its state: {run.lines}")
        run.ends()


@case
def a_mistake_changes_nothing_and_is_named(t):
    t.write("a.lua", agent("first"))
    t.write("app.lua", app('{ id = "a", start = "a.lua" }, { id = "b", start = "a.lua" }'))
    with Watched(t, "app.lua") as run:
        run.says("^first")
        t.write("a.lua", "return {")
        run.says(r"^watch: a\.lua: a, b keep their code: syntax: a\.lua:1: unexpected symbol near <eof>$")
        run.says(r"^first \d+")
        t.write("a.lua", agent("third", 'error("not today", 0)'))
        run.says(r"^watch: a\.lua: a, b keep their code: .*not today")
        run.says(r"^first \d+")
        t.write("a.lua", agent("fourth"))
        run.says("^watch: a.lua: reloaded a, b$")
        run.says(r"^fourth \d+")
        run.ends()


@case
def a_file_may_be_replaced_as_editors_do(t):
    t.write("scripts/a.lua", agent("first"))
    t.write("app.lua", app('{ id = "a", start = "scripts/a.lua" }'))
    with Watched(t, "app.lua") as run:
        run.says("^first")
        for word in ("second", "third"):
            os.replace(t.write("scripts/.a.lua.swp", agent(word)), t.folder / "scripts/a.lua")
            run.says(r"^watch: scripts/a\.lua: reloaded a$")
            run.says(f"^{word}")
        run.ends()


@case
def a_folder_may_be_replaced_or_go_and_come_back(t):
    t.write("s/a.lua", agent("first"))
    t.write("app.lua", app('{ id = "a", start = "s/a.lua" }'))
    with Watched(t, "app.lua") as run:
        run.says("^first")
        (t.folder / "s").rename(t.folder / "s.old")
        for word in ("second", "third"):
            t.write("s/a.lua", agent(word))
            run.says(r"^watch: s/a\.lua: reloaded a$")
            run.says(f"^{word}")
        shutil.rmtree(t.folder / "s")
        run.says(r"^watch: s/a\.lua: a keeps its code: ")
        for word in ("fourth", "fifth"):
            t.write("s/a.lua", agent(word))
            run.says(r"^watch: s/a\.lua: reloaded a$")
            run.says(f"^{word}")
        run.ends()


@case
def a_module_reaches_those_that_require_it_also_in_a_process_of_their_own(t):
    t.write("lib/words.lua", 'return { word = "first" }')
    for name in ("a", "c"):
        t.write(name + ".lua", agent(name + " " + '" .. words.word .. "', 'local words = require("lib.words")'))
    t.write("b.lua", agent("b"))
    t.write("app.lua", app('{ id = "a", start = "a.lua" }, { id = "b", start = "b.lua" }, '
                           '{ id = "c", start = "c.lua", isolate = "process", restart = "temporary" }'))
    with Watched(t, "app.lua") as run:
        run.says("^a first")
        run.says("^c first")
        t.write("lib/unused.lua", "return {")
        t.write("lib/words.lua", 'return { word = "second" }')
        run.says(r"^watch: lib/words\.lua: reloaded a, c$")
        run.says("^a second")
        run.says("^c second")
        equal(len(run.watch_lines()), 1, run.lines)
        run.ends()


@case
def a_script_that_is_started_later_is_watched_as_well(t):
    t.write("boss.lua", """local troupe = require("troupe")
local agent = troupe.agent { needs = { spawn = 1 } }
function agent.on_start() troupe.spawn { id = "helper", start = "later/helper.lua" } end
return agent
""")
    t.write("later/helper.lua", agent("first"))
    with Watched(t, "boss.lua") as run:
        run.says("^first")
        t.write("later/helper.lua", agent("second"))
        run.says(r"^watch: later/helper\.lua: reloaded boss/helper$")
        run.says("^second")
        run.ends()


@case
def an_app_file_is_merged_into_the_tree_that_runs(t):
    t.write("a.lua", agent("a"))
    t.write("app.lua", app('{ id = "a", start = "a.lua" }'))
    with Watched(t, "app.lua") as run:
        run.says("^a ")
        t.write("app.lua", app('{ id = "a", start = "a.lua", shutdown = 1 }, { id = "b", start = "a.lua" }'))
        run.says(r"^watch: app\.lua: changed a; added b, not started$")
        t.write("app.lua", app('{ id = "a", start = "a.lua", shutdwn = 1 }'))
        run.says(r'^watch: app\.lua: the tree stays as it is: config: .*did you mean "shutdown"')
        run.says("^a ")
        run.ends()


@case
def a_link_is_followed_to_the_file_that_is_written(t):
    t.write("elsewhere/real.lua", agent("first"))
    (t.folder / "a.lua").symlink_to("elsewhere/real.lua")
    with Watched(t, "a.lua") as run:
        run.says("^first")
        t.write("elsewhere/real.lua", agent("second"))
        run.says("^watch: a.lua: reloaded a$")
        run.says("^second")
        run.ends()


@case
def the_shell_watches_too(t):
    t.write("a.lua", agent("first"))
    t.troupe("shell", "--watch").exits(2).silent().says("FILE")
    shell = t.start("shell", "--watch", "a.lua", stdin=subprocess.PIPE)
    shell.stderr.readline()
    t.write("a.lua", agent("second"))
    equal(next(line for line in shell.stderr if line.startswith("watch:")), "watch: a.lua: reloaded a\n")
    next(line for line in shell.stderr if line.startswith("second"))
    t.ended(shell).exits(0)


@case
def without_an_inotify_instance_it_says_so_and_starts_nothing(t):
    t.write("a.lua", agent("first"))
    limited = "echo 0 > /proc/sys/user/max_inotify_instances && exec \"$@\""
    if t.command("unshare", "-Ur", "sh", "-c", limited, "sh", "true").code != 0:
        raise Skip("no user namespaces here")
    ran = t.command("unshare", "-Ur", "sh", "-c", limited, "sh", t.program, "run", "--watch", "a.lua")
    ran.refused("files can't be watched: this machine has no inotify instance left")


main()
