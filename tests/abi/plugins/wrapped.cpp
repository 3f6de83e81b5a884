// SPDX-License-Identifier: Apache-2.0
//
// Everything that the C++ wrapper offers, used once each.
#include <troupe/plugin.hpp>

#include <thread>

namespace {

namespace sdk = troupe::sdk;
using args_t = sdk::value::list;

class worker : public sdk::agent {
 public:
  explicit worker(const sdk::value& options) {
    if (options["fails"].as_bool()) throw sdk::failure("config", "worker: told to fail");
    on("echo", [](sdk::turn&, const args_t& args) { return sdk::value(args); });
    on("fail", [](sdk::turn&, const args_t&) -> sdk::value {
      sdk::failure why("rate_limited", "slow down");
      why.retryable = true;
      why.retry_after = 2;
      throw why;
    });
    on("crash",
       [](sdk::turn&, const args_t&) -> sdk::value { throw std::runtime_error("crashed"); });
    on("throw_int", [](sdk::turn&, const args_t&) -> sdk::value { throw 42; });
    on("relay", [](sdk::turn& t, const args_t& args) {
      const auto open = t.leave_open();
      t.call(std::string(args[0].as_string()), args[1].as_string(), {args[2]},
             [open](sdk::turn& later, const sdk::answer& a) {
               if (a)
                 later.reply(open, sdk::object({{"got", a.get()}}));
               else
                 later.fail(open, a.why());
               later.done(open);
             },
             {1.5, nullptr, 0});
      return sdk::value();
    });
    on("nap", [](sdk::turn& t, const args_t&) {
      const auto open = t.leave_open();
      t.sleep(2, [open, before = t.now()](sdk::turn& later, const sdk::answer&) {
        later.reply(open, later.now() - before);
        later.done(open);
      });
      return sdk::value();
    });
    on("stream", [this](sdk::turn& t, const args_t& args) {
      open_ = t.leave_open();
      left_ = args[0].as_int();
      send_parts(t);
      return sdk::value();
    });
    on("collect", [](sdk::turn& t, const args_t& args) {
      const auto open = t.leave_open();
      auto sum = std::make_shared<std::int64_t>(0);
      auto id = std::make_shared<std::uint64_t>(0);
      sdk::call_options options;
      options.credit = 1;
      options.on_part = [sum, id](sdk::turn& later, const sdk::value& part) {
        *sum += part.as_int();
        later.grant(*id, 1);
      };
      *id = t.call(
          std::string(args[0].as_string()), "stream", {args[1]},
          [open, sum](sdk::turn& later, const sdk::answer& a) {
            a.get();
            later.reply(open, *sum);
            later.done(open);
          },
          options);
      return sdk::value();
    });
    on("ring", [](sdk::turn& t, const args_t&) {
      std::thread([outlet = t.open_outlet()] { outlet.post("rung", 7); }).join();
      return sdk::value(true);
    });
    on("watch", [this](sdk::turn& t, const args_t& args) {
      watched_ = t.monitor(args[0].as_address());
      t.trap_exits(true);
      t.link(args[0].as_address());
      return sdk::value(true);
    });
    on("tick", [](sdk::turn& t, const args_t&) {
      t.set_timer(5, 1);
      t.set_timer(6, 1);
      t.cancel_timer(6);
      return sdk::value(true);
    });
    on("who", [](sdk::turn& t, const args_t&) {
      t.log(sdk::level::warning, "asked who", sdk::object({{"from", t.from()}}));
      return sdk::object({{"self", t.self()}, {"path", t.path()}, {"wall", t.wall()}});
    });
    on("rename", [](sdk::turn& t, const args_t& args) {
      const auto open = t.leave_open();
      t.bind(args[0].as_string(), [open](sdk::turn& later, const sdk::answer& a) {
        if (!a) later.fail(open, a.why());
        later.done(open);
        later.reply(open, "bound");
      });
      return sdk::value();
    });
    on("look_up", [](sdk::turn& t, const args_t& args) {
      const auto open = t.leave_open();
      t.find(args[0].as_string(), [open](sdk::turn& later, const sdk::answer& a) {
        if (a)
          later.reply(open, a.get());
        else
          later.fail(open, a.why());
        later.done(open);
      });
      return sdk::value();
    });
    on("leave", [](sdk::turn& t, const args_t&) {
      t.exit(sdk::failure("tired", "worker: enough"));
      return sdk::value();
    });
    on("seen", [this](sdk::turn&, const args_t&) { return seen_; });
    on("wait", [this](sdk::turn& t, const args_t&) {
      open_ = t.leave_open();
      return sdk::value();
    });
  }

