---@meta troupe.topic
-- SPDX-License-Identifier: Apache-2.0
error("Cannot require a meta file")

---What one agent publishes under a name reaches all that have subscribed to it. Both need `topics` of the name in their
---grants.
local topic = {}

---Sends values to all who have subscribed to the name. Those of one publisher come in their order.
---@async
---@param name string `weather/husum`; 1 to 200 characters, without `*` and `?`.
---@param ... any Plain data.
---@return integer? reached, troupe.failure? err How many agents it went to.
function topic.publish(name, ...) end

---From now on what is published under a matching name calls `agent.own.VERB` with the values; `troupe.current().topic` is
---the name. Until it is taken back or the agent ends.
---@async
---@param pattern string A name; `*` stands for any text, `?` for one character. At most 1000 an agent.
---@param verb string
---@return boolean? done, troupe.failure? err `done` is false if it was subscribed already.
function topic.subscribe(pattern, verb) end

---Takes a subscription back.
---@async
---@param pattern string As it was given.
---@param verb string? (Default: all verbs)
---@return boolean? done, troupe.failure? err `done` is false if there was none.
function topic.unsubscribe(pattern, verb) end

return topic
