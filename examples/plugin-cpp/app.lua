-- SPDX-License-Identifier: Apache-2.0
-- One kind of agent from a plugin, in the node and in a process of its own, and the plugin's tool.
return {
  name = "plugin-cpp",
  plugins = { "build/plugins/primes" },                   -- where `cmake --build build` leaves it
  grants = { tools = { "primes.factors" } },
  tree = {
    children = {
      { id = "here", start = { plugin = "primes", kind = "sieve" }, options = { most = 1000 } },
      { id = "apart", start = { plugin = "primes", kind = "sieve" }, isolate = "process" },
      { id = "boss", start = "boss.lua", restart = "temporary" },
    },
  },
  main = "boss.run",
}
