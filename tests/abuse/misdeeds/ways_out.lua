-- Tries the known ways out of a Lua sandbox.
-- ends: normal
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local function gone(name) assert(rawget(_G, name) == nil and _G[name] == nil, name) end
  for _, name in ipairs { "io", "os", "package", "dofile", "loadfile", "loadstring", "module", "jit", "ffi" } do gone(name) end
  for name in pairs(debug) do assert(name == "traceback", name) end
  assert(string.dump == nil and ("").dump == nil)
  -- Bytecode, by whatever name.
  assert(not load("\27Lua"))
  assert(not load("\27Lua", "x", "b"))
  assert(not load("\27Lua", "x", "bt"))
  local sent = false
  assert(not load(function()
    if sent then return nil end
    sent = true
    return "\27Lua"
  end, "x", "b"))
  -- The strings' metatable, and what all share.
  assert(getmetatable("") == false)
  assert(not pcall(setmetatable, "", {}))
  assert(not pcall(setmetatable, {}, { __gc = print }))
  assert(debug.setmetatable == nil and debug.getregistry == nil and debug.getupvalue == nil)
  -- The environment of others.
  local env = setmetatable({}, { __index = function() error("looked up", 0) end })
  assert(not pcall(load("return x", "x", "t", env)))
  assert(require("troupe") == troupe)
  for _, name in ipairs { "io", "os", "../../etc/passwd", "/etc/passwd", "troupe/../../x", "..", "" } do
    assert(not pcall(require, name), name)
  end
  -- Handles are locked, and addresses are not made of text.
  assert(type(getmetatable(troupe.self())) ~= "table")
  assert(not pcall(troupe.send, { 1, 2, 3 }, "ask"))
  assert(not pcall(collectgarbage, "stop"))
  assert(not pcall(collectgarbage, "setpause", 1))
  assert(not pcall(collectgarbage, "generational"))
  troupe.exit()
end

return agent
