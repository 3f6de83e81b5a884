-- SPDX-License-Identifier: Apache-2.0
--
-- require("troupe.group"): agents that answer to one name, kept by the directory.

local troupe = require("troupe")
local async = require("troupe.async")

local group = {}

local function name_of(name, binding)
  if type(name) ~= "string" or name == "" then
    error(("bad argument #1 to 'group.%s' (name expected, got %s)"):format(binding, type(name)), 3)
  end
  return name
end

function group.join(name) return troupe.call("directory", "join", name_of(name, "join")) end

function group.leave(name) return troupe.call("directory", "leave", name_of(name, "leave")) end

function group.members(name) return troupe.call("directory", "members", name_of(name, "members")) end

--- Errors after which another member may still answer: nothing was done by this one.
local elsewhere = { no_such_agent = true, overloaded = true, peer_lost = true }

function group.call_any(name, verb, ...)
  local members, err = group.members(name_of(name, "call_any"))
  if not members then return nil, err end
  err = troupe.error("no_such_agent", "the group " .. name .. " has no members")
  while #members > 0 do
    local member = table.remove(members, math.random(#members))
    local value, why = troupe.call(member, verb, ...)
    if value ~= nil or why == nil then return value end
    if not elsewhere[why.code] then return nil, why end
    err = why
  end
  return nil, err
end

function group.call_all(name, verb, ...)
  local members, err = group.members(name_of(name, "call_all"))
  if not members then return nil, err end
  local arguments = table.pack(...)
  local calls = {}
  for i, member in ipairs(members) do
    calls[i] = function()
      local value, why = troupe.call(member, verb, table.unpack(arguments, 1, arguments.n))
      return { from = member, value = value, err = why }
    end
  end
  return async.all(calls)
end

return group
