-- SPDX-License-Identifier: Apache-2.0
local test = require("troupe.test")
local tool = require("troupe.tool")

local greeter = { plugin = "hello_cpp", kind = "greeter" }

test.case("the agent greets, and counts whom it greeted", function(t)
  local hello = t:start(greeter)
  t:equal(t:call(hello, "greet", "Ada"), "Hello, Ada!")
  t:equal(t:call(hello, "greet", "Bob"), "Hello, Bob!")
  t:equal(t:call(hello, "count"), 2)
end)

test.case("the greeting is an option", function(t)
  local hello = t:start(greeter, { options = { greeting = "Moin" } })
  t:equal(t:call(hello, "greet", "Ada"), "Moin, Ada!")
end)

test.case("nobody can't be greeted", function(t)
  local hello = t:start(greeter)
  t:fails("bad_argument", t.call, t, hello, "greet")
  t:fails("bad_argument", t.call, t, hello, "greet", "")
  t:fails("unknown_verb", t.call, t, hello, "shout")
  t:equal(t:call(hello, "count"), 0)
end)

test.case("the tool greets by name", function(t)
  t:equal(t:ok(tool.call("hello_cpp.greet", { name = "Ada" })), "Hello, Ada!")
  t:fails("bad_argument", tool.call, "hello_cpp.greet", { nam = "Ada" })
end)

test.done()
