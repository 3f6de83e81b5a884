// SPDX-License-Identifier: Apache-2.0
#include "exe/node.hpp"

#include <malloc.h>
#include <unistd.h>

#include "actors/directory/directory.hpp"
#include "actors/llm/llm.hpp"
#include "actors/observer/observer.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "actors/tool/tool.hpp"
#include "base/msgpack.hpp"
#include "exe/prefix.hpp"
#include "exe/version.hpp"

namespace troupe {

/// Runtime events go to the observer's feed and to the person at the terminal.
class node::events final : public event_sink {
 public:
  events(event_feed& feed, console* screen, running_scripts* running)
      : feed_(feed), screen_(screen), running_(running) {}
  void on_event(const runtime_event& event) override {
    if (running_ != nullptr && event.what == runtime_event::what::ended)
      running_->ended(event.path);
    feed_.on_event(event);
    if (screen_ != nullptr) screen_->show(event);
  }

 private:
  event_feed& feed_;
  console* screen_;
  running_scripts* running_;  ///< null: nothing is watched
};

namespace {

child_spec builtin(std::string name, restart_type restart) {
  child_spec spec;
  spec.id = name;
  spec.start = start_builtin{std::move(name)};
  spec.restart = restart;
  spec.shutdown = duration::max();
  spec.start_timeout = duration::max();
  return spec;
}

}  // namespace

void add_installed_plugins(catalog& all, logger& log) {
  for (const auto& failed : all.add_all(plugin_folder()))
    log.write(log_level::warning, "exe", "a plugin is left out", {{"reason", failed.describe()}});
}

result<void> add_plugins(catalog& all, const app& what) {
  for (const auto& folder : what.plugins) {
    auto added = all.add(folder);
    if (added) continue;
    error why = added.error();
    why.message = what.name + ": plugins: " + why.message;
    return why;
  }
  return ok();
}

node::node(const node_settings& with, app what)
    : with_(with),
      app_(std::move(what)),
      console_(with.screen, clock_),
      filter_(console_, with.least),
      log_(filter_, clock_, log_level::info),
      feed_(std::make_shared<event_feed>(clock_)),
      traces_(std::make_shared<trace_feed>(feed_, clock_)),
      events_(std::make_unique<events>(*feed_, with.shows_crashes ? &console_ : nullptr,
                                       with.watched_app.empty() ? nullptr : &running_)),
      plugins_(std::make_unique<catalog>(log_, version)) {
  scripts_.cache = &codes_;
  scripts_.time = &clock_;
}

node::~node() {
  if (!stopped_) stop(std::chrono::seconds(5));
  door_.reset();
}

result<std::unique_ptr<node>> node::open(const node_settings& with, app what) {
  std::unique_ptr<node> n(new node(with, std::move(what)));
  if (auto started = n->start(); !started) return started.error();
  return n;
}

namespace {

/// Gives memory back that an agent took: large blocks at once, and what is free at the end of a
/// heap. By itself the C library keeps up to 64 MiB for each thread, once it saw large blocks.
void give_memory_back() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
#endif
}

}  // namespace

