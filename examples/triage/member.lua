-- SPDX-License-Identifier: Apache-2.0
-- One of the pool: counts a chunk of whole lines. A line that is not UTF-8 crashes it, as a bug would; the
-- supervisor starts it anew, and the boss sends the chunk again.
local troupe = require("troupe")
local formats = require("formats")

local agent = troupe.agent {}

-- format: a name from formats.lua. first: number of the chunk's first line. lenient: count what is not UTF-8
-- as malformed instead of crashing on it.
function agent.on.count(self, format, first, text, lenient)
  local parse = formats.parsers[format]
  local found = { lines = 0, malformed = {}, groups = {}, problems = 0, examples = {} }
  local number = first - 1
  for line in text:gmatch("([^\n]*)\n") do
    number = number + 1
    found.lines = found.lines + 1
    local is_text = utf8.len(line)
    if not is_text and not lenient then
      error(troupe.error("bad_line", "line " .. number .. " is not UTF-8", { line = number }))
    end
    local group, problem
    if is_text and not line:find("\0", 1, true) then group, problem = parse(line) end
    if group then
      found.groups[group] = (found.groups[group] or 0) + 1
      if problem then
        found.problems = found.problems + 1
        if #found.examples < 3 then found.examples[#found.examples + 1] = number .. ": " .. line:sub(1, 200) end
      end
    else
      found.malformed[#found.malformed + 1] = number
    end
  end
  return found
end

return agent
