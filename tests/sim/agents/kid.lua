-- SPDX-License-Identifier: Apache-2.0
-- What others spawn.
local agent = require("troupe").agent { needs = { call = { "*" } }, options = { may_ignore = true } }
require("acts").install(agent)
return agent
