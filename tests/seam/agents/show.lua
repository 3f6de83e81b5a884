-- SPDX-License-Identifier: Apache-2.0
-- A value as text that tells apart what arrives as different things: 3 and 3.0, list and map, null.
local json = require("troupe.json")

local function show(v)
  if v == json.null then return "null" end
  local kind = math.type(v) or type(v)
  if kind == "integer" then return ("%d"):format(v) end
  if kind == "float" then return v ~= v and "NaN" or ("%a"):format(v) end
  if kind == "string" then return ("%q"):format(v) end
  if kind ~= "table" then return tostring(v) end
  if next(v) == nil then return (json.encode(v)) end
  local members = {}
  for key, member in pairs(v) do members[#members + 1] = "[" .. show(key) .. "]=" .. show(member) end
  table.sort(members)
  return "{" .. table.concat(members, ",") .. "}"
end

return show
