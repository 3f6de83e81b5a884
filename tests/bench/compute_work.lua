-- SPDX-License-Identifier: Apache-2.0
return function(n)
  local x = 0
  for i = 1, n do
    x = (x + i * 7) % 1000003
  end
  return x
end
