-- SPDX-License-Identifier: Apache-2.0
-- What a line of a log is: each parser returns the group that the line belongs to and whether it tells of a
-- problem, or nil if the line is malformed in that format.
local json = require("troupe.json")

local parsers = {}

local function is_problem(text)
  text = text:lower()
  return text:find("error", 1, true) or text:find("fail", 1, true) or text:find("panic", 1, true)
    or text:find("denied", 1, true) or text:find("refused", 1, true)
end

-- Nov 20 09:14:02 host sshd[811]: text          2026-11-20T09:14:02.123+00:00 host sshd[811]: text
function parsers.syslog(line)
  local program, text = line:match("^%a%a%a +%d+ %d%d:%d%d:%d%d %S+ ([%w%._/%-]+)[%[:](.*)$")
  if not program then
    program, text = line:match("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%S* %S+ ([%w%._/%-]+)[%[:](.*)$")
  end
  if program then return program, is_problem(text) and true or false end
end

-- 203.0.113.9 - - [20/Nov/2026:09:14:02 +0000] "GET / HTTP/1.1" 200 612 "-" "curl"
function parsers.nginx(line)
  local status = line:match('^%S+ %S+ %S+ %[[^%]]+%] "[^"]*" (%d%d%d) ')
  if status then return status, status >= "500" end
end

-- {"level":"info","msg":"..."}
function parsers.json(line)
  local record = json.decode(line)
  if type(record) ~= "table" then return nil end
  local level = record.level or record.severity or record.lvl or "no level"
  if type(level) ~= "string" then level = tostring(level) end
  level = level:lower()
  return level, level == "error" or level == "fatal" or level == "critical"
end

-- 2026-11-20 13:22:01 status installed libcaf-dev:amd64 0.17.6-2.1
function parsers.dpkg(line)
  local action, rest = line:match("^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d (%l+) (.+)$")
  if not action then return nil end
  local state = action == "status" and rest:match("^([%l%-]+) ")
  -- Each package is half-installed for a moment: that tells of no problem.
  return state and "status " .. state or action, false
end

-- Commandline: apt-get install x                 (apt's history, and whatever else has `Key: value` lines)
function parsers.fields(line)
  if line == "" then return "(empty)", false end
  local key = line:match("^([%a][%w%-]*): ")
  if key then return key, key == "Error" end
end

-- Anything that is text.
function parsers.plain(line)
  return line == "" and "(empty)" or "text", is_problem(line) and true or false
end

local order = { "json", "nginx", "syslog", "dpkg", "fields" }

-- The format that fits most of the first lines of a text, if it fits at least half of them.
local function detect(text)
  local best, most, lines, from = "plain", 0, 0, 1
  local hits = {}
  while lines < 200 do
    local stop = text:find("\n", from, true)
    if not stop then break end
    local line = text:sub(from, stop - 1)
    lines, from = lines + 1, stop + 1
    if utf8.len(line) then
      for _, name in ipairs(order) do
        if parsers[name](line) then hits[name] = (hits[name] or 0) + 1 end
      end
    end
  end
  for _, name in ipairs(order) do
    local n = hits[name] or 0
    if n > most and n * 2 >= lines then best, most = name, n end
  end
  return best
end

return { parsers = parsers, detect = detect }
