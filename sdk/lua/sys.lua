---@meta troupe.sys
-- SPDX-License-Identifier: Apache-2.0
error("Cannot require a meta file")

---Looks into agents that run, and changes them. They answer at once, also while they wait or compute. Who asks stands
---above the agent in the tree, is the agent itself, or is granted `call` of its path; everyone else gets `denied`.
local sys = {}

---@class troupe.sys.coroutine
---@field kind string What it serves: `call`, `send`, `timer`, ..., or `background`.
---@field verb string?
---@field state "computes"|"ready"|"waits"
---@field stack string[] Where it stands, innermost first: `chat.lua:27: in field 'say'`.

---@class troupe.sys.inspection
---@field path string
---@field address troupe.address
---@field phase "fresh"|"starting"|"running"|"stopping"
---@field busy boolean It stands in the middle of computing. (In a worker: see `behaviour.agent.coroutines`.)
---@field suspended boolean
---@field mailbox integer Messages that wait.
---@field mailbox_bytes integer
---@field serving integer Messages that are being served.
---@field calls integer Calls that it has made and that are open.
---@field timers integer
---@field links integer
---@field monitors integer Agents that it monitors.
---@field watchers integer Agents that monitor it.
---@field handled integer Messages so far.
---@field late integer Answers that came too late.
---@field time number Seconds of computing, roughly.
---@field calls_in { kind: string, from: string, verb: string?, left: number?, cancelled: boolean? }[] What is being served, at most 100; `left`: seconds until the deadline.
---@field calls_out { verb: string, to: string?, left: number? }[] What it waits for, at most 100.
---@field linked string[] Paths, at most 100; so are the next two.
---@field monitored string[]
---@field monitored_by string[]
---@field behaviour table Of a script: `script`, `modules` (files that it has required, if any), `memory` and `memory_limit` (bytes), `tasks`, `timers`, `streams`, `state` (cut where it is long), `coroutines` (`troupe.sys.coroutine`, at most 50). Of a worker: `pid`, `cpu` (seconds), and all that in `agent`.

---What an agent is and does.
---@async
---@param whom troupe.target
---@return troupe.sys.inspection? inspection, troupe.failure? err
function sys.inspect(whom) end

---Lets an agent stand still, also in the middle of computing: nothing is delivered to it until it is resumed. Its mail
---waits, deadlines pass; it can still be inspected, stopped and killed.
---@async
---@param whom troupe.target
---@return boolean? done, troupe.failure? err
function sys.suspend(whom) end

---Lets a suspended agent go on.
---@async
---@param whom troupe.target
---@return boolean? done, troupe.failure? err
function sys.resume(whom) end

---An agent's `self.state`, whole. Fails with `bad_body` if there is something in it that is no plain data.
---@async
---@param whom troupe.target
---@return table? state, troupe.failure? err
function sys.state(whom) end

---Puts another table into the place of an agent's `self.state`: between messages, or while it waits. What it keeps in
---local variables stays. To change a part: `suspend`, `state`, `replace_state`, `resume`.
---@async
---@param whom troupe.target
---@param state table
---@return boolean? done, troupe.failure? err
function sys.replace_state(whom, state) end

---Swaps an agent's code for what its file, and the files it requires, hold now. `self` and with it `self.state` stay;
---`agent.on_upgrade(self, from_version)` migrates them. It happens between messages, or while the agent waits; messages
---wait meanwhile, and what is being served ends in the old code. Timers go on and call the new code. Where the file does
---not load, needs more than the agent was started with, or `on_upgrade` fails, nothing changes and `err` says why. A new
---`version` without `on_upgrade` is refused while there is a state.
---@async
---@param whom troupe.target
---@return { version: integer, from: integer }? done, troupe.failure? err
function sys.reload(whom) end

---@class troupe.sys.trace_limits What comes above them is dropped and counted, so that a trace can't sink a node.
---@field count integer? Messages in all. (Default: 100; at most 100 000)
---@field seconds number? (Default: 10; at most 3600)
---@field bytes integer? Of all that is shown. (Default: 1 MiB; at most 64 MiB)
---@field rate integer? Messages a second. (Default: 1000; at most 10 000)
---@field body integer? Bytes of arguments or answer up to which they are shown. (Default: 1024; at most 16 KiB)

---Shows the messages that agents get and send, as parts: `local t <close> = sys.trace("desk/*") for m in t:parts() do`.
---Each is `{ at, kind, out, path, peer, verb, size, body, reason }`: `out` if the agent at `path` sent it, `reason` of an
---error or end as text. Then `t:result()` is `{ shown, dropped, ended = "count"|"seconds"|"bytes" }`. Needs `call` of
---`observer`. The messages of who asks are not shown.
---@param pattern string A path, `*` for any text, `?` for one character.
---@param limits troupe.sys.trace_limits?
---@return troupe.stream
function sys.trace(pattern, limits) end

return sys
