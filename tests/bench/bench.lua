-- SPDX-License-Identifier: Apache-2.0
-- troupe run bench.lua WHAT [NUMBER...]: see driver.lua
return {
  name = "bench",
  grants = { spawn = 200000 },
  tree = {
    strategy = "one_for_one", intensity = 1000000, period = 3600,
    children = {
      { id = "watcher", start = "watcher.lua" },
      { id = "victim", start = "victim.lua" },
      { id = "driver", start = "driver.lua", restart = "temporary" },
    },
  },
  main = "driver.main",
}
