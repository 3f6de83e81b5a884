-- SPDX-License-Identifier: Apache-2.0
-- Never comes back from its first message.
local troupe = require("troupe")
local async = require("troupe.async")
local agent = troupe.agent {}

function agent.on.never() async.sleep(100000) end

return agent
