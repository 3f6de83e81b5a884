-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local async = require("troupe.async")

local function read(s)
  local got = {}
  for part in s:parts() do got[#got + 1] = part end
  return got
end

return function(case)
  case("parts arrive in order and before the answer", function(t)
    local s <close> = troupe.stream(t:start("plain"), "parts", 100)
    local expected = {}
    for i = 1, 100 do expected[i] = i end
    t:equal(read(s), expected)
    t:equal(s:result(), "all sent")
  end)

  case("whoever wants no parts gets the answer alone", function(t)
    t:equal(t:call(t:start("plain"), "parts", 3), "nobody read")
  end)

  case("a writer stops when its reader takes nothing, and goes on when it does", function(t)
    local a = t:start("plain")
    local s = troupe.stream(a, "flood")
    t:eventually(function() return t:call(a, "notes")[1] == 16 end)
    for _ = 1, 20 do t:equal(t:call(a, "notes")[1], 16) end
    local n = 0
    for part in s:parts() do
      n = n + 1
      t:equal(part, n)
      if n == 40 then break end
    end
    s:close()
    t:eventually(function() return t:call(a, "notes")[2] == "flood ended" end)
    t:ok(t:call(a, "notes")[1] <= 40 + 16)
  end)

  case("leaving a stream early ends the writer at its next wait", function(t)
    local a = t:start("plain")
    do
      local s <close> = troupe.stream(a, "flood")
      for part in s:parts() do if part == 3 then break end end
    end
    t:noted(a, "flood ended")
    t:equal(t:call(a, "echo", 1), 1)
  end)

  case("an answer that is a failure comes after the parts", function(t)
    local s <close> = troupe.stream(t:start("plain"), "parts", 3, "fail")
    t:equal(read(s), { 1, 2, 3 })
    local v, err = s:result()
    t:equal({ v == nil, err.code, err.message }, { true, "failed", "no more" })
  end)

  case("a writer that crashes amid its parts ends the stream with down", function(t)
    local s <close> = troupe.stream(t:start("plain"), "parts", 3, "crash")
    t:equal(read(s), { 1, 2, 3 })
    local v, err = s:result()
    t:equal({ v == nil, err.code, err.cause.code }, { true, "down", "crash" })
  end)

  case("a part above 64 KiB is refused, whoever reads", function(t)
    local a = t:start("plain")
    t:equal(t:call(a, "big_part"), { ok = false, code = "too_big" })
    local s <close> = troupe.stream(a, "big_part")
    t:equal(read(s), {})
    t:equal(s:result().code, "too_big")
  end)

  case("a stream from nobody is an error where its result is asked for", function(t)
    local s <close> = troupe.stream("driver/nobody", "parts", 3)
    t:equal(read(s), {})
    local _, err = s:result()
    t:equal(err.code, "no_such_agent")
  end)

  case("two streams at once do not mix", function(t)
    local a, b = t:start("plain"), t:start("plain")
    local results = async.all {
      function() local s <close> = troupe.stream(a, "parts", 50) return #read(s) end,
      function() local s <close> = troupe.stream(b, "parts", 70) return #read(s) end,
    }
    t:equal(results, { 50, 70 })
  end)
end
