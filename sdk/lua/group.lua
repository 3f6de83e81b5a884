---@meta troupe.group
-- SPDX-License-Identifier: Apache-2.0
error("Cannot require a meta file")

local group = {}

---Makes this agent a member, until it leaves or ends.
---@async
---@param name string
---@return any done, troupe.failure? err
function group.join(name) end

---@async
---@param name string
---@return any done, troupe.failure? err
function group.leave(name) end

---@async
---@param name string
---@return troupe.address[]? members, troupe.failure? err
function group.members(name) end

---Calls one member, any; another one where that one is gone or full.
---@async
---@param name string
---@param verb string
---@param ... any
---@return any value, troupe.failure? err
function group.call_any(name, verb, ...) end

---Calls all members at once.
---@async
---@param name string
---@param verb string
---@param ... any
---@return { from: troupe.address, value: any, err: troupe.failure? }[]? answers, troupe.failure? err
function group.call_all(name, verb, ...) end

return group
