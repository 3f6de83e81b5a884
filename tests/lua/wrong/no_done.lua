-- SPDX-License-Identifier: Apache-2.0
local test = require("troupe.test")
test.case("never run", function() error("it ran") end)
if test then return end
test.done()
