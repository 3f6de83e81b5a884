-- SPDX-License-Identifier: Apache-2.0
-- A tree that crashes on purpose and heals.          troupe run supervision.lua
return {
  name = "supervision",
  tree = {
    strategy = "one_for_one", intensity = 5, period = 10,
    children = {
      { id = "boss", start = "boss.lua", restart = "temporary" },
      -- Restarted alone.
      { id = "counter", start = "part.lua" },
      -- They share what they do: when one crashes, both begin anew.
      {
        id = "desk",
        start = {
          strategy = "one_for_all", intensity = 5, period = 10,
          children = {
            { id = "writer", start = "part.lua" },
            { id = "editor", start = "part.lua" },
          },
        },
      },
      -- Its supervisor bears one crash in 10 s. At the second it gives up and is restarted itself.
      {
        id = "ward",
        start = {
          strategy = "one_for_one", intensity = 1, period = 10,
          children = { { id = "patient", start = "part.lua" } },
        },
      },
    },
  },
  main = "boss.run",
}
