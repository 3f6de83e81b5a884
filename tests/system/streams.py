# SPDX-License-Identifier: Apache-2.0
"""stdout and stderr: readers that pause, end or never read, terminals, and what a crash leaves there."""
import json
import os
import re
import time

from support import AGENT, INTERRUPT, TERMINATE, case, equal, main, next_line, when_it_says


@case
def a_reader_that_has_enough_ends_it_quietly(t):
    t.write("a.lua", AGENT % """function agent.on.main()
  for i = 1, 200000 do troupe.part("line " .. i .. "\\n") end
  return "done"
end""")
    ran = t.command("sh", "-c", f"{t.program} run a.lua | head -n 3").exits(0)
    equal(ran.out, "line 1\nline 2\nline 3\n")
    equal(ran.err, "")


def full_pipe():
    """Both ends of a pipe into which nothing more goes."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"-" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    return reader, writer


@case
def a_reader_that_does_not_read_holds_up_neither_the_agents_nor_an_interrupt(t):
    t.write("streams.lua", AGENT % """function agent.on.main()
  async.run(function() for _ = 1, 3 do troupe.call("b", "ping") end print("here") end)
  for i = 1, 100 do troupe.part("part") end
end
function agent.on_stop() print("in order") end""")
    t.write("answers.lua", AGENT % """function agent.on.main() print("here") return "answer" end
function agent.on_stop() print("in order") end""")
    t.write("b.lua", AGENT % 'function agent.on.ping() return "pong" end')
    for name in "streams", "answers":
        t.write("x.lua", 'return { name = "x", main = "a.main", tree = { children = { { id = "b", start = "b.lua" }, '
                         '{ id = "a", start = "%s.lua" } } } }' % name)
        for number, code in (INTERRUPT, 130), (TERMINATE, 143):
            reader, writer = full_pipe()
            process = t.start("run", "x.lua", stdout=writer)
            os.close(writer)
            when_it_says(process, "here")
            process.send_signal(number)
            t.ended(process).exits(code).says("in order")
            os.close(reader)
    reader, writer = full_pipe()
    process = t.start("run", "--timeout", "0.3", "streams.lua", stdout=writer)
    os.close(writer)
    t.ended(process).exits(124)
    os.close(reader)


FALLS = AGENT % """local timer = require("troupe.timer")
local function inner(x) return x.y.z end
function agent.on_start() timer.after(0.01, "fall") end
function agent.own.fall() inner({}) end"""
TRACE = "a.lua:5: in upvalue 'inner'\\n  a.lua:7: in function <a.lua:7>\\n"


@case
def a_crash_is_told_with_its_traceback_where_a_person_reads_it(t):
    t.write("a.lua", FALLS)
    t.write("x.lua", 'return { name = "x", tree = { intensity = 2, children = { { id = "a", start = "a.lua" } } } }')
    plain = t.troupe("run", "x.lua").exits(1)
    equal("  a.lua:5: in upvalue" in plain.err, False, plain.err)
    record = json.loads(next(line for line in plain.err.splitlines() if line.startswith("{")))
    equal("a.lua:7: in function" in record["fields"]["traceback"], True)
    told = t.troupe("run", "-v", "x.lua").exits(1)
    told.says(rf"a crashed: a\.lua:5: .*; restarted in .*, 1 of 2\n  {TRACE}.*2 of 2$")
    equal(len(re.findall(TRACE, told.err)), 1, "the same traceback is told once")
    said = t.on_terminal("run", "x.lua").err
    equal(bool(re.search(rf"; restarted in .*, 1 of 2\n  {TRACE}", said)), True, said)
    equal("traceback=" in said, False, said)


@case
def the_last_sentence_names_the_crash_that_was_one_too_many(t):
    t.write("a.lua", FALLS)
    t.write("m.lua", AGENT % "function agent.on.main() async.sleep(3600) end")
    falls = '{ id = "a", start = "a.lua" }'
    last = r"restarts? in 5 s; the last of .*a \(.*\); because crash: a\.lua:5: attempt to index a nil value"
    for tree, more in ((falls, ""), (falls + ', { id = "m", start = "m.lua" }', 'main = "m.main",'),
                       ('{ id = "m", start = "m.lua" }, { id = "desk", start = { children = { %s } } }' % falls, 'main = "m.main",'),
                       ('{ id = "desk", start = { intensity = 0, children = { { id = "m", start = "m.lua" }, %s } } }' % falls,
                        'main = "desk/m.main",')):
        top = "intensity = 0, " if "desk/" in more else ""
        t.write("x.lua", 'return { name = "x", %s tree = { %schildren = { %s } } }' % (more, top, tree))
        said = t.troupe("run", "x.lua").exits(1).silent().err.splitlines()[-1]
        equal(bool(re.match("troupe: shutdown: more than ", said) and re.search(last, said)), True, said)


@case
def a_stderr_that_nobody_reads_holds_up_nobody(t):
    t.write("says.lua", AGENT % """function agent.on.main(_, n)
  for i = 1, n do print("line " .. i) end
  return troupe.call("b", "ping")
