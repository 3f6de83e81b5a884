-- SPDX-License-Identifier: Apache-2.0
local test = require("troupe.test")
test.case("one", function( end)
