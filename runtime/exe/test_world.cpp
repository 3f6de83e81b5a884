// SPDX-License-Identifier: Apache-2.0
#include "exe/test_world.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <system_error>

#include "actors/directory/directory.hpp"
#include "actors/llm/llm.hpp"
#include "actors/observer/observer.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "actors/tool/tool.hpp"
#include "agent/answers.hpp"
#include "base/nearest.hpp"
#include "exe/console.hpp"

namespace troupe {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view file_path = "test";
constexpr std::string_view driver_path = "simulation";
/// Paths of what comes with the world; the rest are agents of the test.
constexpr std::array<std::string_view, 8> services = {"outside",  "test", "simulation", "directory",
                                                      "observer", "tool", "llm",        "app"};

// Events of the driver's outlet.
constexpr std::string_view tool_event = "tool";
constexpr std::string_view orders_event = "orders";

std::string text_of(duration d) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, to_seconds(d)).ptr};
}

}  // namespace

struct test_world::shared_orders {
  std::deque<order> open;
  struct tool_call {
    tool_request request;
    outlet later;
  };
  std::deque<tool_call> tool_calls;
  outlet driver;
};

/// Takes the orders of the test file, and hands it the calls of the tools that it gave.
class test_world::driver final : public behaviour {
 public:
  explicit driver(std::shared_ptr<shared_orders> orders) : orders_(std::move(orders)) {}
  concurrency overlap() const override { return {.slots = concurrency::unlimited}; }

  progress receive(context& ctx, envelope_ptr e) override {
    switch (e->kind) {
      case kind::start:
        orders_->driver = ctx.make_outlet();
        ctx.reply(e->cause, {});
        ctx.done(e->cause);
        break;
      case kind::call:
        take(ctx, *e);
        break;
      case kind::event:
        if (e->verb == tool_event)
          pass_tool_calls(ctx);
        else
          answer_orders(ctx);
        break;
      case kind::reply:
        finish_tool(e->id, e->body);
        break;
      case kind::error:
        finish_tool(e->id, unpack_error(e->body));
        break;
      case kind::cancel:
        std::erase_if(orders_->open, [&](const order& o) { return o.cause == e->cause; });
        ctx.done(e->cause);
        break;
      case kind::stop:
        ctx.exit(unpack_error(e->body));
        break;
      default:
        ctx.done(e->cause);
    }
    return progress::idle;
  }

 private:
  void take(context& ctx, const envelope& e) {
    static const std::vector<std::string_view> verbs = {"advance", "events", "folder", "model",
                                                        "tool"};
    if (std::find(verbs.begin(), verbs.end(), e.verb) == verbs.end())
      return refuse(ctx, e.cause, {errc::unknown_verb, unknown_name("verb", e.verb, verbs)});
    auto args = arguments(e, 2);
    if (!args) return refuse(ctx, e.cause, args.error());
    args->resize(2);
    orders_->open.push_back({e.cause, e.verb, std::move((*args)[0]), std::move((*args)[1])});
  }

  void answer_orders(context& ctx) {
    for (const auto& o : orders_->open) {
      if (!o.is_done) continue;
      if (o.answer)
        answer(ctx, o.cause, *o.answer);
      else
        refuse(ctx, o.cause, o.answer.error());
    }
    std::erase_if(orders_->open, [](const order& o) { return o.is_done; });
  }

  void pass_tool_calls(context& ctx) {
    for (auto& call : orders_->tool_calls) {
      const auto id = ++last_call_;
      auto args = unpack(call.request.args.view());
      auto body = args ? pack(value::array{call.request.name, std::move(*args)})
                       : result<bytes>(args.error());
      if (body)
        ctx.call(no_cause, id, std::string(file_path), "tool", std::move(*body),
                 {.timeout = call.request.time_left});
      calls_[id] = std::move(call);
      if (!body) finish_tool(id, body.error());
    }
    orders_->tool_calls.clear();
  }

  void finish_tool(call_id id, const result<bytes>& outcome) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    found->second.later.post(tool_answer_verb, pack_tool_answer(found->second.request.id, outcome));
    calls_.erase(found);
  }

  std::shared_ptr<shared_orders> orders_;
  std::map<call_id, shared_orders::tool_call> calls_;
  call_id last_call_ = 0;
};

test_world::test_world(const test_bench& with, script::program_ptr file, std::uint64_t seed)
    : with_(with),
      file_(std::move(file)),
      tools_(*with.plugins),
      orders_(std::make_shared<shared_orders>()),
      launcher_({&sim_, with.scripts, with.plugins, nullptr}),
      sim_(seed) {
  auto all = std::make_shared<authority>();
  all->grants = grants::all();
  all_ = std::move(all);
}

