-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local async = require("troupe.async")

return function(case)
  case("sends to one agent arrive in the order in which they were sent", function(t)
    local a, expected = t:start("plain"), {}
    for i = 1, 200 do
      troupe.send(a, "note", i)
      expected[i] = i
    end
    t:equal(t:call(a, "echo", "after them"), "after them")
    t:equal(t:call(a, "notes"), expected)
  end)

  case("what two senders send keeps the order of each", function(t)
    local a, b, to = t:start("plain"), t:start("plain"), t:start("plain")
    async.all {
      function() t:call(a, "burst", to, "a", 100) return true end,
      function() t:call(b, "burst", to, "b", 100) return true end,
    }
    t:eventually(function() return #t:call(to, "notes") == 200 end)
    local last = { a = 0, b = 0 }
    for _, note in ipairs(t:call(to, "notes")) do
      t:equal(note[2], last[note[1]] + 1, "the next of " .. note[1])
      last[note[1]] = note[2]
    end
  end)

  case("a call overtakes no send before it", function(t)
    local a = t:start("plain")
    for i = 1, 20 do
      troupe.send(a, "note", i)
      t:equal(t:call(a, "echo", i), i)
      t:equal(#t:call(a, "notes"), i)
    end
  end)

  case("a verb that returns nothing answers nil without an error", function(t)
    local v, err = troupe.call(t:start("plain"), "nothing")
    t:equal({ v == nil, err == nil }, { true, true })
  end)

  case("nil and an error is an expected failure: code, message and data arrive, the agent lives", function(t)
    local a, id = t:start("plain")
    local err = t:refused(a, "fail", "mine", "not today", { left = 3 })
    t:equal({ err.code, err.message, err.data.left }, { "mine", "not today", 3 })
    t:matches(err.from, id)
    t:equal(tostring(err), "mine: not today (driver/" .. id .. ")")
    t:equal(t:refused(a, "fail_text", "just text").code, "failed")
    t:equal(t:call(a, "echo", 1), 1)
  end)

  case("an unknown verb fails the call and harms nobody", function(t)
    local a = t:start("plain")
    troupe.send(a, "no_such_verb")
    local err = t:refused(a, "no_such_verb")
    t:equal(err.code, "unknown_verb")
    t:matches(err.message, "no_such_verb")
    t:equal(t:call(a, "echo", 1), 1)
  end)

  case("a verb of agent.own can't be reached from outside, but by the agent itself", function(t)
    local a = t:start("plain")
    t:equal(t:refused(a, "secret", "x").code, "unknown_verb")
    troupe.send(a, "secret", "x")
    t:call(a, "use_secret", "y")
    t:noted(a, "secret: y")
    t:equal(t:call(a, "notes"), { "secret: y" })
  end)

  case("verbs of the runtime and empty names are refused where they are written", function(t)
    local a = t:start("plain")
    for _, args in ipairs { { a, "@stop" }, { a, "" }, { "", "echo" }, { 5, "echo" }, { a } } do
      t:equal((pcall(troupe.call, args[1], args[2])), false)
      t:equal((pcall(troupe.send, args[1], args[2])), false)
    end
  end)

  case("a call to nobody fails at once", function(t)
    t:equal(t:refused("driver/nobody", "echo").code, "no_such_agent")
    t:equal(t:refused("nobody_at_all", "echo").code, "no_such_agent")
  end)

  case("a call to an agent that has ended fails at once", function(t)
    local a, id = t:start("plain")
    t:stop(id)
    local code = t:refused(a, "echo", 1).code
    t:ok(code == "down" or code == "no_such_agent", code)
    t:equal(t:refused("driver/" .. id, "echo", 1).code, "down")
  end)

  case("an agent that calls itself is told of the deadlock", function(t)
    local a, id = t:start("plain")
    local err = t:refused(a, "call_me")
    t:equal(err.code, "deadlock")
    t:matches(err.message, "driver/" .. id .. " -> driver/" .. id)
  end)

  case("a call that comes back through another is refused and names the way", function(t)
    local a, first = t:start("plain")
    local b, second = t:start("plain")
    local err = t:refused(a, "relay", b, "relay", a, "echo", 1)
    t:equal(err.code, "deadlock")
    t:matches(err.message, ("driver/%s -> driver/%s -> driver/%s"):format(first, second, first))
    t:equal(t:call(a, "relay", b, "relay", a, "poke"), "poked", "a concurrent verb")
  end)

  case("a serial agent finishes one message before the next", function(t)
    local a = t:start("serial")
    for i = 1, 3 do troupe.send(a, "work", tostring(i)) end
    t:equal(t:call(a, "log"), { "1 begins", "1 ends", "2 begins", "2 ends", "3 begins", "3 ends" })
  end)

  case("a concurrent agent serves as many at once as it says", function(t)
    local a = t:start("concurrent")
    local meet = function() return t:call(a, "meet") end
    t:equal(async.all { meet, meet, meet }, { 3, 3, 3 })
  end)

  case("a concurrent agent serves no more at once than it says", function(t)
    local a, all = t:start("concurrent"), {}
    for i = 1, 12 do all[i] = function() return t:call(a, "crowd") end end
    for _, most in ipairs(async.all(all)) do t:ok(most <= 3, most .. " at once") end
  end)

  case("a verb in the list of concurrent ones is served while another waits", function(t)
    local a = t:start("plain")
    local sleeping = async.run(troupe.call, a, "sleep", 1000)
    t:equal(t:call(a, "poke"), "poked")
    sleeping:cancel()
  end)

  case("an agent learns who calls, what, and how long it may take", function(t)
    local a = t:start("plain")
    local c = t:call(a, "current")
    t:equal({ c.kind, c.verb, c.from == troupe.self() }, { "call", "current", true })
    t:equal(#c.trace, 55)
    troupe.send(a, "keep_current", t:start("plain"))
    local by_default = t:eventually(function() return t:call(a, "notes")[1] end)
    t:ok(by_default > 20 and by_default <= 30, "30 s is the default, not " .. by_default)
    t:ok(async.timeout(5, troupe.call, a, "current").deadline <= 5)
  end)

  case("a call that is answered later holds up nobody", function(t)
    local a = t:start("plain")
    local first = async.run(troupe.call, a, "wait_for", "first")
    local second = async.run(troupe.call, a, "wait_for", "second")
    t:eventually(function() return t:call(a, "@inspect").serving >= 2 end)
    t:call(a, "free", "second", 2)
    t:call(a, "free", "first", nil, troupe.error("mine", "not ready"))
    t:equal(second:wait(), 2)
    local v, err = first:wait()
    t:equal({ v == nil, err.code }, { true, "mine" })
  end)

  case("a name that an agent registers leads to it, is taken, and is free after its end", function(t)
    local a, id = t:start("plain")
    local b = t:start("plain")
    t:call(a, "register", "seam_name")
    t:ok(t:call(b, "find", "seam_name") == a)
    t:equal(t:call("seam_name", "echo", 5), 5)
    t:equal(t:refused(b, "register", "seam_name").code, "exists")
    t:equal(t:refused(b, "register", "a/b").code, "bad_argument")
    t:stop(id)
    t:equal(t:refused(b, "find", "seam_name").code, "down")
    t:call(b, "register", "seam_name")
    t:ok(troupe.find("seam_name") == b)
  end)

  case("a full mailbox refuses calls as overloaded and goes on afterwards", function(t)
    local a = t:start("plain", { limits = { mailbox = 4 } })
    local sleeping = async.run(troupe.call, a, "sleep", 1000)
    t:eventually(function() return t:call(a, "@inspect").serving == 1 end)
    local calls, overloaded, answered = {}, 0, 0
    for i = 1, 10 do
      calls[i] = async.run(function()
        local v, err = troupe.call(a, "echo", i)
        if v then answered = answered + 1 return v end
        t:equal(err.code, "overloaded")
        t:ok(err.retryable)
        overloaded = overloaded + 1
        return v, err
      end)
    end
    t:eventually(function() return overloaded > 0 end)
    sleeping:cancel()
    for _, call in ipairs(calls) do call:wait() end
    t:ok(answered >= 3 and answered + overloaded == 10, answered .. " answered, " .. overloaded .. " overloaded")
    t:equal(t:call(a, "echo", "still here"), "still here")
  end)
end
