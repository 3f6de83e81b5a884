// SPDX-License-Identifier: Apache-2.0
#include "script/lua_behaviour.hpp"

#include "script/lua_agent.hpp"

namespace troupe::script {

lua_behaviour::lua_behaviour(lua_settings settings)
    : agent_(std::make_unique<lua_agent>(std::move(settings))) {}

lua_behaviour::~lua_behaviour() = default;

progress lua_behaviour::receive(context& ctx, envelope_ptr message) {
  return agent_->receive(ctx, std::move(message));
}

progress lua_behaviour::resume(context& ctx) {
  return agent_->resume(ctx);
}

concurrency lua_behaviour::overlap() const {
  return agent_->overlap();
}

progress lua_behaviour::control(context& ctx, envelope_ptr request) {
  return agent_->control(ctx, std::move(request));
}

value lua_behaviour::inspect() const {
  return agent_->inspect();
}

}  // namespace troupe::script
