// SPDX-License-Identifier: Apache-2.0
//
// What all conformance cases share: short ways to make a tree and to ask it.
#pragma once

#include <gmock/gmock.h>

#include "support/team.hpp"

namespace troupe::test {

namespace api = supervisor_api;
using what = enum runtime_event::what;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr strategy all_strategies[] = {strategy::one_for_one, strategy::one_for_all,
                                       strategy::rest_for_one};

struct conformance : team {
  /// Of children that are all made like `one`.
  static supervisor_spec simple(child_spec one, std::uint32_t intensity = 3) {
    return of({std::move(one)}, strategy::simple_one_for_one, intensity);
  }
  static child_spec with_shutdown(child_spec spec, duration shutdown) {
    spec.shutdown = shutdown;
    return spec;
  }
  /// As an app file writes it.
  static value as_tree(supervisor_spec spec) {
    return nested("x", std::move(spec)).to_value()["start"];
  }
  static value tree_of(const char* strategy, value::array children) {
    value v = value::map{};
    v.set("strategy", strategy).set("children", std::move(children));
    return v;
  }

  /// Starts one more child of top, with options for a template or a spec.
  address add(value given = {}) {
    const auto said = ask(api::start_child, {std::move(given)});
    EXPECT_TRUE(said) << said.error().describe();
    return said ? address_from(*said) : address();
  }
  result<value> ask_at(const std::string& path, std::string_view verb, value::array args = {}) {
    auto said = sim.call(path, verb, std::move(args), {.timeout = duration::max()});
    sim.settle();
    return said;
  }
  std::string code_for(const address& child, std::string_view verb) {
    return code_of(verb, {to_value(child)});
  }
  std::int64_t counted(const char* what, const std::string& path = "top") {
    return (*ask_at(path, api::count_children))[what].as_int(-1);
  }
  /// {specs, active, supervisors, workers}
  std::vector<std::int64_t> counts(const std::string& path = "top") {
    return {counted("specs", path), counted("active", path), counted("supervisors", path),
            counted("workers", path)};
  }
  std::size_t children() { return ask(api::which_children)->as_array().size(); }
  std::string reason(const address& a) const {
    const auto* why = sim.reason_of(a);
    return why != nullptr ? why->code : "alive";
  }
  /// Three significant children. One ends, if the supervisor can bear that, then auto_shutdown
  /// changes, then the others end: how many of those until the supervisor did; 0: it did not.
  int ends_after_change(auto_shutdown before, auto_shutdown after) {
    const auto tree = [](auto_shutdown when) {
      std::vector<child_spec> children;
      for (const char* id : {"a", "b", "c"}) {
        children.push_back(worker(id, restart_type::transient));
        children.back().significant = when != auto_shutdown::never;
      }
      auto spec = of(std::move(children));
      spec.auto_shutdown = when;
      return spec;
    };
    const auto sup = top(tree(before));
    if (before != auto_shutdown::any_significant) end("top/c", "normal");
    EXPECT_EQ(code_of(api::upgrade, {as_tree(tree(after))}), "ok");
    EXPECT_EQ(reason(sup), "alive") << "a change alone ends nothing";
    int ended = 0;
    for (const char* path : {"top/a", "top/b", "top/c"}) {
      if (!at(path)) continue;
      end(path, "normal");
      ++ended;
      if (reason(sup) == "shutdown") return ended;
    }
    return 0;
  }
  void stop(const std::string& path = "top") { sim.exit(at(path), errc::shutdown); }
  void kill(const target& whom) { sim.exit(whom, errc::kill); }
};

}  // namespace troupe::test
