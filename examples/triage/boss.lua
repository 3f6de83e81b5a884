-- SPDX-License-Identifier: Apache-2.0
-- Reads the log in chunks of whole lines, hands them to the members, adds up what they find, and writes the
-- report. A chunk whose member crashed is sent again, so that none is lost.
local troupe = require("troupe")
local async, llm, tool = require("troupe.async"), require("troupe.llm"), require("troupe.tool")
local formats, sample = require("formats"), require("sample")

local agent = troupe.agent {
  needs = {
    llm = { "default" }, tools = { "file.read", "file.write" }, call = { "members" },
    read = { "/*" }, write = { "/*" }, optional = { "read", "write" },
  },
  options = {
    log = troupe.required("string"), makes_sample = false, report = troupe.required("string"),
    members = 8, model = "", scripted = false,
  },
}

local PIECE = 256 * 1024

-- 20000 as "20 000"
local function spaced(n)
  local text = tostring(n):reverse():gsub("(%d%d%d)", "%1 "):reverse()
  return (text:gsub("^ ", ""))
end

local function counted(n, one, many) return spaced(n) .. " " .. (n == 1 and one or many) end

local function make_sample(path)
  local is_first = true
  for piece in sample.pieces() do
    local _, err = tool.call("file.write", { path = path, data = piece, append = not is_first })
    if err then return nil, err end
    is_first = false
  end
  return true
end

