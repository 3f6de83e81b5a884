// SPDX-License-Identifier: Apache-2.0
//
// One running node, put together: carrier, services, an app's tree, and the door through which main
// and the shell come in. Everything above it is command line.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/observer/event_feed.hpp"
#include "actors/observer/trace_feed.hpp"
#include "actors/worker/worker.hpp"
#include "base/log.hpp"
#include "config/app.hpp"
#include "core/gateway.hpp"
#include "core/node_carrier.hpp"
#include "exe/console.hpp"
#include "exe/file_watch.hpp"
#include "exe/launcher.hpp"
#include "http/client.hpp"

namespace troupe {

struct node_settings {
  console::settings screen;
  log_level least = log_level::warning;
  std::size_t threads = 0;  ///< 0: as many as there are cores
  /// Crashes and restarts are shown to a person.
  bool shows_crashes = true;
  /// Reads the app's file as it is now, for `reload` of the app; empty: there is none.
  std::function<result<app>()> reads_app = {};
  /// The app's file, absolute: when it changes it is merged into the tree that runs, and agents
  /// whose scripts change get the new code. Empty: nothing is watched.
  std::string watched_app = {};
};

/// Adds the plugins that came with the node. One that can't be added is logged and left out.
void add_installed_plugins(catalog& all, logger& log);
/// Adds the plugins that the app brings along. Fails as catalog::add does, naming the app.
result<void> add_plugins(catalog& all, const app& what);

/// Members are built in their order and end in the reverse: agents first, then loops, then plugins.
class node {
 public:
  /// Starts the services and the app's tree. Fails as the first child that can't be started.
  static result<std::unique_ptr<node>> open(const node_settings& with, app what);
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  gateway& door() { return *door_; }
  node_carrier& agents() { return *carrier_; }
  node_launcher& launcher() { return *launcher_; }
  catalog& plugins() { return *plugins_; }
  console& screen() { return console_; }
  const app& running() const { return app_; }

  /// Waits until the app's tree has ended by itself; see gateway::wait_end.
  std::optional<error> wait_end(duration limit);
  /// Stops the app and the services in reverse order, each within its own time, all within `limit`.
  /// What is left then is killed.
  shutdown_report stop(duration limit = std::chrono::seconds(30));

 private:
  class events;
  node(const node_settings& with, app what);
  result<void> start();
  result<void> begin_watch();
  void tell_watch(const address& agent, std::vector<std::string> files);

  const node_settings with_;
  app app_;
  troupe::system_clock clock_;
  console console_;
  console_sink filter_;
  logger log_;
  std::shared_ptr<event_feed> feed_;    ///< shared: with the observer, which may be started anew
  std::shared_ptr<trace_feed> traces_;  ///< shared as feed_ is, and with the carrier
  std::unique_ptr<events> events_;
  std::unique_ptr<file_watch> watch_;  ///< null: nothing is watched
  running_scripts running_;            ///< empty unless something is watched
  script::code_cache codes_;
  script::environment scripts_;
  std::unique_ptr<catalog> plugins_;
  std::unique_ptr<http_client> http_;
  std::unique_ptr<poller> io_;
  std::unique_ptr<worker_host> workers_;
  std::unique_ptr<node_carrier> carrier_;
  std::unique_ptr<node_launcher> launcher_;
  std::unique_ptr<gateway> door_;
  address root_;
  bool stopped_ = false;
};

}  // namespace troupe
