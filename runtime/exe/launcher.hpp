// SPDX-License-Identifier: Apache-2.0
//
// From a child spec to an agent of this node: where each kind of behaviour comes from, what it may
// do, which limits hold.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "actors/worker/worker.hpp"
#include "agent/launcher.hpp"
#include "exe/running_scripts.hpp"
#include "plugin/catalog.hpp"
#include "script/declaration.hpp"
#include "script/lua_behaviour.hpp"

namespace troupe {

/// What an agent may use at most: the defaults, unless its spec says otherwise.
struct agent_limits {
  std::size_t memory = 64u << 20;           ///< bytes of a script's own
  duration busy = std::chrono::seconds(1);  ///< of a script, without a wait
  mailbox_limits mailbox;
};

/// Thread-safe.
class node_launcher final : public launcher {
 public:
  struct parts {
    starter* starts = nullptr;
    const script::environment* scripts = nullptr;
    catalog* plugins = nullptr;
    /// Null: agents with a process of their own are refused.
    worker_host* workers = nullptr;
    /// The models of the app by name, or null.
    const std::map<std::string, value>* models = nullptr;
    /// Told of all that are to run a script; null: nobody asks.
    running_scripts* running = nullptr;
  };
  /// What is pointed to outlives it.
  explicit node_launcher(const parts& with) : with_(with) {}

  /// An actor of the node by name, for start_builtin. Before anything is started.
  using builtin = std::function<std::unique_ptr<behaviour>()>;
  void add_builtin(std::string name, builtin make);

  result<process_init> prepare(const child_spec& spec, const place& where) override;
  result<process_init> implicit_supervisor(const place& owner) override;

  /// What a script says of itself, as it is on disk now.
  result<std::shared_ptr<const script::declaration>> declaration_of(const child_spec& spec);

 private:
  struct known_script {
    std::int64_t changed = 0;  ///< of its file; ns
    std::int64_t size = 0;
    script::program_ptr program;
    std::shared_ptr<const script::declaration> said;  ///< shared: with those who prepare right now
  };
  result<known_script> look_up(const child_spec& spec, const start_script& start);

  const parts with_;
  std::map<std::string, builtin, std::less<>> builtins_;
  std::mutex mutex_;
  std::map<std::string, known_script> scripts_;
};

}  // namespace troupe
