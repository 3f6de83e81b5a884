-- SPDX-License-Identifier: Apache-2.0
--
-- require("troupe.tool"): functions with a schema, for models and for agents.

local _, core = ...
local troupe = require("troupe")
local json = require("troupe.json")

local tool = {}

local keys = { "name", "description", "params", "run" }
local known = { [1] = true }
for _, key in ipairs(keys) do known[key] = true end

--- The arguments of a call by a model or another agent: none is an empty object.
local function arguments(args)
  if args == nil then return json.object() end
  return args
end

function tool.define(form)
  if type(form) ~= "table" then
    error(("bad argument #1 to 'tool.define' (table expected, got %s)"):format(type(form)), 2)
  end
  for key in pairs(form) do
    if not known[key] then
      error(("tool.define: unknown key %q: %s"):format(tostring(key), table.concat(keys, ", ")), 2)
    end
  end
  local description = form[1] or form.description
  if type(description) ~= "string" then error("tool.define: a description, as the first element", 2) end
  if type(form.run) ~= "function" then
    error(("tool.define: run: function expected, got %s"):format(type(form.run)), 2)
  end
  local params = form.params or json.schema({})
  local schema, err = core.schema(params)
  if not schema then error("tool.define: params: " .. err.message, 2) end
  local run = form.run
  return {
    name = form.name,
    description = description,
    params = params,
    run = run,
    --- What a call from outside runs: it may send anything.
    serve = function(self, args)
      args = arguments(args)
      local fits, why = schema:check(args)
      if not fits then return nil, why end
      return run(self, args)
    end,
  }
end

function tool.call(name, args)
  if type(name) ~= "string" or name == "" then
    error(("bad argument #1 to 'tool.call' (name expected, got %s)"):format(type(name)), 2)
  end
  if args ~= nil and type(args) ~= "table" then
    error(("bad argument #2 to 'tool.call' (table expected, got %s)"):format(type(args)), 2)
  end
  local value, err = troupe.call("tool", "call", name, arguments(args))
  -- At the call's own deadline nobody is left to say which tool it was.
  if err and err.code == "timeout" and not err.from then
    err.message = ("tool %s: no answer before the deadline"):format(name)
  end
  return value, err
end

function tool.list() return troupe.call("tool", "list") end

return tool
