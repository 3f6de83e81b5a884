-- SPDX-License-Identifier: Apache-2.0
-- Serves one message at a time and ends with those it is tied to.
local agent = require("troupe").agent { needs = { call = { "*" } }, options = { may_ignore = false } }
require("acts").install(agent)
return agent
