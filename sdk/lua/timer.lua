---@meta troupe.timer
-- SPDX-License-Identifier: Apache-2.0
error("Cannot require a meta file")

local timer = {}

---@class troupe.timer
local handle = {}

---@return boolean done False if it was over.
function handle:cancel() end

---Calls `agent.own.VERB` once, later.
---@param seconds number
---@param verb string
---@param ... any Arguments: plain data.
---@return troupe.timer
function timer.after(seconds, verb, ...) end

---Calls `agent.own.VERB` once, at a time.
---@param time number Seconds since 1970, as of `time.now()`.
---@param verb string
---@param ... any
---@return troupe.timer
function timer.at(time, verb, ...) end

---@class troupe.timer.every_options
---@field jitter number? Part of the period, 0 to 1, that a tick may come later, at random. (Default: 0)
---@field args any[]? Arguments.

---Calls `agent.own.VERB` again and again. Ticks that are late are one, and none begins before the last one ended.
---@param seconds number From 0.001 on.
---@param verb string
---@param options troupe.timer.every_options?
---@return troupe.timer
function timer.every(seconds, verb, options) end

return timer
