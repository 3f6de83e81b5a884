# SPDX-License-Identifier: Apache-2.0
"""App files and agents' files with mistakes in them: each is refused with one clear sentence."""
import json
import re

from support import case, equal, main

AGENT = 'local troupe = require("troupe")\nlocal agent = troupe.agent {}\n%s\nreturn agent\n'


def app(children, more=""):
    return f'return {{ name = "x", {more} tree = {{ children = {{ {children} }} }} }}\n'


@case
def a_file_that_is_not_there_is_named(t):
    t.troupe("run", "nothing.lua").refused(r"nothing\.lua.*(no such file|No such file)")


@case
def a_folder_is_no_app(t):
    (t.folder / "x.lua").mkdir()
    t.troupe("run", "x.lua").refused(r"x\.lua")


@case
def a_syntax_error_is_told_with_file_and_line(t):
    t.write("x.lua", "return {\n  name = \n}\n")
    t.troupe("run", "x.lua").refused(r"syntax: x\.lua:3:")
    t.write("y.lua", 'local troupe = require("troupe")\nlocal agent = = 3\n')
    t.troupe("run", "y.lua").refused(r"syntax: y\.lua:2:")


@case
def an_unknown_key_is_told_with_the_nearest(t):
    t.write("x.lua", app("", more="modles = {},"))
    t.troupe("run", "x.lua").refused(r"x\.lua: .*modles.*models")
    t.write("y.lua", app('{ id = "a", start = "a.lua", isolat = "process" }'))
    t.troupe("run", "y.lua").refused(r"y\.lua: .*isolat.*isolate")


@case
def a_wrong_type_is_told_with_what_was_expected(t):
    t.write("x.lua", 'return { name = "x", tree = 3 }\n')
    t.troupe("run", "x.lua").refused(r"x\.lua: tree: expected a table, got integer")
    t.write("y.lua", app('{ id = "a", start = "a.lua", restart = 7 }'))
    t.troupe("run", "y.lua").refused(r"y\.lua: .*restart")
    t.write("z.lua", app('{ id = "a", start = "a.lua", pool = { size = "many" } }'))
    t.troupe("run", "z.lua").refused(r"z\.lua: .*size")


@case
def a_missing_script_is_named_with_its_child(t):
    t.write("x.lua", app('{ id = "writer", start = "writer.lua" }'))
    t.troupe("run", "x.lua").refused(r"writer.*writer\.lua")
    t.troupe("check", "x.lua").exits(1).prints(r"^writer: .*writer\.lua")


@case
def a_script_that_returns_no_agent_is_named(t):
    t.write("a.lua", 'local troupe = require("troupe")\nreturn 7\n')
    t.write("x.lua", app('{ id = "a", start = "a.lua" }'))
    t.troupe("run", "x.lua").refused(r"a\.lua.*(agent|return)")
    t.troupe("run", "a.lua").refused(r"a\.lua.*(agent|return)")


@case
def an_app_that_returns_nothing_is_told_so(t):
    t.write("x.lua", "local x = 3\n")
    t.troupe("run", "x.lua").refused(r"x\.lua returned nothing instead of an app")
    t.write("y.lua", "")
    t.troupe("run", "y.lua").refused(r"y\.lua returned nothing instead of an app")


@case
def two_children_with_one_id_are_refused(t):
    t.write("a.lua", AGENT % "")
    t.write("x.lua", app('{ id = "a", start = "a.lua" }, { id = "a", start = "a.lua" }'))
    t.troupe("run", "x.lua").refused(r"x\.lua: .*child a: two children have this id")


@case
def a_cycle_of_includes_is_spelled_out(t):
    t.write("x.lua", 'return include("y.lua")\n')
    t.write("y.lua", 'return include("x.lua")\n')
    t.troupe("run", "x.lua").refused(r"x\.lua includes y\.lua includes x\.lua")


@case
def an_app_that_loops_for_ever_is_stopped(t):
    t.write("x.lua", "while true do end\n")
    t.troupe("run", "x.lua").refused(r"limit: x\.lua: running it takes too long")
    t.write("y.lua", 'local x = {}\nfor i = 1, 1e9 do x[i] = { i } end\nreturn x\n')
    t.troupe("run", "y.lua").refused(r"limit: y\.lua: memory")


