-- SPDX-License-Identifier: Apache-2.0
--
-- require("troupe.async"): several things at once inside one agent, and modifiers that wrap a call.
-- What a function raises here is raised where its result is waited for. Whoever leaves a wait, by
-- an error or because its caller is gone, ends what it had started.

local _, core = ...
local pack, unpack = table.pack, table.unpack

local async = {}

local function argument(ok, n, name, message)
  if not ok then error(("bad argument #%d to 'async.%s' (%s)"):format(n, name, message), 3) end
end

--- A list of tasks that ends them when it is closed.
local bundle_type = {
  __close = function(bundle)
    for _, task in pairs(bundle) do core.cancel(task) end
  end,
}
local function bundle() return setmetatable({}, bundle_type) end

-- -- tasks --------------------------------------------------------------------------------------

local task_type = { __name = "task", __metatable = false }
task_type.__index = task_type

local function settle(task, results)
  if task.results then return end
  task.results = results
  for _, waiter in ipairs(task.waiters) do core.wake(waiter) end
end

--- Where a task ends without having returned: its waiters must not wait on.
local ended_type = {
  __close = function(ended)
    settle(ended.task, pack(nil, core.error("cancelled", "the task was ended before it returned")))
  end,
}

function async.run(f, ...)
  argument(type(f) == "function", 1, "run", "function expected, got " .. type(f))
  local task = setmetatable({ waiters = {} }, task_type)
  task.handle = core.start(nil, function(...)
    local _ <close> = setmetatable({ task = task }, ended_type)
    settle(task, pack(f(...)))
  end, ...)
  return task
end

