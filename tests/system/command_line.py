# SPDX-License-Identifier: Apache-2.0
"""The verbs of the command line: what they print where, and their exit codes."""
import json
import os
import re
import shutil
import signal
import time

from support import AGENT, INTERRUPT, TERMINATE, Failed, case, children_of, equal, main, when_it_says

WAITS = AGENT % 'function agent.on.main() print("here") async.sleep(3600) end'
SERVES = AGENT % 'function agent.on_start() print("here") end function agent.on_stop() print("in order") end'


@case
def without_a_verb_it_tells_how_it_is_used(t):
    t.troupe().exits(2).silent().says("subcommand")
    t.troupe("rnu").exits(2).silent()
    t.troupe("run").exits(2).silent().says("FILE")
    t.troupe("run", "x.lua", "--no-such-option").exits(2).silent().says("no-such-option")
    t.troupe("--help").exits(0).prints("run").prints("shell").prints("plugin")
    t.troupe("run", "--help").exits(0).prints("--set").prints("--timeout")


@case
def the_version_is_told_in_both_ways(t):
    line = t.troupe("version").exits(0).prints(r"^troupe \d+\.\d+\.\d+$").out
    told = json.loads(t.troupe("version", "--json").exits(0).out)
    equal("troupe " + told["version"] + "\n", line)


@case
def a_result_goes_to_stdout_and_an_error_to_stderr(t):
    t.write("a.lua", AGENT % """function agent.on.main(self, what)
  if what == "fail" then return nil, troupe.error("bad_argument", "not this", { at = 3 }) end
  if what == "crash" then error("boom") end
  if what == "table" then return { n = 1, list = { "x", true } } end
  if what == "nothing" then return end
  if what == "function" then return print end
  return what
end""")
    equal(t.troupe("run", "a.lua", "text").exits(0).out, "text\n")
    equal(t.troupe("run", "a.lua", "nothing").exits(0).out, "")
    t.troupe("run", "a.lua", "function").refused("a function is no plain data")
    t.write("bytes.lua", AGENT % 'function agent.on.main() return "\\xc3" end')
    equal(t.troupe("run", "bytes.lua").exits(0).out, "\ufffd\n")
    t.troupe("run", "--json", "bytes.lua").exits(1).silent().says("no form in JSON")
    equal(json.loads(t.troupe("run", "a.lua", "table").exits(0).out), {"n": 1, "list": ["x", True]})
    t.troupe("run", "a.lua", "fail").refused("bad_argument: not this")
    t.troupe("run", "a.lua", "crash").exits(1).silent().says(r"boom")
    equal(json.loads(t.troupe("run", "--json", "a.lua", "text").exits(0).out), "text")
    failed = json.loads(t.troupe("run", "--json", "a.lua", "fail").exits(1).silent().err)
    equal((failed["error"]["code"], failed["error"]["data"]), ("bad_argument", {"at": 3}))
    for line in t.troupe("run", "--json", "a.lua", "crash").exits(1).silent().err.splitlines():
        json.loads(line)


@case
def options_may_stand_behind_the_file_and_arguments_behind_two_dashes(t):
    hello = t.examples / "hello/hello.lua"
    equal(t.troupe("run", hello, "--set", "greeting=Moin", "Husum").exits(0).out, "Moin, Husum!\n")
    equal(t.troupe("run", "--set", "greeting=Moin", hello, "--", "--set").exits(0).out, "Moin, --set!\n")
    t.write("a.lua", AGENT % 'function agent.on.main(_, ...) return table.concat({ ... }, "|") end')
    for words, expected in (
        ("a.lua -- --x", "--x"), ("a.lua a -- --b", "a|--b"), ("a.lua a --timeout 5 b -- --timeout 5", "a|b|--timeout|5"),
        ("a.lua a -- b -- c", "a|b|--|c"), ("a.lua a --", "a"), ("-- a.lua --x", "--x"), ("-- a.lua a -- b", "a|--|b")):
        equal(t.troupe("run", *words.split()).exits(0).out, expected + "\n", words)
    t.troupe("run", "--").exits(2).silent().says("FILE")
    t.troupe("run", "a.lua", "-x").exits(2).silent().says("-x")


