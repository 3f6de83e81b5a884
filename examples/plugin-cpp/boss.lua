-- SPDX-License-Identifier: Apache-2.0
-- Asks both sieves and the tool about a number.
local troupe = require("troupe")
local tool = require("troupe.tool")

local agent = troupe.agent { needs = { call = { "here", "apart" }, tools = { "primes.factors" } } }

function agent.on.run(_, text)
  local number = math.tointeger(tonumber(text or "1000"))
  local lines = {}
  for _, who in ipairs { "here", "apart" } do
    local n, err = troupe.call(who, "count", number)
    lines[#lines + 1] = who .. ": " .. (n and n .. " primes up to " .. number or tostring(err))
  end
  local factors, err = tool.call("primes.factors", { number = number })
  lines[#lines + 1] = "factors: " .. (factors and table.concat(factors, " ") or tostring(err))
  return table.concat(lines, "\n")
end

return agent
