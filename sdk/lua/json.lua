---@meta troupe.json
-- SPDX-License-Identifier: Apache-2.0
error("Cannot require a meta file")

local json = {}

---Stands for null inside tables, where nil can't be. It counts as true in a condition: compare with it.
json.null = {}

---JSON text of a value. Fails with `bad_body` for what JSON can't hold.
---@param value any
---@param indent integer? Spaces a level; without it all is on one line.
---@return string? text, troupe.failure? err
function json.encode(value, indent) end

---The value of a JSON text. Fails with `syntax`.
---@param text string
---@return any value, troupe.failure? err
function json.decode(text) end

---Marks a table as an object, also when it is empty, and returns it.
---@param table table?
---@return table
function json.object(table) end

---Marks a table as an array, also where elements are missing, and returns it.
---@param table table?
---@return table
function json.array(table) end

---A JSON Schema of an object, from a short form: `{ port = "string Its name", days = "integer?", tags = "string[]",
---unit = { "c", "f" }, at = { lat = "number" } }`. A member with `?` may be missing; words after the type describe it; a
---list means one of its elements. A table with a `type` is a schema as it is.
---@param form table<string, any>
---@return table schema
function json.schema(form) end

return json
