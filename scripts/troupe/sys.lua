-- SPDX-License-Identifier: Apache-2.0
--
-- require("troupe.sys"): looks into agents that run, and changes them, as OTP's sys does. The stubs in
-- sdk/lua/sys.lua say what each function answers.

local _, core = ...
local troupe, async = require("troupe"), require("troupe.async")

local sys = {}

function sys.inspect(whom) return core.control(whom, "@inspect", true) end

function sys.suspend(whom) return core.control(whom, "@suspend") end

function sys.resume(whom) return core.control(whom, "@resume") end

function sys.state(whom) return core.control(whom, "@state") end

function sys.replace_state(whom, state) return core.control(whom, "@replace_state", state) end

function sys.reload(whom) return core.control(whom, "@upgrade") end

function sys.trace(pattern, limits)
  -- A little longer than the trace itself, which ends with a summary.
  local seconds = type(limits) == "table" and type(limits.seconds) == "number" and limits.seconds or 10
  return async.timeout(seconds + 5, troupe.stream, "observer", "trace", pattern, limits)
end

return sys