function task_type:wait()
  while not self.results do
    self.waiters[#self.waiters + 1] = core.me()
    core.park()
  end
  return unpack(self.results, 1, self.results.n)
end

function task_type:cancel()
  core.cancel(self.handle)
  settle(self, pack(nil, core.error("cancelled", "the task was cancelled")))
end

task_type.__close = task_type.cancel

async.sleep = core.sleep

-- -- several at once ----------------------------------------------------------------------------

--- Starts each function; `done(i, ok, ...)` gets what `pcall` says. The caller parks.
local function start_each(tasks, list, done)
  local me = core.me()
  for i, f in ipairs(list) do
    tasks[i] = core.start(nil, function()
      done(i, pcall(f))
      core.wake(me)
    end)
  end
end

local function check_functions(list, name)
  argument(type(list) == "table", 1, name, "list of functions expected, got " .. type(list))
  for i, f in ipairs(list) do
    argument(type(f) == "function", 1, name, ("function expected at [%d], got %s"):format(i, type(f)))
  end
end

function async.all(list)
  check_functions(list, "all")
  local tasks <close> = bundle()
  local results, left, failed, raised = {}, #list, nil, nil
  start_each(tasks, list, function(i, ok, value, err)
    left = left - 1
    if not ok then
      raised = raised or pack(value)
    elseif value == nil and err ~= nil then
      failed = failed or pack(err)
    else
      results[i] = value
    end
  end)
  while left > 0 and not failed and not raised do core.park() end
  if raised then error(raised[1], 0) end
  if failed then return nil, failed[1] end
  return results
end

function async.first(list)
  check_functions(list, "first")
  argument(#list > 0, 1, "first", "at least one function expected")
  local tasks <close> = bundle()
  local left, won, failed, raised = #list, nil, nil, nil
  start_each(tasks, list, function(_, ok, value, err)
    left = left - 1
    if not ok then
      raised = raised or pack(value)
    elseif value == nil and err ~= nil then
      failed = err
    else
      won = won or pack(value)
    end
  end)
  while left > 0 and not won and not raised do core.park() end
  if won then return won[1] end
  if raised then error(raised[1], 0) end
  return nil, failed
end

--- Hands out the items of a list, or of an iterator until its first nil.
local function items_of(source)
  if type(source) ~= "table" then return source end
  local i = 0
  return function()
    i = i + 1
    return source[i]
  end
end

function async.map(source, f, options)
  argument(type(source) == "table" or type(source) == "function", 1, "map",
    "list or iterator expected, got " .. type(source))
  argument(type(f) == "function", 2, "map", "function expected, got " .. type(f))
  options = options or {}
  for key in pairs(options) do
    argument(key == "limit" or key == "ordered", 3, "map",
      ("unknown option %q: limit, ordered"):format(tostring(key)))
  end
  local limit = options.limit or 8
  argument(math.type(limit) == "integer" and limit > 0, 3, "map", "limit: a number from 1 on")

  local next_item, more = items_of(source), true
  local tasks = bundle()
  local started, running = 0, 0
  -- What is done and not yet handed out: by number if in order, otherwise as it came.
  local done, first, last = {}, 1, 0
  local reader

  local function start_more()
    while more and running + (last - first + 1) < limit do
      local item = next_item()
      if item == nil then
        more = false
        return
      end
      started, running = started + 1, running + 1
      local number = started
      tasks[number] = core.start(nil, function()
        local result = pack(item, pcall(f, item))
        tasks[number] = nil
        running = running - 1
        if options.ordered then
          done[number] = result
          if number > last then last = number end
        else
          last = last + 1
          done[last] = result
        end
        core.wake(reader)
      end)
    end
  end

  local function next_result()
    reader = core.me()
    while true do
      local result = done[first]
      if result then
        done[first] = nil
        first = first + 1
        if not result[2] then error(result[3], 0) end
        return result[1], result[3], result[4]
      end
      start_more()
      if running == 0 and not more and first > last then return nil end
      core.park()
    end
  end

  return next_result, nil, nil, tasks
end

-- -- modifiers ----------------------------------------------------------------------------------

function async.timeout(seconds, f, ...)
  argument(type(seconds) == "number" and seconds >= 0, 1, "timeout", "seconds expected")
  argument(type(f) == "function", 2, "timeout", "function expected, got " .. type(f))
  local me, results = core.me(), nil
  local tasks <close> = bundle()
  tasks[1] = core.start(seconds, function(...)
    results = pack(pcall(f, ...))
    core.wake(me)
  end, ...)
  local ends = core.now() + seconds
  while not results do
    local left = ends - core.now()
    if (left <= 0 or not core.park(left)) and not results then
      return nil, core.error("timeout", ("it took longer than %g s"):format(seconds))
    end
  end
  if not results[1] then error(results[2], 0) end
  return unpack(results, 2, results.n)
end

local function wants_retry(on, err)
  if on == nil then return type(err) == "table" and err.retryable == true end
  if type(on) == "function" then return on(err) end
  for _, code in ipairs(on) do
    if type(err) == "table" and err.code == code then return true end
  end
  return false
end

local retry_keys = { tries = true, backoff = true, jitter = true, on = true }

function async.retry(options, f, ...)
  argument(type(options) == "table", 1, "retry", "options expected, got " .. type(options))
  argument(type(f) == "function", 2, "retry", "function expected, got " .. type(f))
  for key in pairs(options) do
    argument(retry_keys[key], 1, "retry",
      ("unknown option %q: tries, backoff, jitter, on"):format(tostring(key)))
  end
  local tries, backoff, jitter = options.tries or 3, options.backoff or { 1, 60 }, options.jitter or 0.2
  argument(math.type(tries) == "integer" and tries > 0, 1, "retry", "tries: a number from 1 on")
  argument(type(backoff) == "table" and type(backoff[1]) == "number" and backoff[1] >= 0, 1, "retry",
    "backoff: { first, most } in seconds")
  argument(type(jitter) == "number" and jitter >= 0 and jitter <= 1, 1, "retry", "jitter: 0 to 1")
  local pause = backoff[1]
  for try = 1, tries do
    local results = pack(f(...))
    local err = results[2]
    if results[1] ~= nil or err == nil or try == tries or not wants_retry(options.on, err) then
      return unpack(results, 1, results.n)
    end
    local wait = pause * (1 - jitter * core.random())
    if type(err) == "table" and type(err.retry_after) == "number" and err.retry_after > wait then
      wait = err.retry_after
    end
    if wait >= core.time_left() then return unpack(results, 1, results.n) end
    core.sleep(wait)
    pause = math.min(pause * 2, backoff[2] or backoff[1])
  end
end

-- -- lock ---------------------------------------------------------------------------------------

local lock_type = { __name = "lock", __metatable = false }
lock_type.__index = lock_type

local function release(held)
  local lock = held.lock
  if lock.holder ~= held then return end
  local following = table.remove(lock.queue, 1)
  lock.holder = following
  if following then core.wake(following.task) end
end

local held_type = { __name = "held lock", __metatable = false, __close = release }
held_type.__index = { release = release }

function async.lock() return setmetatable({ queue = {} }, lock_type) end

--- Takes a waiting task out of the queue if it is ended while it waits.
local waiting_type = {
  __close = function(waiting)
    local held = waiting.held
    if waiting.taken then return end
    for i, other in ipairs(held.lock.queue) do
      if other == held then
        table.remove(held.lock.queue, i)
        return
      end
    end
    release(held)
  end,
}

function lock_type:acquire()
  local held = setmetatable({ lock = self, task = core.me() }, held_type)
  if not self.holder then
    self.holder = held
    return held
  end
  self.queue[#self.queue + 1] = held
  local waiting <close> = setmetatable({ held = held }, waiting_type)
  while self.holder ~= held do core.park() end
  waiting.taken = true
  return held
end

return async
