---@meta troupe.tool
-- SPDX-License-Identifier: Apache-2.0
error("Cannot require a meta file")

local tool = {}

---@class troupe.tool.form
---@field [1] string What it does, for models.
---@field name string? In `agent.on` it is the verb.
---@field params table? A JSON Schema of the arguments, as of `json.schema`. (Default: none)
---@field run fun(self: troupe.self, args: table): any `nil, err` goes back to the model; a raise crashes the agent.

---@class troupe.tool
---@field name string?
---@field description string
---@field params table

---Makes a tool. In `agent.on.x` it is a verb, and the node's tool `<id>.x`, for the members of a pool one tool with the pool's id,
---whose calls go through the pool; handed to `llm.chat` alone it stays private.
---@param form troupe.tool.form
---@return troupe.tool
function tool.define(form) end

---Calls a tool of the node. Fails with `not_found`, `denied`, `bad_argument`, or as the tool does.
---@async
---@param name string
---@param args table?
---@return any value, troupe.failure? err
function tool.call(name, args) end

---The node's tools that this agent may use.
---@async
---@return { name: string, description: string, params: table }[]? tools, troupe.failure? err
function tool.list() end

return tool
