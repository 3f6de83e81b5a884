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
---@field on_start? fun(self: troupe.self, start: troupe.start): any `nil, err` refuses to start; `"ignore"`: there is nothing to do, it ends at once. What else it returns, plain data, is `info` for who started it by `start_child`.
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
---@param spec troupe.child_spec `{ start = "x.lua", options = { ... } }`; without an `id` it gets one.
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
---@field topic string? The name under which it was published (`troupe.topic`).
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

---@class troupe.backoff
---@field [1] number The first wait, in seconds; doubled with each restart.
---@field [2] number? The longest. After a run of that length it begins anew. (Default: the first)

---@class troupe.child_spec How one child is started, restarted and stopped.
---@field id string 1 to 100 characters without spaces and `/ . @ = ~`.
---@field start string|table `"x.lua"`, `{ plugin = "clock", kind = "ticker" }`, `{ run = argv }`, or a supervisor's tree.
---@field restart ("permanent"|"transient"|"temporary")? Always; after a failure; never, and then forgotten. (Default: permanent)
---@field shutdown (number|"brutal_kill"|"infinity")? Seconds that an orderly stop may take. (Default: 5; a supervisor: infinity)
---@field drain (number|"infinity")? Seconds before that in which it finishes what it has, while new messages fail with `down`. (Default: 0)
---@field significant boolean? Its end may end its supervisor: see `auto_shutdown`. Not for a permanent child. (Default: false)
---@field backoff troupe.backoff? Waits before restarts. (Default: none)
---@field jitter number? The part of a wait that is left to chance, 0 to 1. (Default: 0.2)
---@field start_timeout (number|"infinity")? Seconds. (Default: 30; a supervisor: infinity)
---@field isolate ("none"|"process"|"sandbox")? (Default: none)
---@field pool table? `{ size, queue, by = "free"|"key", intensity, period }`
---@field options table? The agent's own, over its defaults.
---@field limits table? `{ memory, mailbox, mailbox_bytes, busy }`
---@field grants table? Missing: what the parent has, cut to the script's needs.
---@field budget table?

---@class troupe.tree A supervisor and its children, as in an app file.
---@field strategy ("one_for_one"|"one_for_all"|"rest_for_one"|"simple_one_for_one")? With the last, `children` holds one template. (Default: one_for_one)
---@field intensity integer? Restarts allowed within `period`. (Default: 1)
---@field period number? Seconds. (Default: 5)
---@field auto_shutdown ("never"|"any_significant"|"all_significant")? When ends of significant children end it. (Default: never)
---@field backoff troupe.backoff? Of children that have none.
---@field jitter number?
---@field children troupe.child_spec[]?

---@class troupe.child_info
---@field id string
---@field state "running"|"stopped"|"starting"|"stopping"|"restarting"
---@field type "worker"|"supervisor"
---@field address troupe.address?
---@field exits troupe.child_exit[]? `which_child` only: its last ends, at most ten, newest first.

---@class troupe.child_exit
---@field at number Seconds since 1970.
---@field lived number Seconds from its start.
---@field reason troupe.failure

---@class troupe.supervisor OTP's functions as calls to the supervisor at a path. They fail with `not_found`, `running`,
---`exists` (it is there, but stopped), `restarting`, `config`, `denied`, and as a start fails. One thing is done after the
---other: while a child starts or stops, others wait. A child of a template is named by its address or its id.
local supervisor = {}

---Starts one more child, behind all others. With a template: takes options, over those of the template.
---@async
---@param spec troupe.child_spec|table?
---@return troupe.address? address, troupe.failure? err, any info Address nil without an error: the child said "ignore".
---`info`: what its `on_start` returned.
function supervisor:start_child(spec) end

---Starts one that is stopped. Not for children of a template, which are forgotten when they stop.
---@async
---@param id string
---@return troupe.address? address, troupe.failure? err, any info
function supervisor:restart_child(id) end

---Stops a child, and leaves it stopped; true if it was already. A temporary one is forgotten.
---@async
---@param child string|troupe.address
---@return boolean? done, troupe.failure? err
function supervisor:terminate_child(child) end

---Forgets a child that is stopped.
---@async
---@param id string
---@return boolean? done, troupe.failure? err
function supervisor:delete_child(id) end

---All children, newest first.
---@async
---@return troupe.child_info[]? children, troupe.failure? err
function supervisor:which_children() end

---One child, with its last ends.
---@async
---@param child string|troupe.address
---@return troupe.child_info? info, troupe.failure? err
function supervisor:which_child(child) end

---@async
---@return { specs: integer, active: integer, supervisors: integer, workers: integer }? counts, troupe.failure? err
function supervisor:count_children() end

---@async
---@param child string|troupe.address
---@return troupe.child_spec? spec, troupe.failure? err
function supervisor:get_childspec(child) end

---Merges a tree into the one that runs: flags hold at once, what specs say of restarts and stops as well, the rest of them at
---a child's next start. A pool whose `size` alone is new is resized at once. New children are added but not started; those
---that the tree does not name stay. Nothing changes if a part of it is wrong.
---@async
---@param tree troupe.tree
---@return { added: string[], changed: string[], kept: string[] }? paths, troupe.failure? err
function supervisor:upgrade(tree) end

---The same with the tree that the app's file holds now. Only the app's own supervisor (`app`) has a file. The rest of that
---file (models, grants, budget, plugins) is read when the app starts.
---@async
---@return { added: string[], changed: string[], kept: string[] }? paths, troupe.failure? err
function supervisor:reload() end

---Gives a pool more or fewer members. New ones are started; those that are too many end once they have answered what they
---serve, and what waits goes to others. With `by = "key"` keys move to other members. Holds until the pool is started anew.
---@async
---@param size integer 1 to 10 000.
---@return integer? size, troupe.failure? err
function supervisor:resize_pool(size) end

---A supervisor, to be asked about its children.
---@param path string
---@return troupe.supervisor
function troupe.supervisor(path) end

return troupe
