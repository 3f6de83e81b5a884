// SPDX-License-Identifier: Apache-2.0
//
// The agent tests in the simulation: the node's own launcher and services, and the real Lua
// behaviours, on virtual time. Prints what `troupe run suite.lua` prints.
//
//   seam_sim SUITE.lua [SEED [TEXT]]      only the cases whose name contains TEXT
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "actors/directory/directory.hpp"
#include "actors/observer/observer.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "actors/tool/tool.hpp"
#include "exe/launcher.hpp"
#include "exe/load_app.hpp"
#include "http/client.hpp"
#include "support/simulation.hpp"

namespace troupe {
namespace {

/// The time of the simulation.
class world_clock final : public clock {
 public:
  explicit world_clock(const std::unique_ptr<test::simulation>& world) : world_(world) {}
  instant now() const override { return world_->now(); }
  wall_time wall() const override { return world_->wall(); }

 private:
  const std::unique_ptr<test::simulation>& world_;
};

/// Members end in the reverse order: agents first.
class stage {
 public:
  result<void> open(app what, std::uint64_t seed) {
    app_ = std::move(what);
    TROUPE_TRY(http, http_client::open());
    http_ = std::move(http);
    world_ = std::make_unique<test::simulation>(seed);
    world_->tracing = traces_.get();
    launcher_ = std::make_unique<node_launcher>(
        node_launcher::parts{world_.get(), &scripts_, &plugins_, nullptr});
    launcher_->add_builtin("directory", [] { return std::make_unique<directory>(); });
    launcher_->add_builtin("observer",
                           [this] { return std::make_unique<observer>(feed_, traces_); });
    launcher_->add_builtin("tool", [this] {
      return std::make_unique<tools>(tool_settings{.folder = app_.folder}, *http_, plugins_,
                                     *world_);
    });
    launcher_->add_builtin("app", [this] {
      supervisor_options tree{.spec = app_.tree, .base_folder = app_.folder, .below = ""};
      return std::make_unique<supervisor>(std::move(tree), *launcher_, *world_);
    });
    supervisor_spec services;
    services.strategy = strategy::rest_for_one;
    for (const char* name : {"directory", "observer", "tool", "app"}) {
      child_spec spec;
      spec.id = name;
      spec.start = start_builtin{name};
      spec.start_timeout = spec.shutdown = duration::max();
      if (spec.id == "app") spec.grants = app_.grants;
      services.children.push_back(std::move(spec));
    }
    auto all = std::make_shared<authority>();
    all->grants = grants::all();
    process_init root;
    root.path = "root";
    root.rights = all;
    root.makes_children = launcher_.get();
    supervisor_options tree{.spec = std::move(services), .base_folder = app_.folder, .below = ""};
    root.actions = std::make_unique<supervisor>(std::move(tree), *launcher_, *world_);
    TROUPE_CHECK(world_->add(std::move(root)));
    return ok();
  }

  result<value> run() {
    return world_->call(std::string("driver"), "run", {}, {.timeout = std::chrono::hours(100)});
  }

 private:
  app app_;
  const system_clock clock_;
  const std::unique_ptr<log_sink> sink_ = text_sink(2);
  logger log_{*sink_, clock_};
  script::code_cache codes_;
  /// Preempted by count, so that the same seed gives the same run.
  const script::environment scripts_{.cache = &codes_, .time = nullptr, .count = 1000};
  catalog plugins_{log_, TROUPE_VERSION};
  std::unique_ptr<http_client> http_;
  std::unique_ptr<test::simulation> world_;
  const world_clock time_{world_};
  const std::shared_ptr<event_feed> feed_ = std::make_shared<event_feed>(time_);
  const std::shared_ptr<trace_feed> traces_ = std::make_shared<trace_feed>(feed_, time_);
  std::unique_ptr<node_launcher> launcher_;
};

int fail(const error& why) {
  std::fprintf(stderr, "seam_sim: %s\n", why.describe().c_str());
  return 1;
}

std::string text(const value& v) {
  return std::string(v.as_string());
}

int main(const std::vector<std::string>& args) {
  if (args.empty()) return fail({errc::config, "expected the app file"});
  const auto seed = args.size() > 1 ? std::strtoull(args[1].c_str(), nullptr, 10) : 1;
  std::vector<setting> settings{{"placement", "simulation"}};
  if (args.size() > 2) settings.push_back({"only", args[2]});
  auto app = load_app(args[0], {}, settings);
  if (!app) return fail(app.error());
  stage s;
  if (auto opened = s.open(std::move(*app), seed); !opened) return fail(opened.error());
  auto answer = s.run();
  if (!answer) return fail(answer.error());
  for (const auto& one : (*answer)["results"].as_array()) {
    const auto name = text(one["name"]);
    if (one["skipped"].is_string())
      std::printf("skipped  %s: %s\n", name.c_str(), text(one["skipped"]).c_str());
    else if (one["ok"] == value(true))
      std::printf("ok       %s\n", name.c_str());
    else
      std::printf("FAILED   %s\n         %s\n", name.c_str(), text(one["message"]).c_str());
  }
  std::printf("%s\n", text((*answer)["summary"]).c_str());
  return (*answer)["failed"] == value(0) ? 0 : 1;
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  return troupe::main({argv + 1, argv + argc});
}
