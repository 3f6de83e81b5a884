---@meta troupe.test
-- SPDX-License-Identifier: Apache-2.0
error("Cannot require a meta file")

---Cases for `troupe test FILE...`. Each runs in a world of its own: the file is loaded anew, time is virtual, there is
---no network, and the file itself is an agent that may do everything.
local test = {}

---One case. It fails with the first check that fails, or with what it raises.
---@param name string Unique in the file.
---@param f fun(t: troupe.test.case)
function test.case(name, f) end

---Ends the file. A file that does not get here has failed.
function test.done() end

---@class troupe.test.case What a case may do.
local t = {}

---Fails unless both are the same: tables by their content, numbers by value.
---@generic T
---@param got T
---@param expected any
---@param what string? Begins the message.
---@return T got
function t:equal(got, expected, what) end

---Fails unless `value` is true; takes what a call returned as it is: `t:ok(t:call(a, "x"))` fails with the call's error.
---@generic T
---@param value T?
---@param what any Why it failed.
---@return T value
function t:ok(value, what) end

---Fails unless `f(...)` returns `nil, err` or raises `err`, with that code.
---@async
---@param code string
---@param f function
---@param ... any
---@return troupe.failure err
function t:fails(code, f, ...) end

---What a model answers, by the rules of the provider `scripted`; a string is a reply with that text. Given again, the
---replies begin anew. Without a name it is the model `default`.
---@async
---@param name string
---@param replies (string|table)[]
---@overload fun(self, replies: (string|table)[])
function t:model(name, replies) end

---A tool, in the place of any other of that name, whose schema it then keeps.
---@async
---@param name string
---@param f (fun(args: table): any, troupe.failure?)|table A function, or what tool.define makes.
function t:tool(name, f) end

---Starts an agent, as a child of the app. Raises what its start fails with.
---@async
---@param start string|table A Lua file beside the test file, or `{ plugin = "clock", kind = "ticker" }`.
---@param spec table? The rest of a child spec; `id` is the name of the file without its ending.
---@return string name For t:call, troupe.call and wherever else an agent is named; it outlives restarts.
function t:start(start, spec) end

---troupe.call. Time moves as far as the answer needs.
---@async
---@param to troupe.address|string
---@param verb string
---@param ... any
---@return any value, troupe.failure? err
function t:call(to, verb, ...) end

---troupe.send, and waits until everybody rests.
---@async
---@param to troupe.address|string
---@param verb string
---@param ... any
function t:send(to, verb, ...) end

---Moves time; everything due on the way happens at its time. With 0: waits until everybody rests.
---@async
---@param seconds number
function t:advance(seconds) end

---@class troupe.test.event
---@field what "started"|"ended"|"crashed"|"restarted"|"given_up"|"dead_letter"
---@field agent string Its path.
---@field reason troupe.failure?

---What has become of the agents of this case, oldest first.
---@async
---@param what string? Only these.
---@return troupe.test.event[]
function t:events(what) end

---A temporary folder of this case: the same at each call, removed when the case is over.
---@async
---@return string path
function t:folder() end

return test
