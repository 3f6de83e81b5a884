// SPDX-License-Identifier: Apache-2.0
#include "unit/script/lua_agents.hpp"

#include "base/json.hpp"

namespace troupe::script {

std::string lua_agents::show(const value& v) {
  auto text = to_json(v);
  return text ? *text : text.error().describe();
}

}  // namespace troupe::script
