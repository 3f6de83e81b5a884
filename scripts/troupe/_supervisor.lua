-- SPDX-License-Identifier: Apache-2.0
--
-- troupe.supervisor(path): OTP's supervisor functions as calls to the supervisor there.

local troupe = require("troupe")

local supervisor_type = { __name = "supervisor", __metatable = false }
supervisor_type.__index = {}
supervisor_type.__tostring = function(s) return "supervisor " .. s.path end

for _, verb in ipairs({
  "terminate_child", "delete_child", "which_children", "which_child", "count_children", "get_childspec", "upgrade",
  "reload", "resize_pool",
}) do
  supervisor_type.__index[verb] = function(s, ...) return troupe.call(s.path, verb, ...) end
end

-- What a child says with its start comes third, so that the first two are as everywhere.
for _, verb in ipairs({ "start_child", "restart_child" }) do
  supervisor_type.__index[verb] = function(s, ...)
    local started, err = troupe.call(s.path, verb, ...)
    if type(started) == "table" then return started.address, nil, started.info end
    return started, err
  end
end

return function(path)
  if type(path) ~= "string" or path == "" then
    error(("bad argument #1 to 'supervisor' (path expected, got %s)"):format(type(path)), 2)
  end
  return setmetatable({ path = path }, supervisor_type)
end