end""")
    t.write("crashes.lua", AGENT % """function agent.on.main()
  for _ = 1, 100 do local _ = troupe.call("b", "crash") end
  return async.retry({ tries = 100 }, troupe.call, "b", "ping")
end""")
    t.write("waits.lua", AGENT % 'function agent.on.main() troupe.part("here\\n") print("x") async.sleep(3600) end')
    t.write("b.lua", AGENT % 'function agent.on.ping() return "pong" end function agent.on.crash() error("boom") end')
    for words, ends in (("says.lua", "300000"), 0), (("crashes.lua",), 0), (("waits.lua",), 130):
        t.write("x.lua", 'return { name = "x", main = "a.main", tree = { intensity = 1000, children = { '
                         '{ id = "b", start = "b.lua" }, { id = "a", start = "%s" } } } }' % words[0])
        for options in ("--threads", "1"), ("--threads", "1", "--json"):
            reader, writer = full_pipe()
            process = t.start("run", *options, "x.lua", *words[1:], stderr=writer)
            os.close(writer)
            if ends == 130:
                equal("here" in next_line(process.stdout), True)
                process.send_signal(INTERRUPT)
            ran = t.ended(process, words).exits(ends)
            if ends == 0:
                ran.prints("pong")
            os.close(reader)


@case
def lines_that_found_no_room_on_stderr_are_counted(t):
    t.write("a.lua", AGENT % """function agent.on.main()
  for i = 1, 300000 do print("line " .. i) end
  return "printed"
end""")
    for options, note in ((), r"troupe: (\d+) lines were dropped here: they found no room"), (("--json",), r'\{"dropped":(\d+)\}'):
        reader, writer = full_pipe()
        process = t.start("run", *options, "a.lua", stderr=writer)
        os.close(writer)
        equal("printed" in next_line(process.stdout), True)
        with open(reader, "rb") as pipe:
            said = pipe.read().lstrip(b"-").decode()
        t.ended(process).exits(0)
        dropped = re.search(rf"^{note}$", said, re.M)
        shown = [int(n) for n in re.findall(r"line (\d+)", said)]
        equal((shown[0], shown[-1], len(shown) + int(dropped[1])), (1, len(shown), 300000))
        equal(len(said) > 1 << 20, True)


@case
def who_reads_stderr_slowly_but_steadily_gets_every_line_and_the_reason(t):
    t.write("a.lua", AGENT % """function agent.on.main()
  for i = 1, 60000 do print(("line %-84d"):format(i)) end
  return nil, troupe.error("odd", "that is why")
end""")
    expected = "".join("line %-84d\n" % i for i in range(1, 60001)) + "troupe: odd: that is why (a)\n"
    reader, writer = os.pipe()
    process = t.start("run", "a.lua", stderr=writer)
    os.close(writer)
    said = b""
    while piece := os.read(reader, 1 << 16):
        said += piece
        time.sleep(0.005)
    os.close(reader)
    t.ended(process).exits(1)
    equal(said.decode() == expected, True, said[-300:])
    with open(t.folder / "said", "wb") as file:
        t.troupe("run", "a.lua", stderr=file).exits(1)
    equal((t.folder / "said").read_text() == expected, True)


@case
def no_flood_of_prints_costs_a_crash_or_the_reason_its_line(t):
    t.write("a.lua", AGENT % """function agent.on.main()
  for i = 1, 300000 do print("line " .. i) end
  local _ = troupe.call("b", "crash")
  async.retry({ tries = 100 }, troupe.call, "b", "ping")
  troupe.part("printed\\n")
  return nil, troupe.error("odd", "that is why")
