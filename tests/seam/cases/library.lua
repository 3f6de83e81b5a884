-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")

return function(case)
  case("an option that is required has to be given", function(t)
    local _, err = t:try_start("library")
    t:matches(err, 'option "name" (string) is required')
    t:equal(t:call(t:start("library", { options = { name = "x" } }), "options"), { name = "x", size = 1 })
  end)

  case("JSON is read and written alike everywhere", function(t)
    local said = t:call(t:start("library", { options = { name = "x" } }), "json")
    t:equal(said, { '{"a":[1,2.5,null],"b":{}}', '{"map":{},"list":[]}', "syntax" })
  end)

  case("what an agent logs and how far it is takes nothing from it", function(t)
    t:equal(t:call(t:start("library", { options = { name = "x" } }), "log"), "said")
  end)

  case("the time goes on, and is written as text", function(t)
    t:equal(t:call(t:start("library", { options = { name = "x" } }), "time"), { true, true, "1970-01-01T00:00:00Z" })
  end)

  case("a timer rings at a time", function(t)
    local a = t:start("library", { options = { name = "x" } })
    t:call(a, "at", 0.02)
    t:eventually(function() return t:call(a, "heard")[1] == "rang" end)
  end)

  case("a timer by a line of a crontab is set and cancelled, and refused where it makes no sense", function(t)
    local a = t:start("library", { options = { name = "x" } })
    t:equal(t:call(a, "cron", "30 6 * * mon-fri"), true)
    t:matches(t:call(a, "cron", "61 * * * *"), "minute: 61 is not within 0 to 59")
  end)

  case("a supervisor tells of its children and starts more", function(t)
    local path = t:team({ t:spec("plain", { id = "one" }) })
    local team = troupe.supervisor(path)
    t:equal(#team:which_children(), 1)
    t:ok(team:start_child(t:spec("plain", { id = "two" })))
    t:equal(team:get_childspec("two").id, "two")
    t:equal(#team:which_children(), 2)
  end)
end
