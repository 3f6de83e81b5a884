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

---@class troupe.timer.cron_options
---@field zone string? Whose clocks are meant: `Europe/Berlin`, `UTC`, or how far ahead of it: `+02:00`. (Default: UTC)
---@field args any[]? Arguments.

---Calls `agent.own.VERB` whenever a line of a crontab comes true: minute, hour, day, month, weekday, each `*`, numbers,
---ranges (`1-5`), steps (`*/15`), lists, and names (`mon-fri`, `jan`); or `@hourly`, `@daily`, `@weekly`, `@monthly`,
---`@yearly`. Where both day and weekday say something, one of them is enough. Ticks that are late are one.
---When clocks go forward, times that they go past come at that moment, once; when they go back, times that they show
---twice come the first time only.
---@param line string `30 6 * * mon-fri`
---@param verb string
---@param options troupe.timer.cron_options?
---@return troupe.timer
function timer.cron(line, verb, options) end

return timer
