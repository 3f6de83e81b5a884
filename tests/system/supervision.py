# SPDX-License-Identifier: Apache-2.0
"""Supervisors as one meets them at the prompt: children by hand, and an app's tree that changes while it runs."""
import subprocess

from support import Failed, case, equal, main, next_line

CHILD = """local troupe = require("troupe")
local agent = troupe.agent { options = { size = 1 } }
function agent.on.size(self) return self.options.size end
function agent.on.fall() error("over", 0) end
return agent
"""


def app(children, more=""):
    return f'return {{ name = "x", tree = {{ intensity = 10, {more} children = {{ {children} }} }} }}\n'


@case
def children_are_managed_by_hand(t):
    t.write("child.lua", CHILD)
    t.write("app.lua", app('{ id = "a", start = "child.lua" }, { id = "team", start = { children = {} } }'))
    ran = t.troupe("shell", "app.lua", stdin=(
        ":start team child.lua b\n:children\n:children team\n:count\n:stop team/b\n:children team\n"
        ":restart team/b\n:stop team/b\n:delete team/b\n:count team\n:exits a\n:call a.fall\n:exits a\n"
        ":restart a\n:delete nobody\n:start team\n:spec a\n"))
    equal(ran.code, 1)
    for line in (r"^team/b runs at <", r"^a +running +worker\nteam +running +supervisor\n", r"^b +running +worker\n",
                 r"^2 specs, 2 active, 1 workers, 1 supervisors", r"^b +stopped +worker\n", r"^team/b is forgotten",
                 r"^0 specs, 0 active", r"^a has not ended yet", r"  after \d+\.\d s  crash: over",
                 r'restart = "permanent"'):
        ran.prints(line)
    ran.says(r"running: child a runs already").says(r"not_found: .*nobody").says(r"usage: :start SUPERVISOR FILE")


class Prompt:
    """A shell that is typed to line by line, so that files can change between the lines."""

    def __init__(self, t, *words):
        self.t, self.process = t, t.start("shell", *words, stdin=subprocess.PIPE)

    def type(self, *lines):
        """What the last of them shows, as far as the line that marks its end."""
        self.process.stdin.write("\n".join(lines) + '\n"end of it"\n')
        self.process.stdin.flush()
        shown = []
        while (line := next_line(self.process.stdout)) != '"end of it"\n':
            if not line:
                raise Failed(f"the shell ended after {shown}")
            shown.append(line)
        return "".join(shown)

    def ends(self):
        return self.t.ended(self.process)


@case
def an_app_that_changed_is_merged_into_the_one_that_runs(t):
    t.write("child.lua", CHILD)
    t.write("app.lua", app('{ id = "a", start = "child.lua" }, { id = "b", start = "child.lua" }'))
    prompt = Prompt(t, "app.lua")
    equal(prompt.type(":reload app"), "nothing has changed\n")
    before = prompt.type('troupe.find("a")')
    t.write("app.lua", app('{ id = "c", start = "child.lua" }, '
                           '{ id = "a", start = "child.lua", options = { size = 7 } }'))
    equal(prompt.type(":reload app"), "changed a\nadded c, not started\nkept b, no more in the file\n")
    equal(prompt.type('troupe.find("a")'), before, "who runs is left alone")
    equal(prompt.type(":call a.size"), "1\n")
    equal(prompt.type(":call b.size"), "1\n")
    equal(prompt.type(":children"), "CHILD  STATE    TYPE\nc      stopped  worker\na      running  worker\n"
                                    "b      running  worker\n")
    prompt.type(":stop a", ":restart a")
    equal(prompt.type(":call a.size"), "7\n")
    t.write("app.lua", app('{ id = "a", start = "child.lua", shutdwn = 1 }'))
    equal(prompt.type(":reload app"), "")
    equal(prompt.type(":call a.size"), "7\n")
    t.write("app.lua", "return {")
    equal(prompt.type(":reload app"), "")
    ran = prompt.ends().exits(1)
    ran.says(r'config: app\.lua: tree: child a: unknown key "shutdwn": did you mean "shutdown"\?')
    ran.says(r"syntax: app\.lua:1:")


main()