@case
def what_takes_too_long_ends_with_124(t):
    t.write("a.lua", WAITS)
    t.troupe("run", "--timeout", "0.2", "a.lua").exits(124).silent().says("timeout")
    t.write("loop.lua", AGENT % "function agent.on.main() while true do end end")
    t.troupe("run", "--timeout", "0.2", "loop.lua").exits(124).silent()
    t.write("serves.lua", SERVES)
    t.troupe("run", "--timeout", "0.2", "serves.lua").exits(124).silent().says("in order")


@case
def an_interrupt_stops_the_tree_in_order(t):
    t.write("serves.lua", SERVES)
    for number, code in (INTERRUPT, 130), (TERMINATE, 143):
        process = t.start("run", "serves.lua")
        when_it_says(process, "here")
        process.send_signal(number)
        t.ended(process).exits(code).silent().says("in order")
    t.write("waits.lua", WAITS)
    for number, code in (INTERRUPT, 130), (TERMINATE, 143):
        process = t.start("run", "waits.lua")
        when_it_says(process, "here")
        process.send_signal(number)
        t.ended(process).exits(code).silent()


@case
def a_second_interrupt_does_not_wait_for_who_does_not_stop(t):
    t.write("x.lua", 'return { name = "x", tree = { children = { { id = "a", start = "a.lua", shutdown = "infinity" } } } }')
    t.write("a.lua", AGENT % 'function agent.on_start() print("here") end\n'
                             'function agent.on_stop() print("stopping") async.sleep(3600) end')
    process = t.start("run", "x.lua")
    when_it_says(process, "here")
    process.send_signal(INTERRUPT)
    when_it_says(process, "stopping")
    process.send_signal(INTERRUPT)
    t.ended(process).exits(130).silent()


@case
def a_worker_that_is_killed_is_started_anew(t):
    t.write("x.lua", 'return { name = "x", tree = { intensity = 3, children = { { id = "a", start = "a.lua", '
                     'isolate = "process" } } } }')
    t.write("a.lua", AGENT % 'function agent.on_start(_, start) print("first " .. tostring(start.first)) end')
    process = t.start("run", "x.lua")
    when_it_says(process, "first true")
    (worker,) = children_of(process.pid, "troupe_worker")
    os.kill(worker, signal.SIGKILL)
    when_it_says(process, "first false")
    process.send_signal(TERMINATE)
    t.ended(process).exits(143)


@case
def check_finds_every_mistake_without_running_anything(t):
    t.troupe("check", t.examples / "triage/triage.lua").exits(0).prints("nothing wrong").prints("default limits: memory 64 MiB")
    t.write("x.lua", 'return { name = "x", tree = { children = { { id = "a", start = "no.lua" }, '
                     '{ id = "b", start = { plugin = "none", kind = "k" } } } } }')
    t.troupe("check", "x.lua").exits(1).prints(r"^a: .*no\.lua").prints(r"^b: .*none")
    told = json.loads(t.troupe("check", "--json", "x.lua").exits(1).out)
    equal(told["ok"], False)
    equal([a["ok"] for a in told["agents"]], [False, False])
    equal(json.loads(t.troupe("check", "--json", "no.lua").exits(1).silent().err)["error"]["code"], "not_found")
    t.write("a.lua", AGENT % "function agent.on.run() end")
    t.write("y.lua", 'return { name = "y", main = "a.rnu", models = { default = { provider = "scriptde" } }, '
                     'tree = { children = { { id = "a", start = "a.lua" } } } }')
    t.troupe("check", "y.lua").exits(1).prints(r"^models: .*model default: .*scriptde.*scripted")
    t.troupe("check", "y.lua").exits(1).prints(r"^main: .*a: .*rnu.*run")
    t.troupe("explain", "y.lua").exits(1).prints(r"^wrong: main: .*rnu")
    equal([p["where"] for p in json.loads(t.troupe("check", "--json", "y.lua").exits(1).out)["problems"]],
          ["models", "main"])
    t.write("z.lua", 'return { name = "z", budget = { csot = 3 }, tree = { children = {} } }')
    t.troupe("check", "z.lua").exits(1).silent().says("budget: .*csot.*cost")


