-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local async = require("troupe.async")

return function(case)
  case("a timer calls a verb of the agent's own, once, with its arguments", function(t)
    local a = t:start("timers")
    t:call(a, "after", 0.01, "hello")
    t:eventually(function() return #t:call(a, "heard") == 1 end)
    async.sleep(0.05)
    t:equal(t:call(a, "heard"), { "hello" })
  end)

  case("a timer that was cancelled does not tick", function(t)
    local a = t:start("timers")
    t:equal(t:call(a, "after_and_cancel", 0.02), { true, false })
    t:eventually(function() return #t:call(a, "heard") > 0 end)
    t:equal(t:call(a, "heard"), { "later" })
  end)

  case("a timer ticks again and again until it is cancelled", function(t)
    local a = t:start("timers")
    t:call(a, "three_times", 0.01)
    t:eventually(function() return #t:call(a, "heard") == 3 end)
    async.sleep(0.05)
    t:equal(#t:call(a, "heard"), 3)
  end)

  case("times that are no times are refused, endless ones are accepted", function(t)
    local a = t:start("timers")
    for _, name in ipairs { "after", "every", "sleep", "timeout" } do
      for _, wrong in ipairs { -1, 0 / 0, "soon" } do
        t:ok(t:call(a, "try", name, wrong, "tick") ~= "accepted", name .. " took " .. tostring(wrong))
      end
    end
    t:equal(t:call(a, "try", "after", math.huge, "tick"), "accepted")
    t:equal(t:call(a, "try", "every", 1e300, "tick"), "accepted")
    t:equal(t:call(a, "try", "timeout", math.huge), "accepted")
    t:equal(t:call(a, "try", "sleep", 0), "accepted")
    t:equal(t:call(a, "heard"), {})
  end)

  case("a timer needs a verb of agent.own", function(t)
    t:matches(t:call(t:start("timers"), "try", "after", 1, "tock"), "there is no agent.own.tock")
  end)
end
