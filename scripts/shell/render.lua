-- SPDX-License-Identifier: Apache-2.0
-- Values as a person reads them at the prompt: short ones on one line, tables with sorted keys, never endless.

local MAX_DEPTH, MAX_ENTRIES, MAX_TEXT, WIDTH = 6, 60, 2000, 96

local function quoted(text)
  if #text > MAX_TEXT then text = text:sub(1, MAX_TEXT) .. "... (" .. #text .. " bytes)" end
  return string.format("%q", text):gsub("\\\n", "\\n"):gsub("\r", "\\r"):gsub("\0", "\\0")
end

-- What does not print itself: marks of maps and lists (troupe.json) do not count.
local function is_plain_table(v)
  return type(v) == "table" and (getmetatable(v) == nil or tostring(v):find("^table: ") ~= nil)
end

local function key_text(k)
  if type(k) == "string" and k:match("^[%a_][%w_]*$") then return k end
  if type(k) == "string" then return "[" .. quoted(k) .. "]" end
  return "[" .. tostring(k) .. "]"
end

local function by_kind_and_value(a, b)
  if type(a) ~= type(b) then return type(a) == "number" end
  if type(a) == "number" or type(a) == "string" then return a < b end
  return tostring(a) < tostring(b)
end

local function render(v, depth, seen)
  if type(v) == "string" then return (quoted(v)) end
  if not is_plain_table(v) then return tostring(v) end
  if seen[v] then return "{...}" end
  if depth > MAX_DEPTH then return "{...}" end
  seen[v] = true
  local parts, keys = {}, {}
  local n = #v
  for i = 1, math.min(n, MAX_ENTRIES) do parts[#parts + 1] = render(v[i], depth + 1, seen) end
  for k in pairs(v) do
    if not (math.type(k) == "integer" and k >= 1 and k <= n) then keys[#keys + 1] = k end
  end
  table.sort(keys, by_kind_and_value)
  for i, k in ipairs(keys) do
    if i > MAX_ENTRIES then break end
    parts[#parts + 1] = key_text(k) .. " = " .. render(v[k], depth + 1, seen)
  end
  local hidden = math.max(0, n - MAX_ENTRIES) + math.max(0, #keys - MAX_ENTRIES)
  if hidden > 0 then parts[#parts + 1] = "... " .. hidden .. " more" end
  seen[v] = nil
  if #parts == 0 then return "{}" end
  local line = "{ " .. table.concat(parts, ", ") .. " }"
  if #line <= WIDTH and not line:find("\n", 1, true) then return line end
  local indent = ("  "):rep(depth + 1)
  return "{\n" .. indent .. table.concat(parts, ",\n" .. indent) .. "\n" .. ("  "):rep(depth) .. "}"
end

-- All of a list of n values, one below the other.
local function all(values, n)
  local lines = {}
  for i = 1, n do lines[i] = render(values[i], 0, {}) end
  return table.concat(lines, "\n")
end

-- Rows of text as columns; the first row is their head.
local function columns(rows)
  local width = {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do width[i] = math.max(width[i] or 0, utf8.len(cell) or #cell) end
  end
  local lines = {}
  for _, row in ipairs(rows) do
    local cells = {}
    for i, cell in ipairs(row) do
      cells[i] = i == #row and cell or cell .. (" "):rep(width[i] - (utf8.len(cell) or #cell))
    end
    lines[#lines + 1] = table.concat(cells, "  ")
  end
  return table.concat(lines, "\n")
end

return { value = function(v) return render(v, 0, {}) end, all = all, columns = columns }