@case
def a_cap_on_the_cost_of_a_model_without_a_price_refuses_the_start(t):
    t.write("replies.json", '{ "replies": [{ "text": "yes" }] }')
    t.write("a.lua", 'local troupe = require("troupe")\nlocal llm = require("troupe.llm")\n'
                     'local agent = troupe.agent { needs = { llm = { "default" } } }\n'
                     'function agent.on.main() return llm.ask("x") end\nreturn agent\n')
    t.write("b.lua", AGENT % "")
    def app(price, above="", below=""):
        t.write("x.lua", 'return { name = "x", main = "d/a.main", %s models = { default = { provider = "scripted", '
                         'file = "replies.json", %s } }, tree = { children = { { id = "b", start = "b.lua" }, { id = "d", '
                         'start = { children = { { id = "a", start = "a.lua", %s } } } } } } }' % (above, price, below))
    refused = r"a may use model default, which has no price, so the cost in the budget of %s can't be held"
    for above, below, place in ("budget = { cost = 1 },", "", "app"), ("", "budget = { cost = 1 }", "d/a"):
        app("", above, below)
        t.troupe("run", "x.lua").refused(refused % place)
        t.troupe("check", "x.lua").exits(1).prints("^d/a: .*" + refused % place)
        app("price = { input = 1, output = 1 }", above, below)
        equal(json.loads(t.troupe("run", "x.lua").exits(0).out)["text"], "yes")
    app("", "budget = { calls = 1 },")
    t.troupe("run", "x.lua").exits(0)


@case
def an_installed_plugin_that_is_broken_is_told_and_left_out(t):
    prefix = t.folder / "prefix"
    for part in "bin", "share/troupe":
        shutil.copytree(t.prefix / part, prefix / part)
    broken = prefix / "lib/troupe/plugins/clock"
    broken.mkdir(parents=True)
    (broken / "plugin.json").write_text("{}")
    t.write("a.lua", AGENT % "")
    t.write("t.lua", 'local test = require("troupe.test")\ntest.case("x", function() end)\ntest.done()\n')
    for words in ("check", "a.lua"), ("test", "t.lua"):
        t.command(prefix / "bin/troupe", *words).exits(0).says("a plugin is left out.*clock")


@case
def explain_shows_what_runs_where_and_may_do_what(t):
    told = t.troupe("explain", t.examples / "triage/triage.lua").exits(0)
    told.prints(r"^triage: one_for_one").prints(r"members: member\.lua, pool of 8").prints(r"^main: boss\.run$")
    t.troupe("explain", "--set", "members=3", t.examples / "triage/triage.lua").exits(0).prints("pool of 3")
    agents = json.loads(t.troupe("explain", "--json", t.examples / "triage/triage.lua").exits(0).out)["agents"]
    equal([a["path"] for a in agents], ["members", "boss"])


@case
def models_lists_those_of_an_app_and_the_providers(t):
    t.troupe("models").exits(0).prints("no models: set OPENAI_BASE_URL").prints(r"^providers: .*openai.*scripted")
    t.troupe("models", t.examples / "triage/triage.lua").exits(0).prints(r"^default: scripted")
    t.env["OPENAI_BASE_URL"] = "http://127.0.0.1:1/v1"
    t.env["OPENAI_API_KEY"] = "sk-secret"
    told = t.troupe("models", "--json").exits(0)
    equal(json.loads(told.out)["models"][0]["base_url"], "http://127.0.0.1:1/v1")
    if "sk-secret" in told.out + told.err:
        raise Failed("it shows the key")


@case
def new_makes_something_that_runs(t):
    t.troupe("new", "lua", "counter").exits(0).prints("^counter$")
    equal(t.troupe("run", "counter/app.lua", "2", "3").exits(0).out, "5\n")
    taught = re.search("then: (.*)", (t.folder / "counter/README.md").read_text()).group(1)
    equal(t.troupe("shell", "counter/app.lua", stdin=taught + "\n").exits(0).out, "4\n")
    t.troupe("new", "lua", "counter").refused("counter is there already")
    t.troupe("new", "rust", "x").refused(r"rust.*known are c, cpp, lua")
    t.troupe("new", "lua", "../x").refused("a name has letters")
    t.troupe("new", "lua", "tool").refused("the node needs the name tool for itself")


