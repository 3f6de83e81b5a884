// SPDX-License-Identifier: Apache-2.0
//
// `troupe check`, `explain` and `models`: what an app is, without running it.
#include <algorithm>
#include <cstdio>
#include <set>

#include "actors/llm/llm.hpp"
#include "agent/part_limit.hpp"
#include "base/body.hpp"
#include "base/json.hpp"
#include "base/nearest.hpp"
#include "config/app.hpp"
#include "exe/cli.hpp"
#include "exe/dropped_results.hpp"
#include "exe/launcher.hpp"
#include "exe/load_app.hpp"
#include "exe/node.hpp"
#include "exe/prefix.hpp"
#include "exe/stubs.hpp"
#include "exe/version.hpp"
#include "script/program.hpp"

namespace troupe::cli {

namespace {

/// Starts nothing: for preparing without a node.
class no_starter final : public starter {
 public:
  result<address> start(process_init) override {
    return error(errc::unsupported, "nothing is started here");
  }
  void report(const runtime_event&) override {}
};

/// Enough of a node to prepare each agent of an app.
struct bench_node {
  troupe::system_clock time;
  std::unique_ptr<log_sink> sink = text_sink(2);
  logger log{*sink, time, log_level::warning};
  catalog plugins{log, version};
  script::environment scripts;
  no_starter starts;
  std::unique_ptr<poller> io;
  std::unique_ptr<worker_host> workers;
  std::unique_ptr<node_launcher> launcher;

  static result<std::unique_ptr<bench_node>> open(const app& what) {
    auto b = std::make_unique<bench_node>();
    TROUPE_TRY(io, poller::open());
    b->io = std::move(io);
    b->workers = std::make_unique<worker_host>(*b->io, worker_program());
    add_installed_plugins(b->plugins, b->log);
    TROUPE_CHECK(add_plugins(b->plugins, what));
    b->launcher = std::make_unique<node_launcher>(
        node_launcher::parts{&b->starts, &b->scripts, &b->plugins, b->workers.get(), &what.models});
    return b;
  }
};

struct finding {
  std::string path;
  std::string what;
  error problem;
  bool is_ok = true;
  value about = value::map{};
};

std::string kind_of(const child_spec& spec) {
  struct {
    std::string operator()(const start_script& s) const { return s.file; }
    std::string operator()(const start_plugin& s) const {
      return s.kind + " of plugin " + s.plugin;
    }
    std::string operator()(const start_program& s) const { return s.argv.front(); }
    std::string operator()(const start_builtin& s) const { return s.name; }
    std::string operator()(const supervisor_spec& s) const {
      return "supervisor, " + std::string(to_string(s.strategy));
    }
  } name;
  auto text = std::visit(name, spec.start);
  if (spec.pool) text += ", pool of " + std::to_string(spec.pool->size);
  if (spec.isolate != isolation::none) text += ", in a " + std::string(to_string(spec.isolate));
  return text;
}

void walk(node_launcher& launcher, const supervisor_spec& tree, const std::string& above,
          const authority_ptr& rights, std::vector<finding>& found) {
  for (const auto& spec : tree.children) {
    const auto path = above.empty() ? spec.id : above + "/" + spec.id;
    finding f;
    f.path = path;
    f.what = kind_of(spec);
    auto made = launcher.prepare(spec, {path, {}, rights});
    auto below = rights;
    if (!made) {
      f.is_ok = false;
      f.problem = made.error();
    } else {
      below = made->rights;
      f.about.set("grants", made->rights->grants.to_value());
    }
    f.about.set("restart", to_string(spec.restart));
    found.push_back(std::move(f));
    if (const auto* inner = std::get_if<supervisor_spec>(&spec.start))
      walk(launcher, *inner, path, below, found);
  }
}

/// What is wrong with the app as a whole.
struct problem {
  std::string where;
  error why;
};

/// What is probably not meant, in a script that works.
struct warning {
  std::string file;
  int line = 0;
  std::string message;
};

struct examined {
  app what;
  std::vector<finding> agents;
  std::vector<problem> problems;
  std::vector<warning> warnings;
  bool is_ok = true;
};

/// The scripts of a tree and their own modules, each once.
class script_reader {
 public:
  void read(const supervisor_spec& tree) {
    for (const auto& child : tree.children) {
      if (const auto* inner = std::get_if<supervisor_spec>(&child.start)) read(*inner);
      if (const auto* start = std::get_if<start_script>(&child.start))
        add(script::read_program(start->file, child.base_folder));
    }
  }
  std::vector<warning> warnings;

