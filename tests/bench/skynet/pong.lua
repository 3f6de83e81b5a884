-- SPDX-License-Identifier: Apache-2.0
local skynet = require("skynet")
local on, seen = {}, 0

function on.echo(x) return x end
function on.add() seen = seen + 1 end
function on.seen() return seen end

skynet.start(function()
  skynet.dispatch("lua", function(session, _, verb, ...)
    if session == 0 then on[verb](...) else skynet.retpack(on[verb](...)) end
  end)
end)