result<void> node::start() {
  give_memory_back();
  if (!with_.watched_app.empty()) {
    TROUPE_TRY(watch, file_watch::open());
    watch_ = std::move(watch);
    scripts_.reads = [this](const std::string& file) {
      if (auto added = watch_->add(file); !added) console_.print("watch: " + added.error().message);
    };
  }
  add_installed_plugins(*plugins_, log_);
  TROUPE_CHECK(add_plugins(*plugins_, app_));
  TROUPE_TRY(http, http_client::open());
  http_ = std::move(http);
  TROUPE_TRY(io, poller::open());
  io_ = std::move(io);
  workers_ = std::make_unique<worker_host>(*io_, worker_program());

  node_options options;
  options.threads = with_.threads;
  options.events = events_.get();
  options.log = &log_;
  options.traces = traces_;
  options.time = &clock_;
  carrier_ = std::make_unique<node_carrier>(options);
  launcher_ = std::make_unique<node_launcher>(
      node_launcher::parts{carrier_.get(), &scripts_, plugins_.get(), workers_.get(), &app_.models,
                           watch_ ? &running_ : nullptr});

  launcher_->add_builtin("directory", [] { return std::make_unique<directory>(); });
  launcher_->add_builtin("observer", [this] { return std::make_unique<observer>(feed_, traces_); });
  launcher_->add_builtin("tool", [this] {
    return std::make_unique<tools>(tool_settings{.folder = app_.folder}, *http_, *plugins_,
                                   *carrier_);
  });
  launcher_->add_builtin("llm", [this] {
    return std::make_unique<llm>(llm::settings{app_.models, app_.folder}, *plugins_, *http_);
  });
  launcher_->add_builtin("app", [this] {
    supervisor_options tree{.spec = app_.tree, .base_folder = app_.folder, .below = ""};
    if (with_.reads_app)
      tree.reads = [this]() -> result<supervisor_spec> {
        TROUPE_TRY(next, with_.reads_app());
        return std::move(next.tree);
      };
    return std::make_unique<supervisor>(std::move(tree), *launcher_, *carrier_);
  });

  auto all = std::make_shared<authority>();
  all->grants = grants::all();
  TROUPE_TRY(door, gateway::open(*carrier_, "door", all));
  door_ = std::move(door);

  // Services first, the app last; stopped in the reverse order. An app that gives up is not started
  // again: that is for whoever runs the node to see.
  supervisor_spec services;
  services.strategy = strategy::rest_for_one;
  for (const char* name : {"directory", "observer", "tool", "llm"})
    services.children.push_back(builtin(name, restart_type::permanent));
  auto application = builtin("app", restart_type::temporary);
  application.grants = app_.grants;
  application.budget = app_.budget;
  services.children.push_back(std::move(application));

  process_init root;
  root.path = "root";
  root.rights = all;
  root.makes_children = launcher_.get();
  supervisor_options tree{.spec = std::move(services), .base_folder = app_.folder, .below = ""};
  root.actions = std::make_unique<supervisor>(std::move(tree), *launcher_, *carrier_);
  TROUPE_TRY(started, door_->start(std::move(root), duration::max()));
  root_ = started;
  return watch_ ? begin_watch() : ok();
}

result<void> node::begin_watch() {
  TROUPE_CHECK(watch_->add(with_.watched_app));
  child_spec spec;
  spec.id = "watch";
  spec.start = start_script{shell_folder() + "/watch.lua"};
  spec.base_folder = app_.folder;
  spec.grants = grants::all();
  spec.options.set("app", with_.watched_app).set("folder", app_.folder);
  TROUPE_TRY(init, launcher_->prepare(spec, {"shell/watch", door_->self(), nullptr}));
  TROUPE_TRY(agent, door_->start(std::move(init)));
  tell_watch(agent, {});
  return watch_->begin(
      *io_, [this, agent](std::vector<std::string> files) { tell_watch(agent, std::move(files)); });
}

/// The agent (scripts/shell/watch.lua) asks who runs these files, and says which are in use: what
/// agents in other processes require is not seen here.
void node::tell_watch(const address& agent, std::vector<std::string> files) {
  value::array changed, running;
  for (auto& file : files)
    changed.emplace_back(std::move(file));
  for (auto& path : running_.paths())
    running.emplace_back(std::move(path));
  auto body = pack(value(value::array{value(std::move(changed)), value(std::move(running))}));
  if (!body) return console_.print("watch: " + body.error().describe());
  call_options options;
  options.timeout = duration::max();
  door_->begin_call(agent, "changed", std::move(*body), options, [this](result<bytes> answer) {
    auto used = answer ? unpack(answer->view()) : answer.error();
    if (!used) {
      if (!used.error().is(errc::cancelled))  // the node stops
        console_.print("watch: " + used.error().describe());
      return;
    }
    for (const auto& file : used->as_array())
      scripts_.reads(std::string(file.as_string()));
  });
}

std::optional<error> node::wait_end(duration limit) {
  return door_->wait_end(std::string("app"), limit);
}

shutdown_report node::stop(duration limit) {
  stopped_ = true;
  if (watch_) watch_->end();
  if (!carrier_) return {};
  const auto began = clock_.now();
  if (root_) {
    door_->exit(root_, {errc::shutdown, "the node stops"});
    door_->wait_end(root_, limit);
  }
  door_.reset();
  const auto left = limit - (clock_.now() - began);
  auto report = carrier_->shutdown(std::max<duration>(left, std::chrono::seconds(0)));
  if (!report.stuck.empty()) {
    for (const auto& path : report.stuck)
      log_.write(log_level::error, "exe", "an agent does not come out of its turn",
                 {{"agent", path}});
  }
  return report;
}

}  // namespace troupe
