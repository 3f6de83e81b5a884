// SPDX-License-Identifier: Apache-2.0
//
// troupe_worker: the OS process of one agent that its spec isolates. Hosts a Lua script or an agent
// kind of a plugin, or becomes the program that the spec names. Started by nodes alone.
#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>

#include "agent/child_spec.hpp"
#include "agent/watchdog.hpp"
#include "base/log.hpp"
#include "channel/worker_main.hpp"
#include "plugin/catalog.hpp"
#include "script/lua_behaviour.hpp"
#include "script/program.hpp"

namespace troupe {
namespace {

/// What the one agent needs beside itself. What the greeting brings in `extra`: memory (bytes) and
/// busy (seconds) of a script, plugin_folder of a plugin.
class workshop {
 public:
  result<std::unique_ptr<behaviour>> make(const greeting& hello) {
    TROUPE_TRY(spec, child_spec::from(hello.spec, hello.base_folder));
    if (const auto* script = std::get_if<start_script>(&spec.start))
      return make_script(hello, spec, *script);
    if (const auto* kind = std::get_if<start_plugin>(&spec.start))
      return make_plugin(hello, spec, *kind);
    return error(errc::unsupported, spec.id + ": a worker hosts scripts and plugins alone");
  }

 private:
  result<std::unique_ptr<behaviour>> make_script(const greeting& hello, const child_spec& spec,
                                                 const start_script& start) {
    TROUPE_TRY(program, script::read_program(start.file, spec.base_folder));
    script::lua_settings settings;
    settings.shared = &scripts_;
    settings.script = std::move(program);
    settings.options = spec.options;
    settings.bodies.size = hello.limits.body;
    if (const auto memory = hello.extra["memory"].as_int(); memory > 0)
      settings.memory = static_cast<std::size_t>(memory);
    if (const auto busy = hello.extra["busy"].as_double(); busy > 0) settings.busy = seconds(busy);
    return std::unique_ptr<behaviour>(std::make_unique<script::lua_behaviour>(std::move(settings)));
  }

  result<std::unique_ptr<behaviour>> make_plugin(const greeting& hello, const child_spec& spec,
                                                 const start_plugin& start) {
    TROUPE_CHECK(plugins_.add(std::string(hello.extra["plugin_folder"].as_string())));
    return plugins_.make_agent(start.plugin, start.kind, spec.options);
  }

  const system_clock clock_{};
  /// The node logs what comes out here.
  const std::unique_ptr<log_sink> sink_ = text_sink(STDERR_FILENO);
  logger log_{*sink_, clock_};
  const script::environment scripts_{.cache = nullptr, .time = &clock_};
  catalog plugins_{log_, TROUPE_VERSION};
};

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  std::optional<troupe::workshop> shop;  // not for a program that takes its place
  troupe::watchdog slices;
  return troupe::worker_main(
      argc, argv, [&](const troupe::greeting& hello) { return shop.emplace().make(hello); },
      &slices);
}
