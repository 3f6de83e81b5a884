-- SPDX-License-Identifier: Apache-2.0
-- Answers some verbs while another message waits.
local agent = require("troupe").agent {
  needs = { call = { "*" } },
  options = { may_ignore = false },
  concurrent = { "echo", "later", "parts" },
}
require("acts").install(agent)
return agent