-- An iterator over { first, text, torn }: whole lines, at most PIECE bytes of them. A line longer than that is
-- left out and counted in `torn`.
local function chunks(path)
  local offset, rest, first, is_over = 0, "", 1, false
  return function()
    local torn = 0
    while true do
      if is_over then
        if rest == "" then return torn > 0 and { first = first, text = "", torn = torn } or nil end
        rest = rest .. "\n"                             -- a last line without its newline
      else
        local read, err = tool.call("file.read", { path = path, offset = offset, length = PIECE })
        if not read then error(err) end
        offset = offset + #read.data
        is_over = read.eof
        rest = rest .. read.data
      end
      local behind = rest:reverse():find("\n", 1, true)    -- no pattern: a line may be as long as all that is read
      if behind then
        local text = rest:sub(1, #rest - behind + 1)
        rest = rest:sub(#text + 1)
        local _, lines = text:gsub("\n", "")
        local chunk = { first = first, text = text, torn = torn, lines = lines }
        first = first + lines
        return chunk
      elseif #rest > PIECE then                         -- one endless line: skip to its end
        torn, first, rest = torn + 1, first + 1, ""
        repeat
          local read, err = tool.call("file.read", { path = path, offset = offset, length = PIECE })
          if not read then error(err) end
          local at = read.data:find("\n", 1, true)
          offset = offset + (at or #read.data)
          is_over = read.eof and not at
        until at or is_over
      end
    end
  end
end

local function add(total, found)
  total.lines = total.lines + found.lines
  total.problems = total.problems + found.problems
  for _, number in ipairs(found.malformed) do total.malformed[#total.malformed + 1] = number end
  for group, n in pairs(found.groups) do total.groups[group] = (total.groups[group] or 0) + n end
  for _, line in ipairs(found.examples) do total.examples[#total.examples + 1] = line end
end

local function sorted_groups(groups)
  local names = {}
  for name in pairs(groups) do names[#names + 1] = name end
  table.sort(names, function(a, b)
    if groups[a] ~= groups[b] then return groups[a] > groups[b] end
    return a < b
  end)
  return names
end

local function paragraph(self, total, names)
  local facts = {}
  for i = 1, math.min(#names, 12) do facts[i] = names[i] .. ": " .. total.groups[names[i]] end
  local chat = llm.chat {
    model = "default",
    system = "You summarise log files for operators. One short paragraph, no lists.",
    max_tokens = 200,
  }
  local reply, err = chat:ask("A log of " .. total.lines .. " lines, " .. #total.malformed ..
    " malformed, " .. total.problems .. " that tell of problems. Lines per group: " ..
    table.concat(facts, ", ") .. ".", { timeout = 120 })
  if not reply then return nil, err end
  return (self.options.scripted and "[scripted] " or "") .. reply.text, nil, reply.usage
end

local function report(self, format, total, names, text, usage)
  local out = {
    "# Triage of " .. self.options.log, "",
    text, "",
    "| | |", "|---|---|",
    "| format | " .. format .. " |",
    "| lines | " .. total.lines .. " |",
    "| malformed | " .. #total.malformed .. " |",
    "| lines that tell of problems | " .. total.problems .. " |",
    "| model | " .. self.options.model .. " |",
    usage and "| tokens | " .. usage.input .. " in, " .. usage.output .. " out |" or "| tokens | none |",
    "", "## Groups", "", "| group | lines |", "|---|---:|",
  }
  for _, name in ipairs(names) do
    out[#out + 1] = "| " .. name:gsub("|", "\\|") .. " | " .. total.groups[name] .. " |"
  end
  if #total.malformed > 0 then
    table.sort(total.malformed)
    out[#out + 1] = "\n## Malformed lines\n"
    out[#out + 1] = table.concat(total.malformed, ", ", 1, math.min(#total.malformed, 100)) ..
      (#total.malformed > 100 and " and " .. #total.malformed - 100 .. " more" or "")
  end
  if #total.examples > 0 then
    out[#out + 1] = "\n## Some lines that tell of problems\n\n```text"
    table.sort(total.examples, function(a, b)
      return math.tointeger(a:match("^%d+")) < math.tointeger(b:match("^%d+"))
    end)
    for i = 1, math.min(#total.examples, 10) do out[#out + 1] = total.examples[i] end
    out[#out + 1] = "```"
  end
  return table.concat(out, "\n") .. "\n"
end

function agent.on.run(self)
  local o = self.options
  if o.makes_sample then
    local _, err = make_sample(o.log)
    if err then return nil, err end
  end
  local head, err = tool.call("file.read", { path = o.log, offset = 0, length = 65536 })
  if not head then return nil, err end
  local format = formats.detect(head.data)
  local total = { lines = 0, problems = 0, malformed = {}, groups = {}, examples = {} }
  local restarts, lost, lenient = 0, 0, false
  if o.makes_sample then
    print("triage: " .. counted(sample.lines, "line", "lines") .. ", " .. o.members .. " members, model: " .. o.model)
  else
    print("triage: " .. o.log .. ", " .. spaced(head.size) .. " bytes, " .. o.members .. " members, model: " .. o.model)
  end

  local function count(chunk)
    for _ = 1, 5 do
      local found, why = troupe.call("members", "count", format, chunk.first, chunk.text, lenient)
      if found then return found end
      if why.code ~= "down" then return nil, why end
      restarts = restarts + 1
      lenient = true                                    -- one crash shows the point
    end
    return nil, troupe.error("failed", "the chunk at line " .. chunk.first .. " could not be counted")
  end

  local done = 0
  for chunk, found, why in async.map(chunks(o.log), count, { limit = o.members }) do
    for i = 1, chunk.torn do
      total.lines = total.lines + 1
      total.malformed[#total.malformed + 1] = chunk.first - chunk.torn + i - 1
    end
    if found then
      add(total, found)
    else
      lost = lost + chunk.lines
      print("triage: " .. tostring(why))
    end
    done = done + #chunk.text
    troupe.progress(math.min(1, done / math.max(1, head.size)), spaced(total.lines) .. " lines")
  end

  local names = sorted_groups(total.groups)
  local text, trouble, usage = paragraph(self, total, names)
  if not text then
    print("triage: the model gave no answer: " .. tostring(trouble))
    text = "(The model gave no answer: " .. trouble.code .. ".)"
  end
  local _, failed = tool.call("file.write", { path = o.report, data = report(self, format, total, names, text, usage) })
  if failed then return nil, failed end
  print(table.concat({
    counted(total.lines, "line", "lines"), spaced(#total.malformed) .. " malformed",
    counted(#names, "group", "groups"), counted(restarts, "restart", "restarts"), spaced(lost) .. " lost",
  }, ", "))
  return o.report
end

return agent
