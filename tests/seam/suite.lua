-- SPDX-License-Identifier: Apache-2.0
-- The agent tests, in one placement:
--
--   troupe run suite.lua --set isolate=process [--set only=TEXT]

return {
  name = "seam",
  options = { isolate = "none", placement = "node", only = "" },
  grants = { call = { "*" }, tools = { "*" }, topics = { "*" }, spawn = 10000 },
  tree = {
    children = {
      {
        id = "driver", start = "driver.lua", restart = "temporary", isolate = option("isolate"),
        options = { isolate = option("isolate"), placement = option("placement"), only = option("only") },
      },
    },
  },
  main = "driver.main",
}
