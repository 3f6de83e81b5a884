-- SPDX-License-Identifier: Apache-2.0
-- troupe run bench.lua WHAT [NUMBER...]: see driver.lua. `--set crowd=N`: with so many other agents at rest.
return {
  name = "bench",
  options = { crowd = 0 },
  grants = { spawn = 200000 },
  tree = {
    strategy = "one_for_one", intensity = 1000000, period = 3600,
    children = {
      { id = "watcher", start = "watcher.lua" },
      { id = "victim", start = "victim.lua" },
      { id = "driver", start = "driver.lua", restart = "temporary", options = { crowd = option("crowd") } },
    },
  },
  main = "driver.main",
}
