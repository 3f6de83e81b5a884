-- SPDX-License-Identifier: Apache-2.0
local test = require("troupe.test")
local tool = require("troupe.tool")

test.case("what is written can be read and listed", function(t)
  local folder = t:folder()
  local path = folder .. "/a.txt"
  t:equal(t:ok(tool.call("file.write", { path = path, data = "one\n" })).size, 4)
  t:equal(t:ok(tool.call("file.write", { path = path, data = "two\n", append = true })).size, 8)
  local read = t:ok(tool.call("file.read", { path = path }))
  t:equal(read.data, "one\ntwo\n")
  t:equal(read.eof, true)
  local entries = t:ok(tool.call("file.list", { path = folder })).entries
  t:equal(#entries, 1)
  t:equal({ entries[1].name, entries[1].type, entries[1].size }, { "a.txt", "file", 8 })
end)

test.case("without append the old content is replaced", function(t)
  local path = t:folder() .. "/a.txt"
  t:ok(tool.call("file.write", { path = path, data = "a long one" }))
  t:ok(tool.call("file.write", { path = path, data = "short" }))
  t:equal(tool.call("file.read", { path = path }).data, "short")
end)

test.case("a piece ends at a whole character", function(t)
  local path = t:folder() .. "/a.txt"
  t:ok(tool.call("file.write", { path = path, data = "aé" }))
  t:equal(tool.call("file.read", { path = path, length = 2 }).data, "a")
  t:equal(tool.call("file.read", { path = path, offset = 1 }).data, "é")
end)

test.case("wrong use is refused by name", function(t)
  local folder = t:folder()
  t:fails("not_found", tool.call, "file.read", { path = folder .. "/missing" })
  t:fails("bad_argument", tool.call, "file.read", { path = folder })
  t:fails("bad_argument", tool.call, "file.read", { file = "x" })
  t:fails("bad_argument", tool.call, "file.read", { path = folder .. "/x", offset = -1 })
end)

test.case("an agent reaches only what it is granted", function(t)
  local folder = t:folder()
  t:ok(tool.call("file.write", { path = folder .. "/open.txt", data = "open" }))
  t:ok(tool.call("file.write", { path = folder .. "/shut.txt", data = "shut" }))
  local reader = t:start("test_reader.lua", {
    grants = { tools = { "file.*" }, read = { folder .. "/open.txt" } },
  })
  t:equal(t:ok(t:call(reader, "read", folder .. "/open.txt")), "open")
  t:fails("denied", t.call, t, reader, "read", folder .. "/shut.txt")
  t:fails("denied", t.call, t, reader, "read", folder .. "/open.txt/../shut.txt")
  t:fails("denied", t.call, t, reader, "write", folder .. "/open.txt")
end)

test.done()
