-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")

return function(case)
  case("agents run where the placement says", function(t)
    local _, id = t:start("plain")
    t:equal(t:call("driver/~", "get_childspec", id).isolate, t.isolate)
  end)

  case("an on_start that raises refuses the start and says why", function(t)
    local a, err = t:try_start("starter", { options = { how = "raises" } })
    t:equal({ a == nil, err.code }, { true, "crash" })
    t:matches(err.message, "no luck")
  end)

  case("an on_start that returns an error refuses the start with it", function(t)
    local _, err = t:try_start("starter", { options = { how = "fails" } })
    t:equal(err.code, "mine")
    t:matches(err.message, "nothing to work on")
  end)

  case("an on_start that says ignore leaves no agent", function(t)
    local a, err = t:try_start("starter", { id = "ignored", options = { how = "ignores" } })
    t:equal({ a == nil, err == nil }, { true, true })
    t:equal(t:refused("driver/ignored", "echo").code, "down")
  end)

  case("an on_start that never returns is ended after start_timeout", function(t)
    local _, err = t:try_start("starter", { start_timeout = 0.2, options = { how = "never" } })
    t:equal(err.code, "timeout")
    t:matches(err.message, "did not start within 0.2 s")
  end)

  case("an on_start that computes for ever is ended after start_timeout", function(t)
    if t.placement == "simulation" then t:skip("virtual time stands still while anyone computes") end
    local _, err = t:try_start("starter", { start_timeout = 0.2, options = { how = "spins" } })
    t:equal(err.code, "timeout")
  end)

  case("an on_start that calls its busy spawner is told of the deadlock", function(t)
    local parent, id = t:start("plain")
    local err = t:refused(parent, "spawn",
      t:spec("starter", { options = { how = "calls the spawner", parent = "driver/" .. id } }))
    t:equal(err.code, "deadlock")
    t:equal(t:call(parent, "echo", 1), 1)
  end)

  case("an on_start that takes all memory refuses the start with the limit", function(t)
    local _, err = t:try_start("starter", { limits = { memory = 2 << 20 }, options = { how = "hoards" } })
    t:equal({ err.code, err.data and err.data.what }, { "limit", "memory" })
  end)

  case("options of the spec lie over the script's, and a wrong one refuses the start", function(t)
    local a = t:start("plain", { options = { note_stop_to = "" } })
    t:equal(t:call(a, "options"), { note_start_to = "", note_stop_to = "" })
    local _, err = t:try_start("starter", { options = { hwo = "well" } })
    t:equal(err.code, "config")
    t:matches(err.message, "hwo")
    _, err = t:try_start("starter", { options = { size = "one" } })
    t:equal(err.code, "config")
  end)

  case("a spec with an unknown key, limit or file is refused", function(t)
    local _, err = t:try_start("plain", { strat = "x" })
    t:equal(err.code, "config")
    _, err = t:try_start("plain", { limits = { memroy = 5 } })
    t:equal(err.code, "config")
    t:matches(err.message, "memroy")
    _, err = t:try_start("no_such_file")
    t:equal(err.code, "not_found")
  end)

  case("an id that is taken is refused", function(t)
    local _, id = t:start("plain")
    local _, err = t:try_start("plain", { id = id })
    t:equal(err.code, "running")
  end)
end
