-- SPDX-License-Identifier: Apache-2.0
--
-- require("troupe.llm"): the road to models. The broker (the agent `llm`) makes one request at a
-- time; the conversation and the loop over tool calls live here, in the agent.

local _, core = ...
local troupe = require("troupe")
local async = require("troupe.async")
local json = require("troupe.json")
local tool = require("troupe.tool")

local llm = {}

local chat_keys = {
  "model", "system", "tools", "messages", "max_steps", "max_tokens", "schema", "temperature",
}
local ask_keys = { "timeout", "on_text", "on_tool", "schema" }

local function check_keys(options, known, binding)
  for key in pairs(options) do
    if key == "priority" then  -- part of the language, but not of this version
      error(troupe.error("unsupported", binding .. ": priority can't be held by this version"), 3)
    end
    local found = false
    for _, name in ipairs(known) do found = found or key == name end
    if not found then
      error(("%s: unknown option %q: %s"):format(binding, tostring(key), table.concat(known, ", ")), 3)
    end
  end
end

--- A member of an answer that may be null.
local function given(value)
  if value == json.null then return nil end
  return value
end

local function copy(value)
  if type(value) ~= "table" then return value end
  local other = {}
  for key, member in pairs(value) do other[key] = copy(member) end
  return setmetatable(other, getmetatable(value) or nil)
end

-- -- tools of a chat ----------------------------------------------------------------------------

