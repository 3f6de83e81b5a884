// SPDX-License-Identifier: Apache-2.0
//
// Tools as a plugin would offer them, without one.
#pragma once

#include <functional>
#include <map>

#include "base/msgpack.hpp"
#include "plugin/tools.hpp"

namespace troupe::test {

inline value object_schema(value properties = value::map{}, value::array required = {}) {
  value v;
  v.set("type", "object").set("properties", std::move(properties));
  v.set("required", std::move(required));
  return v;
}

class fake_plugins final : public tool_source {
 public:
  /// Null: the answer comes later, or never.
  using work = std::function<std::optional<result<bytes>>(const tool_request&, const outlet&)>;

  void offer(tool_info info, work w = {}) {
    work_[info.name] = std::move(w);
    infos_.push_back(std::move(info));
  }
  void withdraw_all() { infos_.clear(); }

  std::vector<tool_info> tools() const override { return infos_; }
  result<void> hold(std::uint64_t) override { return ok(); }
  void let_go(std::uint64_t) override {}
  std::optional<result<bytes>> call_tool(const tool_request& request,
                                         const outlet& later) override {
    requests.push_back(request);
    const auto& w = work_[request.name];
    return w ? w(request, later) : std::nullopt;
  }
  void cancel_tool(std::string_view name, std::uint64_t, std::uint64_t id) override {
    cancelled.emplace_back(name, id);
  }

  std::vector<tool_request> requests;
  std::vector<std::pair<std::string, std::uint64_t>> cancelled;

 private:
  std::vector<tool_info> infos_;
  std::map<std::string, work> work_;
};

}  // namespace troupe::test
