---@meta troupe.time
-- SPDX-License-Identifier: Apache-2.0
error("Cannot require a meta file")

local time = {}

---Seconds since 1970, as a calendar shows them.
---@return number
function time.now() end

---Seconds of a clock that never jumps; for differences.
---@return number
function time.monotonic() end

---A time as text: `2026-11-20T09:14:02Z`, with milliseconds if there are any.
---@param time number Seconds since 1970.
---@return string
function time.format(time) end

return time