@case
def an_agents_file_that_loops_for_ever_is_stopped(t):
    t.write("x.lua", 'local troupe = require("troupe")\nwhile true do end\n')
    t.troupe("run", "x.lua").refused(r"limit: .*x\.lua")


@case
def an_unknown_setting_is_told_with_the_nearest(t):
    t.write("a.lua", AGENT % "")
    t.write("x.lua", app('{ id = "a", start = "a.lua" }', more="options = { size = 4 },"))
    t.troupe("run", "x.lua", "--set", "siez=3").refused(r"--set siez: .*size")
    t.troupe("run", "x.lua", "--set", "size=many").refused(r"--set size: expected a whole number, got many")
    t.troupe("run", "x.lua", "--set", "b.restart=x").refused(r"--set b\.restart: .*\ba\b")
    t.troupe("run", "x.lua", "--set", "size").exits(2).silent().says(r"--set size: expected key=value")


@case
def an_unknown_setting_of_an_agents_file_is_told_with_the_nearest(t):
    t.troupe("run", t.examples / "hello/hello.lua", "--set", "greting=Moin").refused(r"greting.*greeting")


@case
def a_setting_of_an_agents_file_has_the_type_that_it_declares(t):
    t.write("a.lua", 'local troupe = require("troupe")\nlocal agent = troupe.agent { options = { name = "x", '
                     'key = troupe.required("string"), size = 4, loud = false } }\n'
                     'function agent.on.main(self)\n  local o = self.options\n'
                     '  return math.type(o.size) .. o.name .. o.key .. tostring(o.loud)\nend\nreturn agent\n')
    words = "run", "a.lua", "--set", "key=007", "--set"
    equal(t.troupe(*words, "name=123").exits(0).out, "integer123007false\n")
    equal(t.troupe(*words, "loud=true").exits(0).out, "integerx007true\n")
    t.troupe(*words, "size=many").refused(r"--set a\.options\.size: expected a whole number, got many")
    t.troupe(*words, "loud=1").refused(r"--set a\.options\.loud: expected true or false, got 1")


@case
def a_main_that_leads_nowhere_is_refused(t):
    t.write("a.lua", AGENT % "")
    t.write("x.lua", app('{ id = "a", start = "a.lua" }', more='main = "b.run",'))
    t.troupe("run", "x.lua").refused(r"x\.lua: main: there is no child b")
    t.write("y.lua", app('{ id = "a", start = "a.lua" }', more='main = "a.run",'))
    t.troupe("run", "y.lua").refused(r"a.*run")


@case
def an_uncovered_need_refuses_the_start(t):
    t.write("a.lua", 'local troupe = require("troupe")\nreturn troupe.agent { needs = { net = { "example.org:443" } } }\n')
    t.write("x.lua", app('{ id = "scraper", start = "a.lua" }', more="grants = {},"))
    t.troupe("run", "x.lua").refused(r"scraper needs net example\.org:443, which its spec does not grant")


@case
def each_agent_of_a_large_tree_is_checked_under_its_path(t):
    t.write("a.lua", 'local troupe = require("troupe")\nreturn troupe.agent { needs = { net = { "example.org:443" } } }\n')
    agents = ", ".join('{ id = "a%d", start = "a.lua" }' % i for i in range(50))
    t.write("x.lua", app('{ id = "a_supervisor_with_a_long_name", start = { children = { %s } } }' % agents))
    ran = t.troupe("check", "x.lua").exits(1)
    for i in range(50):
        ran.prints(rf"^a_supervisor_with_a_long_name/a{i}: denied: a{i} needs net")


@case
def isolation_that_can_not_be_had_is_refused(t):
    t.write("a.lua", AGENT % "")
    t.write("x.lua", app('{ id = "a", start = "a.lua", isolate = "sandbox" }'))
    t.troupe("run", "x.lua").refused(r"a: isolate = \"sandbox\"")
    t.write("y.lua", app('{ id = "a", start = "a.lua", limits = { cpu = 1 } }'))
    t.troupe("run", "y.lua").refused(r"limits\.cpu")


