---@meta troupe.async
-- SPDX-License-Identifier: Apache-2.0
error("Cannot require a meta file")

local async = {}

---Waits.
---@async
---@param seconds number
---@return boolean
function async.sleep(seconds) end

---@class troupe.async.task A function that runs beside its starter.
local task = {}

---Its results, when it returns; `nil, err` with code `cancelled` if it was ended.
---@async
---@return any ...
function task:wait() end

---Ends it at the wait it stands in, or its next one.
function task:cancel() end

---Starts a function beside this one; it runs while this one waits, and goes on after the message that started it.
---What it raises crashes the agent.
---@param f fun(...): ...
---@param ... any
---@return troupe.async.task
function async.run(f, ...) end

---Runs all functions at once. Fails with the first failure, and ends the others.
---@async
---@param list (fun(): any, any)[]
---@return any[]? results, any err
function async.all(list) end

---Runs all functions at once and takes the first success; ends the others.
---@async
---@param list (fun(): any, any)[]
---@return any value, any err Of the last that failed, if all did.
function async.first(list) end

---@class troupe.async.map_options
---@field limit integer? Items at a time. (Default: 8)
---@field ordered boolean? Hands results out in the order of the items, not as they come. (Default: false)

---Runs a function over items, several at a time: `for item, value, err in async.map(list, f) do`. Leaving the loop ends
---what still runs.
---@async
---@param items any[]|fun(): any A list, or an iterator.
---@param f fun(item: any): any, any
---@param options troupe.async.map_options?
---@return fun(): any, any, any
function async.map(items, f, options) end

---Calls a function that may take so long, its calls included; after that it is ended. Fails with `timeout`.
---@async
---@param seconds number
---@param f fun(...): ...
---@param ... any
---@return any ...
function async.timeout(seconds, f, ...) end

---@class troupe.async.retry_options
---@field tries integer? (Default: 3)
---@field backoff number[]? Seconds before the second try, doubled each time, and the most. (Default: `{ 1, 60 }`)
---@field jitter number? Part of the pause that is left to chance. (Default: 0.2)
---@field on (string[]|fun(err: any): boolean)? Codes, or a test. (Default: what is `retryable`)

---Calls a function again while it fails with something that may pass; waits `err.retry_after` if that is longer, and
---gives up where the deadline around it comes first.
---@async
---@param options troupe.async.retry_options
---@param f fun(...): any, any
---@param ... any
---@return any ...
function async.retry(options, f, ...) end

---@class troupe.async.lock
local lock = {}

---Waits until the lock is free, in order. `local held <close> = lock:acquire()` gives it back.
---@async
---@return { release: fun(self) } held
function lock:acquire() end

---A lock for code that waits in the middle, in an agent that serves several messages at once.
---@return troupe.async.lock
function async.lock() end

return async
