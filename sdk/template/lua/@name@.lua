-- @name@: an agent that counts.          troupe run @name@.lua 2 3
local troupe = require("troupe")

local agent = troupe.agent {
  options = { from = 0 },                                    -- defaults; the child spec's options override them
}

function agent.on_start(self)
  self.state.total = self.options.from
end

function agent.on.add(self, n)
  if math.type(n) ~= "integer" then
    return nil, troupe.error("bad_argument", "add: expected an integer")   -- the caller's error, no crash
  end
  self.state.total = self.state.total + n
  return self.state.total
end

function agent.on.total(self) return self.state.total end

-- Arguments of the command line arrive as strings.
function agent.on.run(self, ...)
  for _, text in ipairs { ... } do
    local n, err = agent.on.add(self, math.tointeger(tonumber(text)))
    if not n then return nil, err end
  end
  return self.state.total
end

agent.on.main = agent.on.run
return agent
