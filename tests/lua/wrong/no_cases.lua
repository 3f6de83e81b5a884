-- SPDX-License-Identifier: Apache-2.0
require("troupe.test").done()
