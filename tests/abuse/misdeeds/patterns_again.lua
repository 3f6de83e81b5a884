-- Searches for patterns that take for ever, and takes no notice of the error.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  while true do
    pcall(string.match, ("x"):rep(2000), (".-"):rep(6) .. "b")
    pcall(string.gsub, ("x"):rep(10000), (".-"):rep(5) .. "b", "")
    pcall(string.find, ("("):rep(500000), "%b()")
  end
end

return agent
