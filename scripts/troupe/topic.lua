-- SPDX-License-Identifier: Apache-2.0
--
-- require("troupe.topic"): what one agent publishes under a name reaches all that subscribe to it. The
-- directory keeps who does.

local _, core = ...
local troupe = require("troupe")

local topic = {}

local function name_of(name, binding)
  if type(name) ~= "string" or name == "" then
    error(("bad argument #1 to 'topic.%s' (name expected, got %s)"):format(binding, type(name)), 3)
  end
  return name
end

function topic.publish(name, ...) return troupe.call("directory", "publish", name_of(name, "publish"), ...) end

function topic.subscribe(pattern, verb)
  name_of(pattern, "subscribe")
  if type(verb) ~= "string" or not core.has_own(verb) then
    error("topic.subscribe: there is no agent.own." .. tostring(verb), 2)
  end
  return troupe.call("directory", "subscribe", pattern, verb)
end

function topic.unsubscribe(pattern, verb)
  return troupe.call("directory", "unsubscribe", name_of(pattern, "unsubscribe"), verb)
end

return topic