@case
def limits_that_can_not_be_held_are_refused(t):
    t.write("a.lua", AGENT % 'function agent.on.main() return "ran" end')
    for start in '{ plugin = "hello_c", kind = "greeter" }', "{ children = {} }":
        for limit in 'memory = "1MiB"', "busy = 0.5", "files = 3", "pids = 1", "cpu = 1", "wall = 60":
            t.write("x.lua", app('{ id = "a", start = %s, limits = { %s } }' % (start, limit)))
            t.troupe("run", "x.lua").refused(r"unsupported: .*a: limits\.%s can't be held" % limit.split(" ")[0])
        t.write("x.lua", app('{ id = "a", start = %s, limits = { mailbox = 5 } }' % start))
        t.troupe("check", "x.lua").exits(0)
    t.write("p.lua", app('{ id = "a", start = { plugin = "hello_c", kind = "greeter" }, pool = { size = 2 }, '
                         'limits = { memory = "1MiB" } }'))
    t.troupe("run", "p.lua").refused(r"unsupported: .*a: limits\.memory can't be held")
    t.write("s.lua", app('{ id = "a", start = "a.lua", pool = { size = 2 }, limits = { memory = "1MiB", busy = 1 } }',
                         more='main = "a.main",'))
    equal(t.troupe("run", "s.lua").exits(0).out, "ran\n")


@case
def a_secret_among_an_isolated_agents_options_is_refused(t):
    t.write("a.lua", 'local troupe = require("troupe")\nreturn troupe.agent { options = { key = "" } }\n')
    t.write("x.lua", app('{ id = "a", start = "a.lua", isolate = "process", options = { key = env("KEY", "none") } }'))
    t.troupe("run", "x.lua").refused(r'x\.lua: child a: options: env\("KEY"\) may be a secret, and an isolated agent')
    t.write("y.lua", app('{ id = "a", start = "a.lua", options = { key = env("KEY", "none") } }'))
    t.troupe("check", "y.lua").exits(0)


@case
def a_hook_that_raises_at_the_start_is_told_with_its_line(t):
    t.write("a.lua", AGENT % 'function agent.on_start() error("no") end')
    t.write("x.lua", app('{ id = "a", start = "a.lua" }'))
    t.troupe("run", "x.lua").exits(1).silent().says(r"a\.lua:3: no")


@case
def a_start_that_does_not_come_to_an_end_is_told_with_its_reason(t):
    t.write("a.lua", 'local troupe = require("troupe")\nlocal async = require("troupe.async")\n'
                     'local agent = troupe.agent { options = { how = "" } }\n'
                     'function agent.on_start(self)\n  local how = self.options.how\n'
                     '  if how == "loop" then while true do end end\n'
                     '  if how == "sleep" then async.sleep(1000) end\n'
                     '  if how == "eat" then local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end end\n'
                     '  local _, err = troupe.call("app", "which_children")\n  error(err)\nend\nreturn agent\n')
    t.write("x.lua", app('{ id = "a", start = "a.lua", start_timeout = 0.3, limits = { memory = "2MiB" }, '
                         'options = { how = option("how") } }', more='options = { how = "" },'))
    t.troupe("run", "x.lua", "--set", "how=loop").refused(r"timeout: .*a did not start within 0\.3 s")
    t.troupe("run", "x.lua", "--set", "how=sleep").refused(r"timeout: .*a did not start within 0\.3 s")
    t.troupe("run", "x.lua", "--set", "how=eat").refused(r"limit: .*a did not start: memory")
    t.troupe("run", "x.lua", "--set", "how=").exits(1).silent().says(r"a did not start: .*deadlock: app -> a -> app")


@case
def a_misspelt_hook_is_told_with_the_nearest(t):
    t.write("a.lua", AGENT % "function agent.on_strat() end")
    t.troupe("run", "a.lua").exits(1).silent().says(r"on_strat.*on_start")


