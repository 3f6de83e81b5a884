-- SPDX-License-Identifier: Apache-2.0

return function(case)
  case("async.all runs all at once and keeps their order", function(t)
    t:equal(t:call(t:start("tasks"), "all", t:start("plain")), { "slow", "called", 3 })
  end)

  case("async.all ends the others at the first failure", function(t)
    local got = t:call(t:start("tasks"), "all_with_failure")
    t:equal({ got[2], got[3] }, { "mine", true })
  end)

  case("async.first takes the first that succeeds and ends the others", function(t)
    t:equal(t:call(t:start("tasks"), "first"), "fast")
  end)

  case("async.map keeps its limit and, if asked to, the order", function(t)
    t:equal(t:call(t:start("tasks"), "map", t:start("plain"), 2), { "5:10 6:12 7:14 8:16 9:18", true })
  end)

  case("async.timeout ends what takes too long", function(t)
    t:equal(t:call(t:start("tasks"), "timeout"), { true, "timeout", "early" })
  end)

  case("async.retry tries again what may succeed, and gives up in the end", function(t)
    local a = t:start("tasks")
    t:equal(t:call(a, "retry", 2), { "there", "no error", 3 })
    t:equal(t:call(a, "retry", 9), { "nothing", "mine", 3 })
    t:equal(t:call(a, "no_retry"), 1)
  end)

  case("async.run goes on beside its caller and can be cancelled", function(t)
    t:equal(t:call(t:start("tasks"), "run"), { "cancelled", "a", "b" })
  end)

  case("a lock lets one in after the other", function(t)
    t:equal(t:call(t:start("tasks"), "lock"), "a a b b c c")
  end)

  case("what a task raises is raised where it is waited for", function(t)
    t:equal(t:call(t:start("tasks"), "raise_inside"), { false, "oh" })
  end)
end
