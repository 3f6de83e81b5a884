-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local async = require("troupe.async")

--- Starts an agent, makes it do `verb` for ever, and kills it while another answers.
local function kill_while(t, verb)
  local a, id = t:start("plain", { shutdown = "brutal_kill" })
  local b = t:start("plain")
  local watch = troupe.monitor(a)
  troupe.send(a, verb)
  for i = 1, 20 do t:equal(t:call(b, "echo", i), i) end
  t:stop(id)
  t:equal(t:reason(watch).code, "killed")
  t:equal(t:call(b, "echo", 1), 1)
end

return function(case)
  case("an agent in an endless loop can be killed, and others answer meanwhile", function(t) kill_while(t, "spin") end)

  case("an endless loop whose handler loops as well can be killed", function(t) kill_while(t, "spin_protected") end)

  case("an endless loop around pcall can be killed", function(t) kill_while(t, "spin_pcall") end)

  case("a pattern that would match for ever is an error, and others answer meanwhile", function(t)
    local a, b = t:start("plain"), t:start("plain")
    local matching = async.run(troupe.call, a, "match_for_ever")
    for i = 1, 20 do t:equal(t:call(b, "echo", i), i) end
    local _, err = matching:wait()
    t:equal({ err.code, err.cause.code }, { "down", "limit" })
  end)

  case("an agent that waits in an endless loop can be killed", function(t) kill_while(t, "hold_on") end)

  case("a stop in order ends an endless loop too, when its time is over", function(t)
    if t.placement == "simulation" then t:skip("virtual time stands still while anyone computes") end
    local a, id = t:start("plain", { shutdown = 0.2 })
    local watch = t:monitor(a)
    troupe.send(a, "spin")
    t:stop(id)
    t:ok(t:reason(watch))
  end)

  case("an agent above its memory ends with the limit, and only it", function(t)
    local a, b = t:start("plain", { limits = { memory = 4 << 20 } }), t:start("plain")
    local err = t:refused(a, "hoard")
    t:equal({ err.code, err.cause.code, err.cause.data.what }, { "down", "limit", "memory" })
    t:equal(t:call(b, "echo", 1), 1)
  end)

  case("an agent that catches its memory limit is not killed by what it let go", function(t)
    local a = t:start("plain", { limits = { memory = 4 << 20 } })
    t:equal(t:call(a, "hoard_protected"), false)
    t:equal(t:call(a, "echo", 1), 1)
  end)

  case("a recursion without end is a crash of its agent alone", function(t)
    local a, b = t:start("plain"), t:start("plain")
    t:equal(t:refused(a, "recurse").code, "down")
    t:equal(t:call(b, "echo", 1), 1)
  end)

  case("a yield that leads nowhere is an error in the agent", function(t)
    local a = t:start("plain")
    local err = t:refused(a, "yield")
    t:equal({ err.code, err.cause.code }, { "down", "crash" })
  end)

  case("an agent's own coroutines work, and calls inside them", function(t)
    local a, b = t:start("plain"), t:start("plain")
    t:equal(t:call(a, "generate"), 55)
    t:equal(t:call(a, "call_inside", b), "from inside")
  end)
end
