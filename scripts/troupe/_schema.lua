-- SPDX-License-Identifier: Apache-2.0
--
-- json.schema: a JSON Schema from a short form.
--   port = "string"                 a required member
--   days = "integer? how many"      an optional one, described
--   tags = "string[]"               a list
--   unit = { "c", "f" }             one of these
--   at = { lat = "number" }         an object of its own
--   id = { type = "string", pattern = "^x" }   a JSON Schema as it is

local types = {
  string = "string", number = "number", integer = "integer", boolean = "boolean",
  object = "object", array = "array", table = "object", list = "array",
}

local json = require("troupe.json")

local convert

local function from_text(name, text)
  local kind, optional, description = text:match("^(%a+%[?%]?)(%??)%s*(.*)$")
  if not kind then error(("json.schema: %s: %q is no type"):format(name, text), 0) end
  local schema = json.object()
  local element = kind:match("^(%a+)%[%]$")
  if element then
    schema.type = "array"
    kind = element
  end
  if kind ~= "any" then
    local known = types[kind]
    if not known then
      error(("json.schema: %s: unknown type %q: string, number, integer, boolean, object, array, any"):format(name, kind), 0)
    end
    if element then
      schema.items = { type = known }
    else
      schema.type = known
    end
  end
  if description ~= "" then schema.description = description end
  return schema, optional == "?"
end

local function member(name, form)
  if type(form) == "string" then return from_text(name, form) end
  if type(form) ~= "table" then
    error(("json.schema: %s: a type or a table expected, got %s"):format(name, type(form)), 0)
  end
  if #form > 0 then return { enum = form } end
  if type(form.type) == "string" and (types[form.type] == form.type or form.type == "null") then return form end
  return convert(form, name .. ".")
end

function convert(form, prefix)
  local properties, required, names = {}, {}, {}
  for name in pairs(form) do
    if type(name) ~= "string" then
      error(("json.schema: %sa member's name is a string, got %s"):format(prefix, type(name)), 0)
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local schema, optional = member(prefix .. name, form[name])
    properties[name] = schema
    if not optional then required[#required + 1] = name end
  end
  return {
    type = "object",
    properties = json.object(properties),
    required = json.array(required),
    additionalProperties = false,
  }
end

return function(form)
  if type(form) ~= "table" then
    error(("bad argument #1 to 'json.schema' (table expected, got %s)"):format(type(form)), 2)
  end
  if form.type == "object" and type(form.properties) == "table" then return form end
  return convert(form, "")
end
