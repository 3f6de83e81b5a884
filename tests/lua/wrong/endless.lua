-- SPDX-License-Identifier: Apache-2.0
local test = require("troupe.test")
test.case("endless", function() while true do end end)
test.done()
