-- SPDX-License-Identifier: Apache-2.0
local skynet = require("skynet")
local on = {}

function on.ping(to, n)
  for i = 1, n do
    if skynet.call(to, "lua", "echo", i) ~= i then error("a wrong answer") end
  end
  return true
end

function on.flood(to, n)
  for i = 1, n do
    skynet.send(to, "lua", "add", i)
    if i % 500 == 0 then skynet.call(to, "lua", "seen") end
  end
  return true
end

skynet.start(function()
  skynet.dispatch("lua", function(_, _, verb, ...) skynet.retpack(on[verb](...)) end)
end)
