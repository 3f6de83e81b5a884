-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local topic = require("troupe.topic")

return function(case)
  local number = 0
  local function fresh()
    number = number + 1
    return "topic" .. number
  end

  case("what is published under a name reaches all that have subscribed to it, in order", function(t)
    local a, b, name = t:start("topics"), t:start("topics"), fresh()
    t:equal(t:call(a, "subscribe", name), true)
    t:equal(t:call(a, "subscribe", name), false)
    t:call(b, "subscribe", name)
    t:equal(topic.publish(name, "one", { 2 }), 2)
    t:equal(topic.publish(name), 2)
    for _, who in ipairs { a, b } do
      t:equal(t:call(who, "heard"), { { name, "hear", 2, "one", { 2 } }, { name, "hear", 0 } })
    end
    t:equal(topic.publish(fresh(), "nobody hears this"), 0)
  end)

  case("a pattern hears all topics that it matches, and each message once a verb", function(t)
    local a, name = t:start("topics"), fresh()
    t:call(a, "subscribe", name .. "/*")
    t:call(a, "subscribe", name .. "/?/x")
    t:call(a, "subscribe", name .. "/a/x", "also")
    t:equal(topic.publish(name .. "/a/x", 1), 2)
    t:equal(topic.publish(name .. "/b", 2), 1)
    t:equal(topic.publish(name, 3), 0)
    t:equal(t:call(a, "heard"), { "also 1", { name .. "/a/x", "hear", 1, 1 }, { name .. "/b", "hear", 1, 2 } })
  end)

  case("a subscription ends when it is taken back, and with its agent", function(t)
    local a, name = t:start("topics"), fresh()
    local b, id = t:start("topics")
    t:call(a, "subscribe", name)
    t:call(a, "subscribe", name, "also")
    t:call(b, "subscribe", name)
    t:equal(topic.publish(name, 1), 3)
    t:equal(t:call(a, "unsubscribe", name, "hear"), true)
    t:equal(t:call(a, "unsubscribe", name, "hear"), false)
    t:equal(topic.publish(name, 2), 2)
    t:stop(id)
    t:eventually(function() return topic.publish(name, 3) == 1 end)
    t:equal(t:call(a, "unsubscribe", name), true)
    t:equal(topic.publish(name, 4), 0)
  end)

  case("a topic needs a grant, a pattern one of all that it matches", function(t)
    local a = t:start("topics", { grants = { topics = { "news/a?" } } })
    t:equal(t:refused(a, "subscribe", "news/*").code, "denied")
    t:equal(t:refused(a, "subscribe", "news/a*").code, "denied")
    t:equal(t:refused(a, "publish", "news/b").code, "denied")
    t:equal(t:call(a, "subscribe", "news/a1"), true)
    t:equal(t:call(a, "publish", "news/a1", "x"), 1)
  end)

  case("a topic calls a verb of agent.own, which there has to be", function(t)
    t:matches(t:call(t:start("topics"), "slip"), "there is no agent.own.nothing")
    t:equal(t:refused(t:start("topics"), "publish", "a*").code, "bad_argument")
  end)
end
