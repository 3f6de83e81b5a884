-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent {}

function agent.on.echo(self, x) return x end

local seen = 0
function agent.on.add(self, n) seen = seen + 1 end
function agent.on.seen(self) return seen end

return agent
