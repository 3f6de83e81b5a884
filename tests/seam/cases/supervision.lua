-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local async = require("troupe.async")

--- Calls by name until the child is there again.
local function again(t, name, verb, ...)
  local args = table.pack(...)
  return t:eventually(function()
    local v, err = troupe.call(name, verb, table.unpack(args, 1, args.n))
    if v == nil and err.code ~= "down" and err.code ~= "no_such_agent" then error(err) end
    return v
  end)
end

return function(case)
  case("a supervised agent comes back after a crash, and its name leads to the new one", function(t)
    local team = t:team { t:spec("plain", { id = "a" }) }
    local before = t:call(team .. "/a", "who")
    t:equal(t:call(team .. "/a", "beginning"), { first = true })
    t:equal(t:refused(team .. "/a", "raise", "oh").code, "down")
    local after = again(t, team .. "/a", "who")
    t:ok(after ~= before, "it has the old address")
    t:equal(t:call(team .. "/a", "beginning"), { first = false, last_exit = "crash" })
    local code = t:refused(before, "echo", 1).code
    t:ok(code == "down" or code == "no_such_agent", code)
  end)

  case("an agent above its memory limit comes back empty", function(t)
    local team = t:team { t:spec("plain", { id = "a", limits = { memory = 4 << 20 } }) }
    t:call(team .. "/a", "note", "kept")
    t:equal(t:refused(team .. "/a", "hoard").cause.code, "limit")
    t:equal(again(t, team .. "/a", "beginning").last_exit, "limit")
    t:equal(t:call(team .. "/a", "notes"), {})
  end)

  case("a transient agent comes back after a crash, not after a normal end", function(t)
    local team = t:team { t:spec("plain", { id = "a", restart = "transient" }) }
    t:refused(team .. "/a", "raise", "oh")
    again(t, team .. "/a", "who")
    t:refused(team .. "/a", "leave")
    t:eventually(function() return t:call(team, "which_children")[1].state == "stopped" end)
    t:equal(t:refused(team .. "/a", "who").code, "down")
  end)

  case("one_for_all restarts the siblings too, rest_for_one those behind", function(t)
    for strategy, expected in pairs { one_for_all = { true, true, true }, rest_for_one = { false, true, true },
                                      one_for_one = { false, true, false } } do
      local team = t:team({ t:spec("plain", { id = "a" }), t:spec("plain", { id = "b" }), t:spec("plain", { id = "c" }) },
        { strategy = strategy })
      local before = {}
      for i, id in ipairs { "a", "b", "c" } do before[i] = t:call(team .. "/" .. id, "who") end
      t:refused(team .. "/b", "raise", "oh")
      t:eventually(function()
        local v = troupe.call(team .. "/b", "who")
        return v and v ~= before[2]
      end)
      local changed = {}
      for i, id in ipairs { "a", "b", "c" } do changed[i] = again(t, team .. "/" .. id, "who") ~= before[i] end
      t:equal(changed, expected, strategy)
    end
  end)

  case("a supervisor gives up after too many restarts", function(t)
    local team, address = t:team({ t:spec("plain", { id = "a" }) }, { intensity = 2, period = 60 })
    local watch = t:monitor(address)
    for i = 1, 3 do
      again(t, team .. "/a", "who")
      t:refused(team .. "/a", "raise", "oh")
    end
    t:equal(t:reason(watch).code, "shutdown")
    t:matches(t:reason(watch).message, "more than 2 restarts")
  end)

  case("children of a supervisor are stopped in the reverse order", function(t)
    local keeper, keeper_id = t:start("plain")
    local note = { note_stop_to = "driver/" .. keeper_id }
    t:team({ t:spec("plain", { id = "a", options = note }), t:spec("plain", { id = "b", options = note }) })
    t:stop(t.started[2])
    t:equal(t:call(keeper, "notes"), { "stops: shutdown", "has called", "stops: shutdown", "has called" })
  end)

  case("a child is stopped, started anew and deleted by hand", function(t)
    local team = t:team { t:spec("plain", { id = "a" }) }
    local s = troupe.supervisor(team)
    local _, err = s:restart_child("a")
    t:equal(err.code, "running")
    t:ok(s:terminate_child("a"))
    t:equal(t:refused(team .. "/a", "who").code, "down")
    t:ok(s:restart_child("a"))
    t:ok(t:call(team .. "/a", "who"))
    t:ok(s:terminate_child("a"))
    t:ok(s:delete_child("a"))
    t:equal(s:count_children().specs, 0)
  end)

  case("a pool answers all calls though a member crashes amid them", function(t)
    local spec = t:spec("plain", { pool = { size = 2, intensity = 10, period = 10 } })
    local pool = t:launch(spec)
    t:refused(pool, "raise", "oh")
    for v, answer, err in async.map({ 1, 2, 3, 4, 5, 6 }, function(n)
      return async.retry({ tries = 50, backoff = { 0.01, 0.02 } }, troupe.call, pool, "echo", n)
    end, { ordered = true }) do
      t:equal(answer, v, tostring(err))
    end
  end)
end
