-- SPDX-License-Identifier: Apache-2.0
-- One kind of agent from a plugin, in the node and in a process of its own, and the plugin's tool.
return {
  name = "plugin-c",
  plugins = { "build/plugins/checksum" },                 -- where `cmake --build build` leaves it
  grants = { tools = { "checksum.crc32" } },
  tree = {
    children = {
      { id = "here", start = { plugin = "checksum", kind = "crc32" } },
      { id = "apart", start = { plugin = "checksum", kind = "crc32" }, isolate = "process" },
      { id = "boss", start = "boss.lua", restart = "temporary" },
    },
  },
  main = "boss.run",
}
