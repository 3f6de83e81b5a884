-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local json = require("troupe.json")
local show = require("agents.show")

local inf = math.huge

local kinds = {
  ["nil"] = { nil },
  ["true"] = { true }, ["false"] = { false },
  ["an integer"] = { 3 }, ["a negative integer"] = { -33 },
  ["the largest integer"] = { math.maxinteger }, ["the smallest integer"] = { math.mininteger },
  ["a whole float"] = { 3.0 }, ["minus zero"] = { -0.0 }, ["a large float"] = { 2.0 ^ 63 },
  ["NaN"] = { 0 / 0 }, ["infinity"] = { inf }, ["minus infinity"] = { -inf },
  ["the empty text"] = { "" }, ["text"] = { "ä" }, ["text with a zero"] = { "a\0b" }, ["bytes"] = { "\xff" },
  ["a list"] = { { 1, "b" } }, ["the empty list"] = { {} }, ["the empty map"] = { json.object {} },
  ["empty members"] = { { a = {}, b = json.object {} } },
  ["a map"] = { { bb = 1, c = 2, a = 3 } },
  ["a list with a hole"] = { { 1, nil, 3 } },
  ["a list from zero"] = { { [0] = "z", "a" } },
  ["a list with names"] = { { "a", x = 1 } },
  ["negative keys"] = { { [-1] = 1 } }, ["float keys"] = { { [0.5] = 1 } }, ["boolean keys"] = { { [true] = 1 } },
  ["keys of bytes"] = { { ["\xff"] = 1 } },
  ["null in a list"] = { { 1, json.null, 3 } },
}

local function nested(depth)
  local t = "bottom"
  for _ = 1, depth do t = { t } end
  return t
end

return function(case)
  case("every kind of value arrives as it was sent, and comes back so", function(t)
    local a = t:start("plain")
    for name, v in pairs(kinds) do
      t:equal(t:call(a, "show", v[1]), show(v[1]), name .. " on the way there")
      t:equal(t:call(a, "echo", v[1]), v[1], name .. " on the way back")
    end
  end)

  case("null alone arrives as nil", function(t)
    t:equal(t:call(t:start("plain"), "show", json.null), "nil")
  end)

  case("arguments that are nil keep their places", function(t)
    local a = t:start("plain")
    t:equal(t:call(a, "count"), 0)
    t:equal(t:call(a, "count", nil, 2, nil), 3)
  end)

  case("an address in a body is one", function(t)
    local a, b = t:start("plain"), t:start("plain")
    t:ok(t:call(a, "echo", { to = b }).to == b, "it is another address")
    t:equal(t:call(a, "relay", b, "echo", 7), 7)
    t:ok(t:call(a, "who") == a)
  end)

  case("what lies 99 lists deep travels, what lies deeper is too_big", function(t)
    local a = t:start("plain")
    t:equal(t:call(a, "show", nested(99)), show(nested(99)))
    local ok, err = pcall(troupe.call, a, "echo", nested(150))
    t:ok(not ok, "it was sent")
    t:equal(err.code, "too_big")
  end)

  case("a cycle is too deep to be sent", function(t)
    local a, cycle = t:start("plain"), {}
    cycle.me = cycle
    local ok, err = pcall(troupe.call, a, "echo", cycle)
    t:equal({ ok, err.code }, { false, "too_big" })
  end)

  case("a function, a coroutine and a timer's handle can't be sent", function(t)
    local a = t:start("plain")
    for _, v in ipairs { print, coroutine.create(print), function() end } do
      local ok, err = pcall(troupe.call, a, "echo", { v })
      t:equal({ ok, err.code }, { false, "bad_body" })
      ok, err = pcall(troupe.send, a, "note", v)
      t:equal({ ok, err.code }, { false, "bad_body" })
    end
    t:equal(t:call(a, "notes"), {})
  end)

  case("a body above 16 MiB is too_big at the sender and kills nobody", function(t)
    local a = t:start("plain")
    local ok, err = pcall(troupe.call, a, "count", ("x"):rep(17 << 20))
    t:equal({ ok, err.code }, { false, "too_big" })
    t:equal(t:call(a, "count", ("x"):rep(1 << 20)), 1)
  end)

  case("a body that does not fit the memory left is too_big and does not kill its receiver", function(t)
    local a = t:start("plain", { limits = { memory = 2 << 20 } })
    t:equal(t:refused(a, "count", ("x"):rep(4 << 20)).code, "too_big")
    t:equal(t:call(a, "count", "x"), 1)
  end)

  case("a reply that can't be packed fails the call alone", function(t)
    local a = t:start("plain")
    local err = t:refused(a, "bad_reply")
    t:equal(err.code, "bad_body")
    t:matches(err.message, "the reply")
    t:equal(t:call(a, "echo", 1), 1)
  end)
end
