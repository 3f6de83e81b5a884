-- SPDX-License-Identifier: Apache-2.0
-- Starts in each way an agent can go wrong.
local troupe = require("troupe")
local async = require("troupe.async")
local agent = troupe.agent { needs = { call = { "*" } }, options = { how = "well", parent = "", size = 1 } }

function agent.on_start(self)
  local how = self.options.how
  if how == "raises" then error("no luck", 0) end
  if how == "fails" then return nil, troupe.error("mine", "nothing to work on") end
  if how == "ignores" then return "ignore" end
  if how == "never" then async.sleep(100000) end
  if how == "spins" then while true do end end
  if how == "hoards" then local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end end
  if how == "calls the spawner" then
    local v, err = troupe.call(self.options.parent, "echo", 1)
    if v == nil then return nil, err end
  end
end
function agent.on.echo(self, v) return v end
function agent.on.spawn(self, spec) return troupe.spawn(spec) end

return agent
