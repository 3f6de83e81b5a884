-- SPDX-License-Identifier: Apache-2.0
--   troupe test test.lua
local test = require("troupe.test")
local troupe, tool = require("troupe"), require("troupe.tool")
local formats = require("formats")

local SYSLOG = "Nov 20 09:14:02 host sshd[811]: Accepted publickey\n"
local NGINX = '203.0.113.9 - - [20/Nov/2026:09:14:02 +0000] "GET / HTTP/1.1" 200 612 "-" "curl"\n'

test.case("the format is what most of the first lines are", function(t)
  t:equal(formats.detect(SYSLOG:rep(10) .. "-- torn\n"), "syslog")
  t:equal(formats.detect(NGINX), "nginx")
  t:equal(formats.detect('{"level":"info","msg":"x"}\n'), "json")
  t:equal(formats.detect("2026-11-20 13:22:01 status installed x:amd64 1.0\n"), "dpkg")
  t:equal(formats.detect("Commandline: apt-get install x\nStart-Date: 2026-11-20\n"), "fields")
  t:equal(formats.detect("once upon a time\n"), "plain")
  t:equal(formats.detect(""), "plain")
end)

test.case("less than half the lines make no format", function(t)
  t:equal(formats.detect(SYSLOG .. ("once upon a time\n"):rep(2)), "plain")
end)

test.case("each format names the group of a line and tells problems", function(t)
  local function parsed(format, line) return { formats.parsers[format](line) } end
  t:equal(parsed("syslog", "Nov 20 09:14:02 host cron[1]: job failed"), { "cron", true })
  t:equal(parsed("nginx", (NGINX:gsub(" 200 ", " 503 "))), { "503", true })
  t:equal(parsed("json", '{"level":"ERROR"}'), { "error", true })
  t:equal(parsed("json", "no json"), {})
  t:equal(parsed("plain", ""), { "(empty)", false })
end)

local function pool(t, size) return t:start("member.lua", { id = "members", pool = { size = size, queue = 100 } }) end

test.case("a member counts groups, problems and malformed lines by their numbers", function(t)
  local member = t:start("member.lua")
  local found = t:ok(t:call(member, "count", "syslog", 100,
    SYSLOG .. "-- torn\n" .. SYSLOG:gsub("Accepted publickey", "Failed password") ))
  t:equal(found.lines, 3)
  t:equal(found.groups, { sshd = 2 })
  t:equal(found.malformed, { 101 })
  t:equal(found.problems, 1)
  t:ok(found.examples[1]:find("^102: "), found.examples[1])
end)

test.case("a line that is not UTF-8 crashes a member, and its pool heals", function(t)
  local members = pool(t, 2)
  local text = SYSLOG .. "\xff\xfe\n"
  local err = t:fails("down", t.call, t, members, "count", "syslog", 1, text)
  t:ok(tostring(err):find("line 2 is not UTF-8", 1, true), tostring(err))
  t:equal(t:ok(t:call(members, "count", "syslog", 1, text, true)).malformed, { 2 })
  t:equal(#t:events("crashed"), 1)
  t:equal(#t:events("restarted"), 1)
end)

test.case("the boss loses no line and writes its report", function(t)
  local log, report = t:folder() .. "/x.log", t:folder() .. "/report.md"
  t:ok(tool.call("file.write", { path = log, data = SYSLOG:rep(3000) .. "\xff\xfe\n-- torn\n" .. SYSLOG:rep(3000) }))
  t:model { "All is well." }
  pool(t, 3)
  local boss = t:start("boss.lua", { options = { log = log, report = report, members = 3 } })
  t:equal(t:ok(troupe.call(boss, "run")), report)
  local text = t:ok(tool.call("file.read", { path = report })).data
  for _, line in ipairs { "All is well.", "| lines | 6002 |", "| malformed | 2 |", "| sshd | 6000 |", "3001, 3002" } do
    t:ok(text:find(line, 1, true), "the report does not say " .. line .. ":\n" .. text)
  end
  t:equal(#t:events("restarted"), 1)
end)

test.case("the report is written without a model, too", function(t)
  local log, report = t:folder() .. "/x.log", t:folder() .. "/report.md"
  t:ok(tool.call("file.write", { path = log, data = SYSLOG }))
  t:model { { fail = { status = 401 } } }
  pool(t, 1)
  local boss = t:start("boss.lua", { options = { log = log, report = report, members = 1 } })
  t:ok(troupe.call(boss, "run"))
  t:ok(t:ok(tool.call("file.read", { path = report })).data:find("The model gave no answer: unauthorized", 1, true))
end)

test.done()
