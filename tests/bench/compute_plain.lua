-- SPDX-License-Identifier: Apache-2.0
package.path = arg[0]:match("^(.*)/") .. "/?.lua"
print(require("compute_work")(math.tointeger(tonumber(arg[1]))))