end""")
    t.write("b.lua", AGENT % 'function agent.on.ping() return "pong" end function agent.on.crash() error("boom") end')
    t.write("x.lua", 'return { name = "x", main = "a.main", tree = { children = { { id = "b", start = "b.lua" }, '
                     '{ id = "a", start = "a.lua" } } } }')
    reader, writer = full_pipe()
    process = t.start("run", "x.lua", stderr=writer)
    os.close(writer)
    equal("printed" in next_line(process.stdout), True)
    with open(reader, "rb") as pipe:
        said = pipe.read().decode()
    t.ended(process).exits(1)
    equal(bool(re.search(r"^troupe: \d+ lines were dropped here.*\n(.*\n)*.*b crashed: .*boom", said, re.M)), True, said[-300:])
    equal(said.endswith("\ntroupe: odd: that is why (a)\n"), True, said[-300:])


@case
def a_line_of_any_length_is_written_where_nothing_waits(t):
    t.write("a.lua", AGENT % 'function agent.on.main() print(("x"):rep(2 << 20)) print("y") end')
    equal(t.troupe("run", "a.lua").exits(0).err == "x" * (2 << 20) + "\ny\n", True)


@case
def a_stderr_that_does_not_block_loses_nothing(t):
    t.write("a.lua", AGENT % """function agent.on.main()
  for i = 1, 10000 do print("line " .. i) end
  return "printed"
end""")
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    process = t.start("run", "a.lua", stderr=writer)
    os.close(writer)
    equal("printed" in next_line(process.stdout), True)
    with open(reader, "rb") as pipe:
        equal(pipe.read().decode() == "".join(f"line {i}\n" for i in range(1, 10001)), True)
    t.ended(process).exits(0)


@case
def a_reader_that_pauses_gets_everything(t):
    t.write("a.lua", AGENT % """function agent.on.main()
  for i = 1, 100 do troupe.part("line " .. i .. "\\n") end
  return "done"
end""")
    reader, writer = full_pipe()
    process = t.start("run", "a.lua", stdout=writer)
    os.close(writer)
    with open(reader, "rb") as pipe:
        equal(pipe.read().lstrip(b"-").decode(), "".join(f"line {i}\n" for i in range(1, 101)) + "done\n")
    t.ended(process).exits(0)


@case
def what_agents_say_does_not_steer_the_terminal_and_forges_no_line(t):
    t.write("a.lua", AGENT % """function agent.on.main(_, how)
  if how == "fail" then return nil, troupe.error("odd\\n12:00:00 forged", "\\27[2Jx") end
  troupe.progress(0.5, "\\27[2Jhalf\\n12:00:00 forged")
  print("\\27[2Jup\\n\\tdown")
  return "done"
end
function agent.on.crash() error(troupe.error("odd\\n12:00:00 forged", "\\27[2Jx")) end
""")
    def on_terminal(*words):
        return t.on_terminal(*words).err
    said = on_terminal("run", "a.lua")
    equal("\x1b[2J" in said or "\n12:00" in said, False, said)
    for part in " 50 % a: \\u001b[2Jhalf\\n12:00:00 forged", "\\u001b[2Jup\n\tdown\n":
        equal(part in said, True, f"{part!r} in {said!r}")
    failure = "troupe: odd\\n12:00:00 forged: \\u001b[2Jx (a)\n"
    equal(on_terminal("run", "a.lua", "fail"), failure)
    equal(t.troupe("run", "a.lua", "fail").exits(1).err, failure)
    equal(t.troupe("run", "a.lua").exits(0).err, "\x1b[2Jup\n\tdown\n", "what is no terminal gets it as it is")
    t.write("x.lua", 'return { name = "x", main = "m.main", tree = { intensity = 3, children = { '
                     '{ id = "a", start = "a.lua" }, { id = "m", start = "m.lua" } } } }')
    t.write("m.lua", AGENT % 'function agent.on.main() troupe.call("a", "crash") async.sleep(3600) end')
    process = t.start("run", "x.lua")
    when_it_says(process, r"a crashed: odd\n12:00:00 forged: \u001b[2Jx")
    process.send_signal(INTERRUPT)
    t.ended(process).exits(130)


main()