@case
def what_is_mistyped_on_the_command_line_is_named(t):
    t.troupe("rnu", "x.lua").exits(2).silent().says('^troupe: .*rnu.*did you mean "run"')
    t.troupe("run", "--threads", "0", "x.lua").exits(2).silent().says("^troupe: .*threads")
    t.troupe("run", "--timeout", "-1", "x.lua").exits(2).silent().says("^troupe: .*timeout")
    t.troupe("run", ".").refused(r"io: \.: not a regular file")
    (t.folder / "b.lua").write_bytes(b"\x1bLua54")
    t.troupe("run", "b.lua").refused("b.lua: this is bytecode")


@case
def a_file_whose_name_the_node_uses_itself_runs_all_the_same(t):
    t.write("tool.lua", 'local troupe = require("troupe")\nlocal agent = troupe.agent {}\n'
                        'function agent.on.main() return "ran" end\nreturn agent\n')
    equal(t.troupe("run", "tool.lua").exits(0).out, "ran\n")


@case
def who_has_no_main_is_said_to_run_until_it_is_stopped(t):
    t.write("x.lua", 'local troupe = require("troupe")\nlocal agent = troupe.agent {}\n'
                     'function agent.on.mian() end\nreturn agent\n')
    process = t.start("run", "x.lua")
    when_it_says(process, "x has no verb main: it runs until Ctrl-C")
    process.send_signal(TERMINATE)
    t.ended(process).exits(143)


@case
def plugins_are_listed_described_and_checked(t):
    t.troupe("plugin", "list").exits(0).prints(r"^hello_c \d").prints(r"^llm_openai \d")
    names = [p["name"] for p in json.loads(t.troupe("plugin", "list", "--json").exits(0).out)]
    if not {"hello_c", "hello_cpp", "file_tools", "llm_openai", "llm_scripted"} <= set(names):
        raise Failed(f"only {names}")
    t.troupe("plugin", "info", "hello_c").exits(0).prints("agent kinds: greeter").prints(r"tools: hello_c\.greet")
    equal(json.loads(t.troupe("plugin", "info", "--json", "hello_c").exits(0).out)["name"], "hello_c")
    t.troupe("plugin", "check", "hello_cpp").exits(0).prints("loads")
    t.troupe("plugin", "info", "hello_d").refused("hello_d.*hello_c")
    t.troupe("plugin").exits(2).silent()


@case
def a_node_without_its_plugins_says_what_is_missing(t):
    t.write("x.lua", 'return { name = "x", models = { default = { provider = "scriptde" } }, '
                     'tree = { children = { { id = "a", start = "a.lua" } } }, main = "a.main" }')
    t.write("a.lua", 'local troupe = require("troupe")\nlocal llm = require("troupe.llm")\n'
                     'local agent = troupe.agent { needs = { llm = { "default" } } }\n'
                     'function agent.on.main() return llm.ask("x") end\nreturn agent\n')
    t.troupe("run", "x.lua").exits(1).silent().says("scriptde.*scripted")


@case
def a_main_that_is_stopped_while_the_app_goes_on_ends_the_run_at_once(t):
    t.write("m.lua", AGENT % 'function agent.on.main() troupe.send("b", "act") async.sleep(3600) end')
    may = AGENT.replace("{}", '{ needs = { call = { "app" } } }')
    for strategy, act in ("one_for_all", 'error("boom")'), ("one_for_one", 'troupe.supervisor("app"):terminate_child("m")'):
        t.write("b.lua", may % ('function agent.on.act() print("now") %s end' % act))
        t.write("x.lua", 'return { name = "x", main = "m.main", grants = { call = { "*" } }, tree = { strategy = "%s", children = '
                         '{ { id = "b", start = "b.lua" }, { id = "m", start = "m.lua" } } } }' % strategy)
        waits = []
        while not waits or waits[-1] >= 1 and len(waits) < 5:  # a second is what it waits where it can't know
            process = t.start("run", "x.lua")
            when_it_says(process, "now")
            began = time.monotonic()
            t.ended(process).exits(1).says("^troupe: down: ")
            waits.append(time.monotonic() - began)
        equal(waits[-1] < 1, True, waits)


main()