 protected:
  void on_start(sdk::turn&) override { see("start"); }
  void on_stop(sdk::turn& t, const sdk::value&) override { t.send("diary", "write", {"stopped"}); }
  void on_down(sdk::turn&, std::uint64_t id, const sdk::value& reason) override {
    see(id == watched_ ? "down " + std::string(reason["code"].as_string()) : "down of nobody");
  }
  void on_exit(sdk::turn&, const sdk::address&, const sdk::value& reason) override {
    see("exit " + std::string(reason["code"].as_string()));
  }
  void on_timer(sdk::turn&, std::uint64_t id) override { see("timer " + std::to_string(id)); }
  void on_event(sdk::turn&, std::string_view verb, const sdk::value& body) override {
    see(std::string(verb) + " " + std::to_string(body.as_int()));
  }
  void on_credit(sdk::turn& t, sdk::cause, std::uint32_t) override { send_parts(t); }
  void on_cancel(sdk::turn&, sdk::cause on) override {
    see(on == open_ ? "cancel" : "cancel of nothing");
  }
  sdk::value inspect() const override { return sdk::object({{"left", left_}}); }

 private:
  void see(const std::string& what) { seen_.push(what); }

  void send_parts(sdk::turn& t) {
    try {
      for (; left_ > 0; --left_)
        t.part(open_, left_);
    } catch (const sdk::failure& why) {
      if (why.code == "no_credit") return;  // on_credit goes on
      throw;
    }
    t.reply(open_, "over");
    t.done(open_);
  }

  sdk::value seen_ = sdk::value::list{};
  sdk::cause open_ = 0;
  std::int64_t left_ = 0;
  std::uint64_t watched_ = 0;
};

class local_codec : public sdk::codec {
 public:
  local_codec(const sdk::host&, const sdk::value&, std::string) {}
  sdk::begun begin(const sdk::value& chat, const sdk::events& out) override {
    if (chat["model"].as_string() == "throws") throw sdk::failure("bad_request", "no such model");
    out.reasoning("hm");
    out.text("hello", 0.25);
    out.call(0, "id", "name", "{}", sdk::value(sdk::value::map{}));
    out.usage(1, 2, 1);
    out.stop("calls", "local");
    sdk::begun b;
    b.local = true;
    return b;
  }
};

void set_up(sdk::plugin& plugin) {
  sdk::kind_options overlapping;
  overlapping.overlapping = {"seen"};
  plugin.agent<worker>("worker", "Uses everything.", overlapping);
  constexpr char any[] = R"({"type": "object"})";
  plugin.tool("wrapped.echo", "Echoes.", any, [](const sdk::tool_call& c) {
    return sdk::object(
        {{"args", c.args}, {"caller", c.caller}, {"grants", c.grants}, {"folder", c.folder}});
  });
  plugin.tool("wrapped.fail", "Fails.", any, [](const sdk::tool_call&) -> sdk::value {
    throw sdk::failure("denied", "not today");
  });
  plugin.tool("wrapped.crash", "Throws.", any,
              [](const sdk::tool_call&) -> sdk::value { throw std::runtime_error("oops"); });
  plugin.slow_tool(
      "wrapped.slow", "Answers from a thread.", any,
      [](const sdk::tool_call& c, sdk::tool_answer answer) {
        std::thread([a = std::move(answer), args = c.args]() mutable { a.finish(args); }).join();
      });
  plugin.slow_tool("wrapped.drop", "Drops its answer.", any,
                   [](const sdk::tool_call&, sdk::tool_answer) {});
  plugin.slow_tool(
      "wrapped.slow_crash", "Throws.", any,
      [](const sdk::tool_call&, sdk::tool_answer) { throw std::runtime_error("oops"); });
  plugin.provider<local_codec>("wrapped", "Answers itself.");
  // JSON, in both directions and with what is none.
  const auto v = plugin.host().parse_json(R"({"a": [1, 2.5, null, "ä"]})");
  if (plugin.host().print_json(v) != R"({"a":[1,2.5,null,"ä"]})")
    throw sdk::failure("internal", "JSON came back otherwise");
  try {
    plugin.host().parse_json("{");
    throw sdk::failure("internal", "broken JSON was read");
  } catch (const sdk::failure& why) {
    if (why.code != "syntax") throw;
  }
  plugin.host().log(sdk::level::info, "wrapped is set up", sdk::object({{"n", 1}}));
}

}  // namespace

TROUPE_PLUGIN("wrapped", "1.0.0", set_up)