test_world::~test_world() {
  std::error_code ignored;  // a temporary folder that stays is no failure of the case
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

result<std::unique_ptr<test_world>> test_world::open(const test_bench& with,
                                                     script::program_ptr file, std::uint64_t seed) {
  std::unique_ptr<test_world> world(new test_world(with, std::move(file), seed));
  TROUPE_CHECK(world->start());
  return world;
}

result<void> test_world::start() {
  sim_.makes_children = &launcher_;
  const auto add = [&](std::string_view path, std::unique_ptr<behaviour> b) {
    process_init init;
    init.path = path;
    init.actions = std::move(b);
    init.rights = all_;
    init.base_folder = file_->folder;
    return sim_.add(std::move(init));
  };
  TROUPE_CHECK(add(driver_path, std::make_unique<driver>(orders_)));
  tools_.on_given([orders = orders_](const tool_request& request, const outlet& later) {
    orders->tool_calls.push_back({request, later});
    orders->driver.post(tool_event, {});
  });
  TROUPE_CHECK(add("directory", std::make_unique<directory>()));
  // Hears of progress; of everything else a test asks the world itself.
  TROUPE_CHECK(add("observer", std::make_unique<observer>(std::make_shared<event_feed>(time_))));
  TROUPE_CHECK(add(
      "tool", std::make_unique<tools>(tool_settings{.folder = file_->folder, .has_network = false},
                                      *with_.client, tools_, sim_)));
  TROUPE_CHECK(start_models());
  // Tests crash what they start, and look at what becomes of it: that must not take the rest along.
  supervisor_options tree;
  tree.spec.intensity = 1'000;
  tree.base_folder = file_->folder;
  tree.below = "";
  TROUPE_CHECK(add("app", std::make_unique<supervisor>(std::move(tree), launcher_, sim_)));

  script::lua_settings settings;
  settings.shared = with_.scripts;
  settings.script = file_;
  TROUPE_TRY(at, add(file_path, std::make_unique<script::lua_behaviour>(std::move(settings))));
  test_ = at;
  return ok();
}

/// Models are fixed when the broker starts, so it starts anew where there are others.
result<void> test_world::start_models() {
  if (models_at_) sim_.exit(models_at_, errc::kill);
  process_init init;
  init.path = "llm";
  init.actions =
      std::make_unique<llm>(llm::settings{models_, file_->folder}, *with_.plugins, *with_.client);
  init.rights = all_;
  TROUPE_TRY(at, sim_.add(std::move(init)));
  models_at_ = at;
  return ok();
}

result<value> test_world::call(std::string_view verb, value::array args, duration limit) {
  const system_clock real;
  const auto ends = troupe::add(real.now(), limit);
  TROUPE_TRY(id, sim_.begin_call(test_, verb, std::move(args), {.timeout = duration::max()}));
  while (sim_.answer_of(id) == nullptr) {
    if (real.now() > ends)
      return error(errc::timeout, "it took more than " + text_of(limit) + " s of real time");
    if (sim_.step(sim_.now())) continue;
    if (tools_.works_outside()) {
      sim_.wait_outside(std::chrono::milliseconds(1));
      continue;
    }
    if (until_ != never) {
      if (sim_.step(until_)) continue;
      sim_.advance(until_ - sim_.now());
      until_ = never;
    }
    if (perform_order()) continue;
    if (!sim_.step(never))
      return error(errc::deadlock, "everybody waits for something that can't come any more");
  }
  return *sim_.answer_of(id);
}

/// Everybody rests: the oldest order is carried out. False if there is none.
bool test_world::perform_order() {
  if (orders_->open.empty()) return false;
  auto& o = orders_->open.front();
  if (o.verb == "advance" && !o.is_done && o.second.is_nil()) {
    o.second = true;  // under way
    until_ = troupe::add(sim_.now(), seconds(o.argument.as_double()));
    return true;
  }
  o.answer = perform(o);
  o.is_done = true;
  orders_->driver.post(orders_event, {});
  return true;
}

result<value> test_world::perform(order& o) {
  if (o.verb == "events") return events();
  if (o.verb == "folder") return folder();
  if (o.verb == "model") {
    const std::string name(o.argument.as_string());
    models_[name] = value::map{{"provider", "scripted"}, {"replies", o.second}};
    TROUPE_CHECK(start_models());
  }
  if (o.verb == "tool") {
    tools_.give(std::string(o.argument["name"].as_string()),
                std::string(o.argument["description"].as_string()), o.argument["params"]);
    TROUPE_CHECK(sim_.call(std::string("tool"), "refresh"));
  }
  return value();
}

bool test_world::is_service(const std::string& path) const {
  return path.starts_with("tool/") ||
         std::find(services.begin(), services.end(), path) != services.end();
}

value test_world::events() const {
  value list = value::array{};
  for (const auto& event : sim_.events) {
    if (is_service(event.path)) continue;
    value one;
    switch (event.what) {
      case runtime_event::what::started:
        one.set("what", "started");
        break;
      case runtime_event::what::ended:
        one.set("what", is_normal_exit(event.reason) ? "ended" : "crashed");
        break;
      case runtime_event::what::dead_letter:
        one.set("what", "dead_letter");
        break;
      case runtime_event::what::restarted:
        one.set("what", "restarted");
        break;
      case runtime_event::what::given_up:
        one.set("what", "given_up");
        break;
      case runtime_event::what::stuck:
      case runtime_event::what::late_reply:
      case runtime_event::what::expired:
      case runtime_event::what::progress:
        continue;
    }
    one.set("agent", event.path);
    if (!event.reason.code.empty()) one.set("reason", to_value(event.reason));
    list.push(std::move(one));
  }
  return list;
}

result<value> test_world::folder() {
  if (folder_.empty()) {
    std::error_code failed;
    auto name = (fs::temp_directory_path(failed) / "troupe-test-XXXXXX").string();
    if (failed || ::mkdtemp(name.data()) == nullptr)
      return error(errc::io, "no temporary folder can be made: " +
                                 (failed ? failed.message() : std::string(std::strerror(errno))));
    folder_ = std::move(name);
  }
  return value(folder_);
}

std::vector<std::string> test_world::crashes() const {
  std::vector<std::string> lines;
  for (const auto& event : sim_.events)
    if (event.what == runtime_event::what::ended && !is_service(event.path) &&
        !is_normal_exit(event.reason))
      lines.push_back(event.path + " crashed: " + describe_crash(event.reason));
  return lines;
}

}  // namespace troupe
