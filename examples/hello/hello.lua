-- SPDX-License-Identifier: Apache-2.0
-- An agent in one file.                  troupe run hello.lua World
local troupe = require("troupe")

local agent = troupe.agent {
  options = { greeting = "Hello" },
}

function agent.on.greet(self, name)
  if name == "" then return nil, "a name, please" end        -- expected failure: the caller's error, no crash
  return self.options.greeting .. ", " .. (name or "whoever you are") .. "!"
end

agent.on.main = agent.on.greet                                -- what `troupe run` calls
return agent
