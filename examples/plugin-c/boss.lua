-- SPDX-License-Identifier: Apache-2.0
-- Has the words of a sentence summed in three places, which must agree.
local troupe = require("troupe")
local tool = require("troupe.tool")

local agent = troupe.agent { needs = { call = { "here", "apart" }, tools = { "checksum.crc32" } } }

local function sum_at(who, words)
  for _, word in ipairs(words) do
    local sum, err = troupe.call(who, "add", word)
    if not sum then return nil, err end
  end
  return troupe.call(who, "sum")
end

function agent.on.run(_, ...)
  local words = { ... }
  if #words == 0 then words = { "let it ", "crash" } end
  local here, err = sum_at("here", words)
  if not here then return nil, err end
  local apart, failed = sum_at("apart", words)
  if not apart then return nil, failed end
  local tools, wrong = tool.call("checksum.crc32", { text = table.concat(words) })
  if not tools then return nil, wrong end
  return ("in the node %08x, in a process %08x, by the tool %08x"):format(here, apart, tools)
end

return agent
