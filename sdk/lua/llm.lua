---@meta troupe.llm
-- SPDX-License-Identifier: Apache-2.0
error("Cannot require a meta file")

local llm = {}

---@class troupe.llm.usage
---@field input integer Tokens of the requests.
---@field output integer Tokens of the answers.
---@field cached integer Tokens of the requests that the provider had cached.
---@field cost number By the model's price.

---@class troupe.llm.chat_options
---@field model string? A model of the app. (Default: `"default"`)
---@field system string? What the model is told first.
---@field tools (troupe.tool|string)[]? Tools of this agent, and names of the node's.
---@field messages table[]? A conversation to go on with.
---@field max_steps integer? Requests that one `ask` may take, with tool calls between. (Default: 8)
---@field max_tokens integer? Of one answer.
---@field schema table? A JSON Schema that answers have to fit.
---@field temperature number?

---@class troupe.llm.ask_options
---@field timeout number? Seconds for all of it.
---@field on_text fun(text: string)? Gets the text as it comes; `troupe.part` passes it on.
---@field on_tool fun(name: string, args: table)? Told before a tool runs.
---@field schema table? A JSON Schema that this answer has to fit.

---@class troupe.llm.reply
---@field text string
---@field data any What the text holds, if there is a schema.
---@field calls table[]
---@field stop string Why it ended: `stop`, `length`, `calls`, `filter`.
---@field model string
---@field usage troupe.llm.usage Of all requests of this `ask`.

---@class troupe.llm.chat A conversation.
---@field messages table[] Plain data.
---@field usage troupe.llm.usage Of all that was asked.
local chat = {}

---Asks, runs the tools that the model calls, and asks again, until it answers. The conversation grows by all of it; a
---failure leaves it as it was. Fails with `budget`, `steps` (the half answer is in `err.data.reply`), `bad_response`, or
---as the endpoint does.
---@async
---@param content string|table[] Text, or parts.
---@param options troupe.llm.ask_options?
---@return troupe.llm.reply? reply, troupe.failure? err
function chat:ask(content, options) end

---Adds a message without asking.
---@param role "system"|"user"|"assistant"
---@param content string|table[]
---@return troupe.llm.chat
function chat:add(role, content) end

---Another conversation that begins as this one.
---@return troupe.llm.chat
function chat:fork() end

---Begins a conversation.
---@param options troupe.llm.chat_options?
---@return troupe.llm.chat
function llm.chat(options) end

---Asks once, without a conversation; takes the options of `llm.chat` and `chat:ask`.
---@async
---@param content string|table[]
---@param options table?
---@return troupe.llm.reply? reply, troupe.failure? err
function llm.ask(content, options) end

---The models that this agent may use.
---@async
---@return { name: string, provider: string, model: string }[]? models, troupe.failure? err
function llm.models() end

---What the budgets of this agent still hold; a key is missing where nothing caps it.
---@async
---@return { tokens: integer?, cost: number?, calls: integer?, time: number? }? left, troupe.failure? err
function llm.left() end

return llm
