---@meta troupe
-- SPDX-License-Identifier: Apache-2.0
error("Cannot require a meta file")

local troupe = {}

---@class troupe.address One incarnation of an agent, anywhere. Opaque; equal for the same agent, so it can be a table's key.

---@alias troupe.target troupe.address|string An address, or a name that is looked up at each use: a path (`desk/writer`), a sibling (`./writer`), a registered name.

---@class troupe.failure What went wrong, or why an agent ended. Prints as one line.
---@field code string One of the runtime's (`:help errors`), or a script's own.
---@field message string? One sentence.
---@field from string? Path of the agent it came from.
---@field data any What a program can use.
---@field cause troupe.failure? What it came of.
---@field traceback string? Where a script raised it.
---@field retryable boolean? The same request may succeed later.
---@field retry_after number? Seconds to wait before that.

---@class troupe.agent_form
---@field needs table? What the agent wants to do: `{ llm = { "default" }, tools = { "http.*" }, net = { "x:443" } }`; `optional` names the kinds it can do without.
---@field options table? Names and defaults; a default may be `troupe.required(type)`.
---@field concurrent (integer|string[])? How many messages it may serve at once, or the verbs that may run while another message waits. (Default: 1)
---@field version integer? Of what it keeps in `self.state`. (Default: 1)

---@class troupe.self What every handler and hook gets first.
---@field options table The defaults, and over them what the child spec says.
---@field state table Plain data.

---@class troupe.start
---@field first boolean This is the first start of the child.
---@field last_exit troupe.failure? Why the one before it ended.

---@class troupe.agent What an agent file returns.
---@field on table<string, function|troupe.tool> Verbs that others may call: `function agent.on.say(self, text)`. The first result is the answer; `nil, err` fails the call.
---@field own table<string, function> Verbs that only the agent itself and its timers may call.
---@field on_start? fun(self: troupe.self, start: troupe.start): any `nil, err` refuses to start.
---@field on_stop? fun(self: troupe.self, reason: troupe.failure) Told to end; it has the spec's `shutdown` to do so.
---@field on_down? fun(self: troupe.self, monitor: integer, reason: troupe.failure) A monitored agent ended.
---@field on_exit? fun(self: troupe.self, from: troupe.address, reason: troupe.failure) A linked agent ended. Without this hook the agent ends with it.
---@field on_upgrade? fun(self: troupe.self, from_version: integer) The code was changed under a kept state.

---Makes the agent that the file returns.
---@param form troupe.agent_form?
---@return troupe.agent
function troupe.agent(form) end

---The default of an option that has none: the child spec must give it.
---@param type "string"|"number"|"integer"|"boolean"|"table"
---@return any
function troupe.required(type) end

---Makes an error record; return it as `nil, err`, or raise it.
---@param code string
---@param message string?
---@param data any
---@return troupe.failure
function troupe.error(code, message, data) end

---Calls a verb of another agent and waits for the answer: 30 s, or as long as an `async.timeout` around it says, and no
---longer than the message that is being served here may take. Fails with `down`, `no_such_agent`, `unknown_verb`,
---`timeout`, `overloaded`, `deadlock`, `denied`, `too_big`, or as the callee says.
---@async
---@param to troupe.target
---@param verb string
---@param ... any Arguments: plain data.
---@return any value, troupe.failure? err
function troupe.call(to, verb, ...) end

---Sends a verb to another agent; nothing comes back.
---@param to troupe.target
---@param verb string
---@param ... any
function troupe.send(to, verb, ...) end

---Sends a piece of the answer of the call that is being served, at most 64 KiB. Waits while the reader is behind.
---@async
---@param value any
---@return boolean read False if the caller takes no parts; then it can be left at that.
function troupe.part(value) end

---@class troupe.stream A call whose answer comes in parts. Closing it takes the call back.
local stream = {}

---The parts as they come; ends with the answer.
---@async
---@return fun(): any
function stream:parts() end

---The answer, after the parts; those that were not read are dropped.
---@async
---@return any value, troupe.failure? err
function stream:result() end

---Takes the call back if it is not over. `local s <close> = troupe.stream(...)` does so by itself.
function stream:close() end

---Calls a verb that answers in parts (`troupe.part`).
---@param to troupe.target
---@param verb string
---@param ... any
---@return troupe.stream
function troupe.stream(to, verb, ...) end

---@class troupe.later An answer that is still owed.
local later = {}

---@param value any
function later:reply(value) end

---@param err troupe.failure|string
function later:fail(err) end

---Answers the call that is being served later: what the handler returns is not its answer.
---@return troupe.later
function troupe.defer() end

---Lets the handler go on when its caller is gone or out of time. Otherwise it ends at its next wait.
function troupe.detach() end

---Starts an agent below this one, from a child spec. It is temporary and ends with this one.
---@async
---@param spec table `{ id = "x", start = "x.lua", options = { ... } }`
---@return troupe.address? address, troupe.failure? err
function troupe.spawn(spec) end

---The agent's own address.
---@return troupe.address
function troupe.self() end

---The address behind a name, now.
---@async
---@param name string
---@return troupe.address? address, troupe.failure? err
function troupe.find(name) end

---Gives this agent a further name, on this node. Fails with `exists`.
---@async
---@param name string Without `/`, `@` and `.`.
---@return boolean? done, troupe.failure? err
function troupe.register(name) end

---Asks to hear in `agent.on_down` when an agent ends; at once if it has.
---@param whom troupe.target
---@return integer monitor
function troupe.monitor(whom) end

---Takes a monitor back; its `on_down` will not come any more.
---@param monitor integer
function troupe.demonitor(monitor) end

---Ties this agent and another together: if one ends by a failure, so does the other, unless it has `on_exit`.
---@param whom troupe.target
function troupe.link(whom) end

---@param whom troupe.target
function troupe.unlink(whom) end

---Ends this agent. Does not return.
---@async
---@param reason (troupe.failure|string)? `"normal"`, `"shutdown"`, or what went wrong. (Default: normal)
function troupe.exit(reason) end

---@class troupe.serving
---@field kind "call"|"send"|"timer"|"start"|"stop"|"down"|"exit"
---@field verb string?
---@field from troupe.address?
---@field deadline number? Seconds left.
---@field trace string? W3C traceparent.

---The message that is being served; nil in the background.
---@return troupe.serving?
function troupe.current() end

---Tells people how far a long task is.
---@param share number 0 to 1.
---@param text string?
function troupe.progress(share, text) end

---@class troupe.supervisor OTP's functions as calls to the supervisor at a path.
local supervisor = {}

---@async
---@param spec table A child spec.
---@return troupe.address? address, troupe.failure? err
function supervisor:start_child(spec) end

---@async
---@param id string
---@return troupe.address? address, troupe.failure? err
function supervisor:restart_child(id) end

---@async
---@param id string
---@return any done, troupe.failure? err
function supervisor:terminate_child(id) end

---@async
---@param id string
---@return any done, troupe.failure? err
function supervisor:delete_child(id) end

---@async
---@return table? children, troupe.failure? err
function supervisor:which_children() end

---@async
---@return table? counts, troupe.failure? err
function supervisor:count_children() end

---@async
---@param id string
---@return table? spec, troupe.failure? err
function supervisor:get_childspec(id) end

---A supervisor, to be asked about its children.
---@param path string
---@return troupe.supervisor
function troupe.supervisor(path) end

return troupe