 private:
  /// One that can't be read is told elsewhere, or is no file: `require("troupe")`.
  void add(const result<script::program_ptr>& read) {
    if (!read || !known_.insert((*read)->file).second) return;
    const auto& source = (*read)->source;
    for (auto& dropped : dropped_results(source, fallible_))
      warnings.push_back(
          {(*read)->file, dropped.line,
           "what " + dropped.function + " returns is dropped, and with it why it failed"});
    for (const auto& name : required_modules(source))
      if (name != "troupe" && !name.starts_with("troupe.")) add(script::read_module(**read, name));
  }

  const std::set<std::string, std::less<>> fallible_ = fallible_functions(read_stubs());
  std::set<std::string> known_;
};

const child_spec* child_at(const supervisor_spec& tree, std::string_view path) {
  const auto slash = path.find('/');
  for (const auto& child : tree.children) {
    if (child.id != path.substr(0, slash)) continue;
    if (slash == std::string_view::npos) return &child;
    const auto* inner = std::get_if<supervisor_spec>(&child.start);
    return inner == nullptr ? nullptr : child_at(*inner, path.substr(slash + 1));
  }
  return nullptr;
}

/// What only a script knows: that its main is there.
result<void> check_main(node_launcher& launcher, const app& what) {
  const auto* child = what.main ? child_at(what.tree, what.main->agent) : nullptr;
  if (child == nullptr || !std::holds_alternative<start_script>(child->start)) return ok();
  auto said = launcher.declaration_of(*child);
  if (!said || (*said)->has_verb(what.main->verb)) return ok();  // that it can't be read is told
  std::vector<std::string_view> verbs;
  for (const auto& v : (*said)->verbs)
    verbs.push_back(v.name);
  return {errc::unknown_verb,
          what.main->agent + ": " + unknown_name("verb", what.main->verb, verbs)};
}

result<examined> examine(const file_options& o) {
  TROUPE_TRY(loaded, load_app(o.file, {}, o.settings));
  TROUPE_TRY(bench, bench_node::open(loaded));
  examined e{loaded, {}, {}, {}, true};
  for (const auto& [name, table] : e.what.models)
    if (auto opened = open_model::from(name, table, bench->plugins, e.what.folder); !opened)
      e.problems.push_back({"models", opened.error()});
  if (auto found = check_main(*bench->launcher, e.what); !found)
    e.problems.push_back({"main", found.error()});
  auto rights = std::make_shared<authority>();
  rights->grants = e.what.grants;
  if (!e.what.budget.is_nil()) {
    TROUPE_TRY(budget, budget_place::from(e.what.budget, "app"));
    rights->budgets.push_back(std::move(budget));
  }
  walk(*bench->launcher, e.what.tree, "", rights, e.agents);
  script_reader scripts;
  scripts.read(e.what.tree);
  e.warnings = std::move(scripts.warnings);
  e.is_ok = e.problems.empty() &&
            std::all_of(e.agents.begin(), e.agents.end(), [](auto& f) { return f.is_ok; });
  return e;
}

value as_value(const examined& e) {
  value out;
  value list = value::array{};
  for (const auto& f : e.agents) {
    value one = f.about;
    one.set("path", f.path).set("what", f.what).set("ok", f.is_ok);
    if (!f.is_ok) one.set("error", to_value(f.problem));
    list.push(std::move(one));
  }
  value problems = value::array{};
  for (const auto& p : e.problems)
    problems.push(value::map{{"where", p.where}, {"error", to_value(p.why)}});
  out.set("app", e.what.name).set("ok", e.is_ok).set("agents", std::move(list));
  out.set("problems", std::move(problems));
  value warnings = value::array{};
  for (const auto& w : e.warnings)
    warnings.push(value::map{{"file", w.file}, {"line", w.line}, {"message", w.message}});
  out.set("warnings", std::move(warnings));
  return out;
}

std::string counted(std::size_t n, const char* what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

void print_default_limits() {
  const agent_limits agent;
  const body_limits body;
  const auto mib = [](std::size_t bytes) { return bytes >> 20; };
  std::printf(
      "default limits: memory %zu MiB, mailbox %u messages and %zu MiB, busy %g s, body %zu MiB, "
      "depth %zu, call %g s, chain %u, part %zu KiB\n",
      mib(agent.memory), agent.mailbox.messages, mib(agent.mailbox.bytes), to_seconds(agent.busy),
      mib(body.size), body.depth, to_seconds(call_options().timeout), max_chain_length,
      max_part >> 10);
}

}  // namespace

int check(const file_options& o) {
  auto e = examine(o);
  if (!e) return complain(e.error(), o.json);
  if (o.json) {
    (void)print_result(as_value(*e), true);
  } else {
    for (const auto& p : e->problems)
      std::printf("%s: %s\n", p.where.c_str(), p.why.describe().c_str());
    for (const auto& f : e->agents)
      if (!f.is_ok) std::printf("%s: %s\n", f.path.c_str(), f.problem.describe().c_str());
    for (const auto& w : e->warnings)
      std::printf("warning: %s:%d: %s\n", w.file.c_str(), w.line, w.message.c_str());
    if (e->is_ok)
      std::printf("%s: %s, %s\n", e->what.name.c_str(), counted(e->agents.size(), "agent").c_str(),
                  e->warnings.empty() ? "nothing wrong" : "no errors");
    print_default_limits();
  }
  return e->is_ok ? done : failed;
}

int explain(const file_options& o) {
  auto e = examine(o);
  if (!e) return complain(e.error(), o.json);
  if (o.json) {
    (void)print_result(as_value(*e), true);
    return e->is_ok ? done : failed;
  }
  std::printf("%s: %s, at most %u restarts in %g s\n", e->what.name.c_str(),
              std::string(to_string(e->what.tree.strategy)).c_str(), e->what.tree.intensity,
              to_seconds(e->what.tree.period));
  for (const auto& [name, model] : e->what.models)
    std::printf("  model %s: %s %s\n", name.c_str(),
                std::string(model["provider"].as_string()).c_str(),
                std::string(model["model"].as_string()).c_str());
  for (const auto& f : e->agents) {
    const auto depth = static_cast<int>(std::count(f.path.begin(), f.path.end(), '/'));
    std::printf("%*s%s: %s, %s\n", 2 + 2 * depth, "", f.path.c_str(), f.what.c_str(),
                std::string(f.about["restart"].as_string()).c_str());
    if (!f.is_ok) {
      std::printf("%*scan't start: %s\n", 4 + 2 * depth, "", f.problem.describe().c_str());
      continue;
    }
    auto allowed = to_json(f.about["grants"]);
    std::printf("%*smay: %s\n", 4 + 2 * depth, "", allowed ? allowed->c_str() : "?");
  }
  for (const auto& p : e->problems)
    std::printf("wrong: %s: %s\n", p.where.c_str(), p.why.describe().c_str());
  if (e->what.main)
    std::printf("main: %s.%s\n", e->what.main->agent.c_str(), e->what.main->verb.c_str());
  else
    std::printf("no main: it serves\n");
  return e->is_ok ? done : failed;
}

int models(const file_options& o) {
  app what = empty_app();
  if (!o.file.empty()) {
    auto loaded = load_app(o.file, {}, o.settings);
    if (!loaded) return complain(loaded.error(), o.json);
    what = std::move(*loaded);
  }
  auto bench = bench_node::open(what);
  if (!bench) return complain(bench.error(), o.json);
  value list = value::array{};
  for (const auto& [name, model] : what.models) {
    value one;
    one.set("name", name);
    for (const char* key : {"provider", "model", "base_url", "price"})
      if (const auto* v = model.find(key)) one.set(key, *v);
    list.push(std::move(one));
  }
  value providers = value::array{};
  for (const auto& p : (*bench)->plugins.providers())
    providers.push(p);
  if (o.json) {
    (void)print_result(value::map{{"models", list}, {"providers", providers}}, true);
    return done;
  }
  if (list.as_array().empty())
    std::printf("no models: set OPENAI_BASE_URL or OPENAI_API_KEY, or name them in an app file\n");
  for (const auto& m : list.as_array())
    std::printf("%s: %s %s\n", std::string(m["name"].as_string()).c_str(),
                std::string(m["provider"].as_string()).c_str(),
                std::string(m["model"].as_string()).c_str());
  std::string names;
  for (const auto& p : providers.as_array())
    names += (names.empty() ? "" : ", ") + std::string(p.as_string());
  std::printf("providers: %s\n", names.c_str());
  return done;
}

}  // namespace troupe::cli
