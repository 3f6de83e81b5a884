// SPDX-License-Identifier: Apache-2.0
//
// The tool actor, at `tool`: it finds a tool by name, checks grant and arguments, and has the work
// done by the http client, a plugin or the agent that registered it, within a time limit. Its
// messages stand in api.hpp. Plugins do it in turns of agents below this one, `tool/PLUGIN`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "actors/tool/http_tools.hpp"
#include "actors/tool/registry.hpp"
#include "agent/behaviour.hpp"
#include "agent/carrier.hpp"
#include "agent/context.hpp"

namespace troupe {

struct tool_settings {
  /// What any call may take.
  duration time_limit = std::chrono::seconds(60);
  /// Bytes of an answer of a built-in or plugin tool.
  std::size_t max_answer = 1u << 20;
  /// Calls that may be open at once; more are overloaded.
  std::size_t max_open = 10'000;
  /// Calls that may wait for one plugin to take them; more are overloaded.
  std::uint32_t max_waiting = 1'000;
  std::uint32_t max_redirects = 5;
  /// Absolute; where relative paths in the arguments of plugin tools start.
  std::string folder = {};
  /// Offers http.get and http.post.
  bool has_network = true;
};

class tools final : public behaviour {
 public:
  /// `client`, `plugins` and `starts` outlive it.
  tools(tool_settings settings, http_client& client, tool_source& plugins, starter& starts);
  ~tools() override;

  progress receive(context& ctx, envelope_ptr e) override;
  concurrency overlap() const override { return {.slots = concurrency::unlimited}; }
  value inspect() const override;

 private:
  /// A call that is being worked on. Its cause is also the id of the call that an agent's tool or a
  /// plugin's runner gets.
  struct job {
    std::string tool;
    tool_origin origin = tool_origin::builtin;
    request_id request = 0;  ///< 0: none
    value head;
    std::string body;
  };
  /// The agent that a plugin's tools run in.
  struct runner {
    address at;
    std::uint64_t copy = 0;  ///< of the plugin
  };

  void on_call(context& ctx, const envelope& e);
  void on_list(context& ctx, const envelope& e, const value& args);
  void on_register(context& ctx, const envelope& e, const value& args);
  void on_http(context& ctx, const envelope& e);
  result<void> start(context& ctx, const envelope& e, const value& args);
  result<const known_tool*> choose(context& ctx, const envelope& e, std::string_view name);
  void refresh(context& ctx);
  /// Who runs that plugin's tool; starts one where there is none.
  result<address> runner_of(context& ctx, const tool_info& tool);
  void on_down(monitor_id id);
  /// A failure that says nothing of the tool, so that it does.
  error named(error why, const job& j) const;

  /// Answers a job and forgets it; of no effect if there is none.
  void finish(context& ctx, cause_id on, const result<bytes>& outcome);

  const tool_settings settings_;
  http_client& client_;
  tool_source& plugins_;
  starter& starts_;
  tool_registry registry_;
  outlet outlet_;
  std::unordered_map<cause_id, job> jobs_;
  std::unordered_map<request_id, cause_id> by_request_;
  std::unordered_map<monitor_id, address> watched_;     ///< agents with tools
  std::map<std::string, runner, std::less<>> runners_;  ///< by plugin
  /// Of the calls that start runners, whose answers are of no interest. Causes are far below.
  call_id last_start_ = first_own_call / 2;
  std::uint64_t calls_ = 0;
};

}  // namespace troupe
