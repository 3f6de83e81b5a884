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

  case("a pool grows and shrinks while it runs", function(t)
    local spec = t:spec("plain", { pool = { size = 1 } })
    local pool = t:launch(spec)
    local name = "driver/" .. spec.id
    local calls = {}
    for i = 1, 4 do calls[i] = async.run(troupe.call, pool, "sleep", 0.05, i) end
    t:equal(troupe.supervisor(name):resize_pool(3), 3)
    t:eventually(function() return troupe.supervisor(name):count_children().active == 3 end)
    t:equal(troupe.supervisor(name):resize_pool(1), 1)
    for i = 1, 4 do t:equal(calls[i]:wait(), i) end
    t:eventually(function() return troupe.supervisor(name):count_children().specs == 1 end)
    t:equal(t:call(pool, "echo", "still"), "still")
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

  -- -- what OTP has beyond the first three strategies

  case("children of a template are started with options of their own and named by address", function(t)
    local team = t:team({ t:spec("child", { id = "a", options = { size = 1 } }) }, { strategy = "simple_one_for_one" })
    local s = troupe.supervisor(team)
    t:equal(s:count_children(), { specs = 1, active = 0, supervisors = 0, workers = 0 })
    local one, other = s:start_child(), s:start_child({ size = 2 })
    t:equal(t:call(one, "options").size, 1)
    t:equal(t:call(other, "options").size, 2)
    t:equal(s:count_children().active, 2)
    local id = s:which_child(other).id
    t:refused(other, "raise", "oh")
    t:equal(again(t, team .. "/" .. id, "options").size, 2, "restarted with its own options")
    t:equal(select(2, s:terminate_child("a")).code, "bad_argument")
    t:ok(s:terminate_child(one))
    t:ok(s:terminate_child(one), "it has ended already")
    t:equal(select(2, s:terminate_child((t:start("plain")))).code, "not_found")
    t:ok(s:terminate_child(id))
    t:equal(s:which_children(), {})
  end)

  case("what on_start returns is told to who starts a child by hand, and ignore starts nothing", function(t)
    local s = troupe.supervisor((t:team {}))
    local spec = t:spec("child", { id = "a", options = { says = "hello" } })
    local address, err, info = s:start_child(spec)
    t:ok(address and err == nil, tostring(err))
    t:equal(info, { said = "hello" })
    t:ok(s:terminate_child("a"))
    t:equal(select(3, s:restart_child("a")), { said = "hello" })
    address, err = s:start_child(t:spec("child", { id = "b", options = { says = "ignore" } }))
    t:ok(address == nil and err == nil, tostring(err))
    t:equal(s:which_child("b").state, "stopped")
    err = select(2, s:start_child(t:spec("child", { id = "c", options = { says = "a function" } })))
    t:matches(err, "what on_start returns")
    t:equal(select(2, s:which_child("c")).code, "not_found")
  end)

  case("significant children end their supervisor: the first, or the last", function(t)
    for when, ends in pairs { any_significant = 1, all_significant = 2 } do
      local function significant(id) return t:spec("child", { id = id, restart = "transient", significant = true }) end
      local team, address = t:team({ significant("a"), significant("b"), t:spec("child", { id = "c" }) },
        { auto_shutdown = when })
      local watch = t:monitor(address)
      if ends == 2 then
        t:refused(team .. "/a", "leave")
        t:eventually(function() return t:call(team, "which_child", "a").state == "stopped" end)
      end
      t:refused(team .. "/b", "leave")
      t:equal(t:reason(watch).code, "shutdown", when)
    end
    local _, err = t:try_start("child", { significant = true, restart = "transient" })
    t:matches(err, "auto_shutdown is never")
  end)

  case("a tree is changed while it runs", function(t)
    local team = t:team { t:spec("child", { id = "a" }), t:spec("child", { id = "b" }) }
    local s = troupe.supervisor(team)
    local a = t:call(team .. "/a", "who")
    t:equal(s:upgrade { strategy = "one_for_oll" }, nil)
    local tree = { intensity = 10, children = {
      t:spec("child", { id = "c" }), t:spec("child", { id = "a", options = { size = 7 } }),
    } }
    t:equal(s:upgrade(tree), { added = { "c" }, changed = { "a" }, kept = { "b" } })
    t:ok(t:call(team .. "/a", "who") == a, "who runs is left alone")
    t:equal(s:which_child("c").state, "stopped")
    t:ok(s:restart_child("c"))
    t:refused(team .. "/a", "raise", "oh")
    t:equal(again(t, team .. "/a", "options").size, 7)
    t:equal(select(2, s:reload()).code, "unsupported")
  end)

  case("the last ends of a child are remembered with their reasons", function(t)
    local team = t:team { t:spec("child", { id = "a" }) }
    t:refused(team .. "/a", "raise", "oh")
    again(t, team .. "/a", "who")
    t:refused(team .. "/a", "leave")
    again(t, team .. "/a", "who")
    local exits = troupe.supervisor(team):which_child("a").exits
    t:equal({ #exits, exits[1].reason.code, exits[2].reason.code }, { 2, "normal", "crash" })
    t:matches(exits[2].reason.message, "oh")
    t:ok(exits[1].at >= exits[2].at and exits[1].lived >= 0)
  end)

  case("a child that drains finishes the call that it serves before it stops", function(t)
    for drain, expected in pairs { [0] = "down", [30] = "held" } do
      local team = t:team { t:spec("child", { id = "a", drain = drain }) }
      local s = troupe.supervisor(team)
      local a = t:call(team .. "/a", "who")
      local task = async.run(function()
        local answer, err = troupe.call(a, "hold", 0.2)
        return answer or err.code
      end)
      t:eventually(function() return troupe.call(a, "@inspect").serving > 0 end)
      t:ok(s:terminate_child("a"))
      t:equal(task:wait(), expected)
    end
  end)

  case("while a child waits for its restart, calls fail with down and it can be hurried by hand", function(t)
    local team = t:team { t:spec("child", { id = "a", backoff = { 1000 } }) }
    local s = troupe.supervisor(team)
    t:refused(team .. "/a", "raise", "oh")
    t:eventually(function() return s:which_child("a").state == "restarting" end)
    t:equal(t:refused(team .. "/a", "who").code, "down")
    t:equal(select(2, s:restart_child("a")).code, "restarting")
    t:ok(s:terminate_child("a"))
    t:ok(s:restart_child("a"))
    t:ok(t:call(team .. "/a", "who"))
  end)
end
