// SPDX-License-Identifier: Apache-2.0
#include "agent/child_spec.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/nearest.hpp"
#include "base/utf8.hpp"

namespace troupe {

namespace {

using names = std::vector<std::string_view>;

constexpr std::array<std::string_view, 3> restart_types = {"permanent", "transient", "temporary"};
constexpr std::array<std::string_view, 4> strategies = {"one_for_one", "one_for_all",
                                                        "rest_for_one", "simple_one_for_one"};
constexpr std::array<std::string_view, 3> auto_shutdowns = {"never", "any_significant",
                                                            "all_significant"};
constexpr std::array<std::string_view, 3> isolations = {"none", "process", "sandbox"};

const names child_keys = {"id",          "start",   "restart", "shutdown", "drain",
                          "significant", "backoff", "jitter",  "isolate",  "start_timeout",
                          "pool",        "options", "limits",  "grants",   "budget"};
/// Part of the language, but not of this version: refused instead of ignored.
const names later_child_keys = {"min_level", "node", "sha256", "durable"};
const names supervisor_keys = {"strategy", "intensity", "period",  "auto_shutdown",
                               "backoff",  "jitter",    "children"};
const names pool_keys = {"size", "queue", "by", "intensity", "period"};

constexpr std::int64_t largest_pool = 10'000;
constexpr std::size_t longest_id = 100;

bool has(const names& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

error wrong(std::string_view key, std::string_view expected, const value& got) {
  std::string what(got.type_name());
  if (got.is_string()) what = "\"" + std::string(utf8_prefix(got.as_string(), longest_id)) + "\"";
  if (got.is_double()) what = "number " + std::to_string(got.as_double());
  if (got.is_int()) what = std::to_string(got.as_int());
  return {errc::config, std::string(key) + ": expected " + std::string(expected) + ", got " + what};
}

error within(const std::string& where, error e) {
  e.message = where + ": " + e.message;
  return e;
}

/// An empty table of a script may come as an empty list.
bool is_table(const value& v) {
  return v.is_map() || (v.is_array() && v.as_array().empty());
}

result<void> check_keys(const value& v, const names& known, const names& later = {}) {
  for (const auto& [key, member] : v.as_map()) {
    const auto name = key.is_int() ? std::to_string(key.as_int()) : std::string(key.as_string());
    if (has(known, name)) continue;
    if (has(later, name)) return {errc::unsupported, name + " can't be held by this version"};
    return {errc::config, unknown_name("key", name, known)};
  }
  return ok();
}

template <class Enum, std::size_t N>
result<Enum> one_of(std::string_view key, const value& v,
                    const std::array<std::string_view, N>& known, Enum fallback) {
  if (v.is_nil()) return fallback;
  if (!v.is_string()) return wrong(key, "a name", v);
  const auto at = std::find(known.begin(), known.end(), v.as_string());
  if (at == known.end())
    return error(errc::config, unknown_name(key, v.as_string(), names(known.begin(), known.end())));
  return static_cast<Enum>(at - known.begin());
}

result<std::uint32_t> whole_number(std::string_view key, const value& v, std::int64_t least,
                                   std::int64_t most, std::uint32_t fallback) {
  if (v.is_nil()) return fallback;
  const auto n = v.as_int(-1);
  if (n < least || n > most)
    return wrong(key,
                 "a whole number from " + std::to_string(least) + " to " + std::to_string(most), v);
  return static_cast<std::uint32_t>(n);
}

result<duration> positive_seconds(std::string_view key, const value& v, duration fallback) {
  if (v.is_nil()) return fallback;
  const double s = v.as_double();
  if (!(s > 0)) return wrong(key, "seconds above 0", v);
  return seconds(s);
}

result<duration> shutdown_time(const value& v, duration fallback) {
  if (v.is_nil()) return fallback;
  if (v.as_string() == "brutal_kill") return duration::zero();
  if (v.as_string() == "infinity") return duration::max();
  const double s = v.as_double(-1);
  if (!(s >= 0)) return wrong("shutdown", "seconds, \"brutal_kill\" or \"infinity\"", v);
  return seconds(s);
}

result<duration> drain_time(const value& v) {
  if (v.is_nil()) return duration::zero();
  if (v.as_string() == "infinity") return duration::max();
  const double s = v.as_double(-1);
  if (!(s >= 0)) return wrong("drain", "seconds or \"infinity\"", v);
  return seconds(s);
}

/// From the keys `backoff` and `jitter` of `v`; what is missing is as in `fallback`.
result<restart_backoff> backoff_from(const value& v, restart_backoff fallback) {
  if (const auto& waits = v["backoff"]; !waits.is_nil()) {
    const auto& both = waits.as_array();
    const bool is_pair = both.size() == 1 || both.size() == 2;
    const double least = is_pair ? both.front().as_double(-1) : -1;
    const double most = is_pair ? both.back().as_double(-1) : -1;
    const bool is_off = least == 0 && most == 0;
    if (!is_off && (!(least > 0) || !(most >= least)))
      return wrong("backoff", "the first wait and the longest in seconds, as { 1, 60 }", waits);
    fallback.least = seconds(least);
    fallback.most = seconds(most);
  }
  if (const auto& part = v["jitter"]; !part.is_nil()) {
    fallback.jitter = part.as_double(-1);
    if (!(fallback.jitter >= 0) || fallback.jitter > 1) return wrong("jitter", "0 to 1", part);
  }
  return fallback;
}

result<value> plain_table(std::string_view key, const value& v) {
  if (v.is_nil()) return value(value::map{});
  if (!is_table(v)) return wrong(key, "a table", v);
  return v.is_map() ? v : value(value::map{});
}

}  // namespace

result<std::string> child_id_from(const value& v) {
  if (!v.is_string()) return wrong("id", "text", v);
  const std::string id(v.as_string());
  // A path and a verb are written `desk/writer.draft@node`; ~ is for names that the node makes.
  const bool is_clean = std::none_of(id.begin(), id.end(), [](unsigned char c) {
    return c <= ' ' || c == 0x7f || c == '/' || c == '.' || c == '@' || c == '=' || c == '~';
  });
  if (id.empty() || id.size() > longest_id || !is_clean)
    return wrong("id", "1 to 100 characters without spaces and / . @ = ~", v);
  return id;
}

namespace {

result<pool_spec> pool_from(const value& v, std::uint32_t intensity, duration period) {
  const pool_spec pool;
  TROUPE_CHECK(check_keys(v, pool_keys));
  TROUPE_TRY(size, whole_number("size", v["size"], 1, largest_pool, pool.size));
  TROUPE_TRY(queue, whole_number("queue", v["queue"], 0, 1'000'000, pool.queue));
  const auto& by = v["by"];
  if (!by.is_nil() && by.as_string() != "free" && by.as_string() != "key")
    return wrong("by", "\"free\" or \"key\"", by);
  TROUPE_TRY(allowed, whole_number("intensity", v["intensity"], 0, 1'000'000, intensity));
  TROUPE_TRY(span, positive_seconds("period", v["period"], period));
  return pool_spec{size, queue, by.as_string() == "key", allowed, span};
}

result<std::vector<std::string>> argv_from(const value& v) {
  std::vector<std::string> argv;
  for (const auto& element : v.as_array()) {
    if (!element.is_string()) return wrong("run", "a list of texts", element);
    argv.emplace_back(element.as_string());
  }
  if (argv.empty()) return wrong("run", "a program and its arguments", v);
  return argv;
}

result<decltype(child_spec::start)> start_from(const value& v, const std::string& base_folder) {
  using start = decltype(child_spec::start);
  if (v.is_string() && !v.as_string().empty())
    return start(start_script{std::string(v.as_string())});
  if (v.find("plugin") != nullptr) {
    TROUPE_CHECK(check_keys(v, {"plugin", "kind"}));
    for (const char* key : {"plugin", "kind"})
      if (v[key].as_string().empty()) return wrong(key, "a name", v[key]);
    return start(
        start_plugin{std::string(v["plugin"].as_string()), std::string(v["kind"].as_string())});
  }
  if (v.find("run") != nullptr) {
    TROUPE_CHECK(check_keys(v, {"run"}));
    TROUPE_TRY(argv, argv_from(v["run"]));
    return start(start_program{std::move(argv)});
  }
  if (v.find("children") != nullptr) {
    TROUPE_TRY(tree, supervisor_spec_from(v, base_folder));
    return start(std::move(tree));
  }
  return wrong("start", "a script, { plugin, kind }, { run } or a supervisor's { children }", v);
}

/// Everything but the id. `above` is the supervisor.
result<child_spec> fields_from(const value& v, const std::string& base_folder,
                               const supervisor_spec& above) {
  child_spec spec;
  spec.base_folder = base_folder;
  TROUPE_CHECK(check_keys(v, child_keys, later_child_keys));
  TROUPE_TRY(start, start_from(v["start"], base_folder));
  spec.start = std::move(start);
  const bool is_supervisor = std::holds_alternative<supervisor_spec>(spec.start);

  TROUPE_TRY(restart, one_of("restart", v["restart"], restart_types, spec.restart));
  TROUPE_TRY(shutdown,
             shutdown_time(v["shutdown"], is_supervisor ? duration::max() : spec.shutdown));
  const auto& timeout = v["start_timeout"];
  const bool is_endless = timeout.as_string() == "infinity" || (timeout.is_nil() && is_supervisor);
  TROUPE_TRY(start_timeout, is_endless
                                ? duration::max()
                                : positive_seconds("start_timeout", timeout, spec.start_timeout));
  TROUPE_TRY(isolate, one_of("isolate", v["isolate"], isolations, spec.isolate));
  spec.restart = restart;
  spec.shutdown = shutdown;
  spec.start_timeout = start_timeout;
  spec.isolate = isolate;
  TROUPE_TRY(drain, drain_time(v["drain"]));
  if (is_supervisor && drain != duration::zero())
    return error(errc::config, "drain: a supervisor's children have their own");
  spec.drain = drain;
  TROUPE_TRY(backoff, backoff_from(v, above.backoff));
  spec.backoff = backoff;
  if (const auto& s = v["significant"]; !s.is_nil() && !s.is_bool())
    return wrong("significant", "true or false", s);
  spec.significant = v["significant"] == value(true);
  TROUPE_CHECK(check_child(spec, above.auto_shutdown));
  if (std::holds_alternative<start_program>(spec.start) && isolate == isolation::none)
    return error(errc::config, "a program needs isolate = \"process\" or \"sandbox\"");
  if (is_supervisor && isolate != isolation::none)
    return error(errc::config, "isolate: a supervisor runs in the node; isolate its children");

  if (const auto* pool = v.find("pool"); pool != nullptr && !pool->is_nil()) {
    if (is_supervisor) return error(errc::config, "pool: a supervisor can't be a pool's member");
    if (!is_table(*pool)) return wrong("pool", "a table", *pool);
    auto read = pool_from(*pool, above.intensity, above.period);
    if (!read) return within("pool", read.error());
    spec.pool = *read;
  }
  TROUPE_TRY(options, plain_table("options", v["options"]));
  TROUPE_TRY(limits, plain_table("limits", v["limits"]));
  spec.options = std::move(options);
  spec.limits = std::move(limits);
  if (const auto& allowed = v["grants"]; !allowed.is_nil()) {
    auto read = grants::from(allowed, base_folder);
    if (!read) return within("grants", read.error());
    spec.grants = std::move(*read);
  }
  if (!v["budget"].is_nil()) {
    TROUPE_TRY(budget, plain_table("budget", v["budget"]));
    spec.budget = std::move(budget);
  }
  return spec;
}

result<child_spec> read_child(const value& v, const std::string& base_folder,
                              const std::string& unnamed, const supervisor_spec& above) {
  if (!v.is_map())
    return error(errc::config, unnamed + ": expected a table, got " + std::string(v.type_name()));
  auto id = child_id_from(v["id"]);
  if (!id) return within(unnamed, id.error());
  auto spec = fields_from(v, base_folder, above);
  if (!spec) return within("child " + *id, spec.error());
  spec->id = std::move(*id);
  return spec;
}

value seconds_value(duration d) {
  return d == duration::max() ? value("infinity") : value(to_seconds(d));
}

void set_backoff(value& v, const restart_backoff& b) {
  if (b.most == duration::zero()) return;
  v.set("backoff", value::array{to_seconds(b.least), to_seconds(b.most)}).set("jitter", b.jitter);
}

value tree_value(const supervisor_spec& spec) {
  value v = value::map{};
  v.set("strategy", to_string(spec.strategy));
  v.set("intensity", spec.intensity);
  v.set("period", to_seconds(spec.period));
  v.set("auto_shutdown", to_string(spec.auto_shutdown));
  set_backoff(v, spec.backoff);
  value children = value::array{};
  for (const auto& child : spec.children)
    children.push(child.to_value());
  v.set("children", std::move(children));
  return v;
}

value pool_value(const pool_spec& pool) {
  value v = value::map{};
  v.set("size", pool.size);
  v.set("queue", pool.queue);
  v.set("by", pool.by_key ? "key" : "free");
  v.set("intensity", pool.intensity);
  v.set("period", to_seconds(pool.period));
  return v;
}

struct start_to_value {
  value operator()(const start_script& s) const { return s.file; }
  value operator()(const start_plugin& s) const {
    value v = value::map{};
    v.set("plugin", s.plugin);
    v.set("kind", s.kind);
    return v;
  }
  value operator()(const start_program& s) const {
    value argv = value::array{};
    for (const auto& argument : s.argv)
      argv.push(argument);
    value v = value::map{};
    v.set("run", std::move(argv));
    return v;
  }
  value operator()(const start_builtin& s) const { return value::map{{"builtin", s.name}}; }
  value operator()(const supervisor_spec& s) const { return tree_value(s); }
};

}  // namespace

result<child_spec> child_spec::from(const value& v, const std::string& base_folder) {
  // Whether it may be significant is for the supervisor to say: see check_child.
  supervisor_spec any;
  any.auto_shutdown = auto_shutdown::any_significant;
  return read_child(v, base_folder, "child", any);
}

value child_spec::to_value() const {
  value v = value::map{};
  v.set("id", id);
  v.set("start", std::visit(start_to_value(), start));
  v.set("restart", to_string(restart));
  v.set("shutdown", shutdown == duration::zero() ? value("brutal_kill") : seconds_value(shutdown));
  v.set("start_timeout", seconds_value(start_timeout));
  v.set("significant", significant);
  if (drain != duration::zero()) v.set("drain", seconds_value(drain));
  set_backoff(v, backoff);
  v.set("isolate", to_string(isolate));
  if (pool) v.set("pool", pool_value(*pool));
  v.set("options", options);
  v.set("limits", limits);
  if (grants) v.set("grants", grants->to_value());
  if (!budget.is_nil()) v.set("budget", budget);
  return v;
}

result<supervisor_spec> supervisor_spec_from(const value& v, const std::string& base_folder) {
  supervisor_spec spec;
  if (!is_table(v)) return wrong("tree", "a table", v);
  TROUPE_CHECK(check_keys(v, supervisor_keys));
  TROUPE_TRY(how, one_of("strategy", v["strategy"], strategies, spec.strategy));
  TROUPE_TRY(intensity, whole_number("intensity", v["intensity"], 0, 1'000'000, spec.intensity));
  TROUPE_TRY(period, positive_seconds("period", v["period"], spec.period));
  TROUPE_TRY(when, one_of("auto_shutdown", v["auto_shutdown"], auto_shutdowns, spec.auto_shutdown));
  TROUPE_TRY(backoff, backoff_from(v, spec.backoff));
  spec.strategy = how;
  spec.intensity = intensity;
  spec.period = period;
  spec.auto_shutdown = when;
  spec.backoff = backoff;
  const bool is_simple = how == strategy::simple_one_for_one;
  if (is_simple && when != auto_shutdown::never)
    return error(errc::config, "auto_shutdown: a simple_one_for_one supervisor can't have it");

  const auto& children = v["children"];
  const bool is_empty = children.is_nil() || (children.is_map() && children.as_map().empty());
  if (!children.is_array() && !is_empty) return wrong("children", "a list", children);
  std::set<std::string_view> ids;
  std::size_t number = 0;
  for (const auto& child : children.as_array()) {
    TROUPE_TRY(read, read_child(child, base_folder, "child " + std::to_string(++number), spec));
    if (!ids.insert(child["id"].as_string()).second)
      return error(errc::config, "child " + read.id + ": two children have this id");
    spec.children.push_back(std::move(read));
  }
  if (is_simple && number != 1)
    return error(errc::config,
                 "children: simple_one_for_one takes exactly one, the template, got " +
                     std::to_string(number));
  return spec;
}

result<void> check_child(const child_spec& child, auto_shutdown when) {
  if (!child.significant) return ok();
  if (child.restart == restart_type::permanent)
    return {errc::config, "significant: a permanent child always comes back"};
  if (when == auto_shutdown::never)
    return {errc::config, "significant: the supervisor's auto_shutdown is never"};
  return ok();
}

std::string_view to_string(restart_type r) {
  return restart_types[static_cast<std::size_t>(r)];
}
std::string_view to_string(strategy s) {
  return strategies[static_cast<std::size_t>(s)];
}
std::string_view to_string(auto_shutdown a) {
  return auto_shutdowns[static_cast<std::size_t>(a)];
}
std::string_view to_string(isolation i) {
  return isolations[static_cast<std::size_t>(i)];
}

}  // namespace troupe