--- By name, what a model is told and what runs: tools of this agent, and names of the node's tools.
local function own_tools(list)
  local tools = {}
  for i, entry in ipairs(list or {}) do
    if type(entry) == "table" and type(entry.run) == "function" then
      if type(entry.name) ~= "string" then
        error(("llm.chat: tools[%d] has no name: set one, or put it into agent.on first"):format(i), 4)
      end
      tools[#tools + 1] = entry
    elseif type(entry) == "string" then
      tools[#tools + 1] = entry
    else
      error(("llm.chat: tools[%d]: a tool or a tool's name expected, got %s"):format(i, type(entry)), 4)
    end
  end
  return tools
end

--- Looks up what the node says of tools that are named only.
local function describe(tools)
  local described, run, listed = {}, {}, nil
  for _, entry in ipairs(tools) do
    local about = entry
    if type(entry) == "string" then
      if not listed then
        local all, err = tool.list()
        if not all then return nil, nil, err end
        listed = {}
        for _, one in ipairs(all) do listed[one.name] = one end
      end
      about = listed[entry]
      if not about then return nil, nil, troupe.error("not_found", "no tool is called " .. entry) end
      run[entry] = function(args) return tool.call(entry, args) end
    else
      run[entry.name] = function(args) return (entry.serve or entry.run)(core.self(), args) end
    end
    described[#described + 1] = { name = about.name, description = about.description, parameters = about.params }
  end
  return described, run
end

--- What a model gets to read of a tool's result.
local function as_content(value, err)
  if value == nil and err ~= nil then return "error: " .. tostring(err) end
  if type(value) == "string" then return value end
  local text, why = json.encode(value)
  return text or "error: the result can't be written as JSON: " .. why.message
end

-- -- chat ---------------------------------------------------------------------------------------

local chat_type = { __name = "chat", __metatable = false }
chat_type.__index = chat_type

local function no_usage() return { input = 0, output = 0, cached = 0, cost = 0 } end

local function add_usage(to, usage)
  for key in pairs(to) do
    if type(usage) == "table" and type(usage[key]) == "number" then to[key] = to[key] + usage[key] end
  end
end

function llm.chat(options)
  options = options or {}
  if type(options) ~= "table" then
    error(("bad argument #1 to 'llm.chat' (table expected, got %s)"):format(type(options)), 2)
  end
  check_keys(options, chat_keys, "llm.chat")
  local chat = setmetatable({
    model = options.model or "default",
    max_steps = options.max_steps or 8,
    max_tokens = options.max_tokens,
    schema = options.schema,
    temperature = options.temperature,
    tools = own_tools(options.tools),
    messages = copy(options.messages or {}),
    usage = no_usage(),
  }, chat_type)
  if options.system and (not chat.messages[1] or chat.messages[1].role ~= "system") then
    table.insert(chat.messages, 1, { role = "system", content = options.system })
  end
  return chat
end

function chat_type:add(role, content)
  if role ~= "system" and role ~= "user" and role ~= "assistant" then
    error(("bad argument #1 to 'add' (system, user or assistant expected, got %s)"):format(tostring(role)), 2)
  end
  self.messages[#self.messages + 1] = { role = role, content = content }
  return self
end

function chat_type:fork()
  local other = {}
  for key, member in pairs(self) do other[key] = member end
  other.messages = copy(self.messages)
  other.usage = no_usage()
  return setmetatable(other, chat_type)
end

--- One request to the broker; its text goes to `on_text` as it comes.
local function request(body, on_text)
  if not on_text then return troupe.call("llm", "chat", body) end
  local answer <close> = troupe.stream("llm", "chat", body)
  for part in answer:parts() do
    if given(part.text) and part.text ~= "" then on_text(part.text) end
  end
  return answer:result()
end

--- Asks until the model calls no more tools. Adds to `messages` as it goes.
local function converse(chat, messages, options)
  local described, run, err = describe(chat.tools)
  if not described then return nil, err end
  local schema, usage, reply = options.schema or chat.schema, no_usage(), nil
  for _ = 1, chat.max_steps do
    reply, err = request({
      model = chat.model,
      messages = json.array(messages),
      tools = #described > 0 and described or nil,
      temperature = chat.temperature,
      max_tokens = chat.max_tokens,
      schema = schema,
    }, options.on_text)
    if not reply then return nil, err end
    add_usage(usage, reply.usage)
    add_usage(chat.usage, reply.usage)
    reply.usage = usage
    local calls = given(reply.calls) or {}
    messages[#messages + 1] = {
      role = "assistant", content = given(reply.text) or "", calls = #calls > 0 and calls or nil,
    }
    if #calls == 0 then return reply end
    for _, call in ipairs(calls) do
      if options.on_tool then options.on_tool(call.name, call.args) end
      local content
      if not run[call.name] then
        content = "error: no tool is called " .. tostring(call.name)
      elseif given(call.args) == nil then
        content = "error: the arguments are not JSON: " .. tostring(call.raw)
      else
        content = as_content(run[call.name](call.args))
      end
      messages[#messages + 1] = { role = "tool", call_id = call.id, content = content }
    end
  end
  return nil, troupe.error("steps",
    ("the model still called tools after %d steps"):format(chat.max_steps), { reply = reply })
end

--- Reads the answer's text as the data that a schema asks for.
local function read_data(reply, schema)
  local data, err = json.decode(given(reply.text) or "")
  if data == nil then
    return nil, troupe.error("bad_response", "the model's answer is not JSON: " .. (err and err.message or "null"),
      { text = reply.text })
  end
  local compiled, why = core.schema(schema)
  if not compiled then return nil, why end
  local fits, problem = compiled:check(data)
  if not fits then
    return nil, troupe.error("bad_response", "the model's answer does not fit the schema: " .. problem.message,
      { text = reply.text })
  end
  reply.data = data
  return reply
end

function chat_type:ask(content, options)
  if type(content) ~= "string" and type(content) ~= "table" then
    error(("bad argument #1 to 'ask' (text or parts expected, got %s)"):format(type(content)), 2)
  end
  options = options or {}
  check_keys(options, ask_keys, "ask")
  -- On a copy: a failure leaves the conversation as it was, so that it can be asked again.
  local messages = table.move(self.messages, 1, #self.messages, 1, {})
  messages[#messages + 1] = { role = "user", content = content }
  local reply, err
  if options.timeout then
    reply, err = async.timeout(options.timeout, converse, self, messages, options)
  else
    reply, err = converse(self, messages, options)
  end
  if not reply then return nil, err end
  local schema = options.schema or self.schema
  if schema then
    reply, err = read_data(reply, schema)
    if not reply then return nil, err end
  end
  self.messages = messages
  return reply
end

-- -- without a conversation ---------------------------------------------------------------------

function llm.ask(content, options)
  options = options or {}
  check_keys(options, table.move(ask_keys, 1, #ask_keys, #chat_keys + 1, { table.unpack(chat_keys) }), "llm.ask")
  local about, asking = {}, {}
  for _, key in ipairs(chat_keys) do about[key] = options[key] end
  for _, key in ipairs(ask_keys) do asking[key] = options[key] end
  return llm.chat(about):ask(content, asking)
end

function llm.models() return troupe.call("llm", "models") end

function llm.left() return troupe.call("llm", "left") end

return llm
