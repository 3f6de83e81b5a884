---@meta troupe.log
-- SPDX-License-Identifier: Apache-2.0
error("Cannot require a meta file")

local log = {}

---For operators: a fixed sentence, and in the fields what varies.
---@param message string
---@param fields table<string, any>?
function log.debug(message, fields) end

---@param message string
---@param fields table<string, any>?
function log.info(message, fields) end

---@param message string
---@param fields table<string, any>?
function log.warning(message, fields) end

---@param message string
---@param fields table<string, any>?
function log.error(message, fields) end

return log
