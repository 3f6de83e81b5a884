-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent {}
function agent.on.main() return "hello" end
return agent