DROPS = """local troupe, async = require("troupe"), require("troupe.async")
local llm = require "troupe.llm"
local call, find, sleep = troupe.call, troupe.find
local agent = troupe.agent {}
function agent.on.main(self, to)
  troupe.call(to, "x")                          -- dropped
  if to then call(to, "x", { "y" }) end         -- dropped
  for _ = 1, 2 do troupe.call "x" sleep() end   -- dropped
  async.all { function() llm.ask("x") end }     -- dropped dropped
  local x = 3 troupe.find(to)                   -- dropped
  x = (x) require("troupe").register("a");      -- dropped
  async.sleep(1)
  troupe.send(to, "x")
  troupe.part("x")
  troupe.exit()
  local value, err = troupe.call(to, "x")
  value = troupe.call(to, "x")
  assert(troupe.call(to, "x"))
  print(value, { troupe.call(to, "x") }, call(to, "x") == 3, not call(to, "x"))
  troupe.find(to):close()
  troupe.spawn { start = "x.lua" }.x = 1
  async.run(function() return troupe.call(to, "x") end)
  find(to)                                      -- it means two things in this file
  self.chat:ask("x")
  local text = "troupe.call(to)" .. [[
troupe.call(to)
]] --[==[
  troupe.call(to)
  ]==] -- troupe.call(to)
  local lib = require("lib")
  return to and troupe.call(to, "x") or
    troupe.call(to, 0xe+1, 'it\\'s', \'"\')
end
function agent.own.tick(find) return find end
return agent
"""


@case
def a_result_that_is_dropped_is_warned_of(t):
    t.write("a.lua", DROPS)
    t.write("lib.lua", 'local topic = require("troupe.topic")\ntopic.publish("x")  -- dropped\nreturn {}\n')
    t.write("x.lua", app('{ id = "a", start = "a.lua" }, { id = "b", start = "a.lua" }', more='main = "a.main",'))
    expected = [(name, number) for name in ("a.lua", "lib.lua")
                for number, line in enumerate((t.folder / name).read_text().splitlines(), 1)
                for _ in re.findall(r"\bdropped\b", line)]
    equal(len(expected), 8)
    told = json.loads(t.troupe("check", "--json", "x.lua").exits(0).out)
    equal([(w["file"], w["line"]) for w in told["warnings"]], expected)
    ran = t.troupe("check", "x.lua").exits(0).prints(r"^x: 2 agents, no errors$")
    ran.prints(r"^warning: a\.lua:6: what troupe\.call returns is dropped, and with it why it failed$")
    equal(len(re.findall("^warning: ", ran.out, re.M)), len(expected))


@case
def what_comes_with_the_program_drops_no_result(t):
    files = [p for p in t.examples.glob("*/*.lua") if p.stem == p.parent.name]
    equal(len(files), 4)
    t.troupe("new", "lua", "mine").exits(0)
    for file in [*files, *(t.folder / "mine").glob("app.lua")]:
        told = json.loads(t.troupe("check", "--json", file).out)
        equal(told["warnings"], [], str(file))


@case
def a_folder_without_a_plugin_is_named(t):
    t.write("a.lua", AGENT % "")
    t.write("x.lua", app('{ id = "a", start = "a.lua" }', more='plugins = { "build/clock" },'))
    for verb in "run", "check", "explain":
        t.troupe(verb, "x.lua").refused(r"x: plugins: .*build/clock is no plugin: it has no plugin\.json")


@case
def a_plugin_that_is_no_library_is_named(t):
    t.write("a.lua", AGENT % "")
    t.write("clock/plugin.json", '{"name": "clock", "version": "1.0.0", "abi": "1.0", "description": "x",'
                                 ' "provides": {"agents": ["ticker"]}}')
    t.write("clock/clock.so", "no library")
    t.write("x.lua", app('{ id = "a", start = { plugin = "clock", kind = "ticker" } }', more='plugins = { "clock" },'))
    t.troupe("run", "x.lua").exits(1).silent().says(r"plugin clock: .*clock\.so")
    t.troupe("plugin", "check", "clock").exits(1).silent().says(r"plugin clock: .*clock\.so")


@case
def a_plugin_that_is_not_there_is_told_with_the_nearest(t):
    t.write("x.lua", app('{ id = "a", start = { plugin = "hello_d", kind = "greeter" } }'))
    t.troupe("run", "x.lua").refused(r"a: .*hello_d.*hello_c")
    t.write("y.lua", app('{ id = "a", start = { plugin = "hello_c", kind = "greter" } }'))
    t.troupe("run", "y.lua").refused(r"a: .*greter.*greeter")


@case
def a_variable_or_file_that_is_missing_is_named(t):
    t.write("x.lua", app("", more='options = { key = env("NO_SUCH_KEY") },'))
    t.troupe("run", "x.lua").refused(r"NO_SUCH_KEY.*not set")
    t.write("y.lua", app("", more='options = { key = file("no/such") },'))
    t.troupe("run", "y.lua").refused(r"no/such")


main()
