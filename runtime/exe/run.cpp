// SPDX-License-Identifier: Apache-2.0
//
// `troupe run`: starts an app, does its main job or serves, and stops it in order.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <mutex>

#include "actors/supervisor/api.hpp"
#include "base/msgpack.hpp"
#include "exe/cli.hpp"
#include "exe/interrupts.hpp"
#include "exe/load_app.hpp"
#include "exe/main_output.hpp"
#include "exe/node.hpp"

namespace troupe::cli {

namespace {

/// How long the last words may take where nobody waits for them any more.
constexpr duration longest_farewell = std::chrono::seconds(1);

int end_node(node& n, interrupts& signals, int code, main_output* output = nullptr) {
  signals.arm();
  if (output != nullptr) output->close();
  const auto report = n.stop();
  // Threads that do not come back still use what a return would destroy.
  if (!report.stuck.empty() || (output != nullptr && !output->has_ended(longest_farewell))) {
    n.screen().drain(longest_farewell);
    _exit(code);
  }
  std::fflush(stdout);
  return code;
}

/// Waits until `is_over`, or for a signal, or until `limit` has passed; yields the signal.
std::optional<int> wait_for(interrupts& signals, const std::function<bool()>& is_over,
                            duration limit = duration::max()) {
  const auto began = std::chrono::steady_clock::now();
  while (!is_over()) {
    const auto left =
        limit == duration::max() ? limit : limit - (std::chrono::steady_clock::now() - began);
    if (left <= duration::zero()) break;
    if (auto signal = signals.wait(left)) return signal;
  }
  return std::nullopt;
}

/// Whether an app goes on after one of its supervisors has stopped an agent. Asks those above the
/// agent, the nearest first: one that stops or restarts children answers once that is done, and
/// where it ends by that the next one decides.
class survival {
 public:
  /// `signals` is notified when there is something new to look at.
  survival(gateway& door, interrupts& signals, std::string agent)
      : door_(door), signals_(signals), below_(std::move(agent)) {
    ask();
  }

  /// True once it is known that the app goes on; that it ends is for its monitor to tell.
  bool is_sure() {
    std::unique_lock lock(heard_->mutex);
    const bool answers = heard_->answers, has_ended = heard_->has_ended;
    lock.unlock();
    if (!answers && has_ended) ask();
    return answers;
  }

 private:
  struct heard {
    std::mutex mutex;
    bool answers = false, has_ended = false;
  };

  void ask() {
    const auto slash = below_.rfind('/');
    const bool is_top = slash == below_.npos;
    below_ = is_top ? "app" : below_.substr(0, slash);
    heard_ = std::make_shared<heard>();
    call_options options;
    options.timeout = duration::max();
    door_.begin_call(below_, supervisor_api::count_children, *pack(value(value::array{})), options,
                     [&signals = signals_, here = heard_](const result<bytes>& answer) {
                       const std::lock_guard lock(here->mutex);
                       here->answers = answer || !answer.error().is(errc::down);
                       signals.notify();
                     });
    // By a monitor, so that who is above has heard of the end before it is asked.
    if (!is_top)
      door_.monitor(below_, [&signals = signals_, here = heard_](const error&) {
        const std::lock_guard lock(here->mutex);
        here->has_ended = true;
        signals.notify();
      });
  }

  gateway& door_;
  interrupts& signals_;
  std::string below_;             ///< who was asked last; first the agent
  std::shared_ptr<heard> heard_;  ///< shared: with calls that are answered later
};

}  // namespace

int run(const run_options& o) {
  interrupts signals;
  auto loaded = load_app(o.file, o.arguments, o.settings);
  if (!loaded) return complain(loaded.error(), o.json);
  const auto main = loaded->main;
  const auto name = loaded->name;
  if (!main && !o.arguments.empty())
    return complain({errc::config, loaded->name + " has no main that takes arguments"}, o.json);

  node_settings with;
  with.screen = {.fd = 2,
                 .json = o.json,
                 .is_terminal = isatty(2) != 0,
                 .has_tracebacks = o.verbose || isatty(2) != 0};
  with.threads = o.threads;
  if (o.verbose) with.least = log_level::info;
  with.reads_app = [&o] { return load_app(o.file, o.arguments, o.settings); };
  if (o.watch) with.watched_app = absolute_file(o.file);
  auto opened = node::open(with, std::move(*loaded));
  if (!opened) return complain(opened.error(), o.json);
  node& n = **opened;
  // Through the console: behind what the node has said, and without a wait for who reads it.
  const auto complain_of = [&](const error& why) {
    n.screen().say(complaint(why, o.json));
    return failed;
  };

  std::optional<error> ended;
  std::mutex mutex;
  const auto on_app_end = [&](error why) {
    std::lock_guard lock(mutex);
    ended = std::move(why);
    signals.notify();
  };
  n.door().monitor(std::string("app"), on_app_end);
  if (!main) {
    if (!o.json) n.screen().say(name + " has no verb main: it runs until Ctrl-C");
    const auto limit = o.timeout > 0 ? seconds(o.timeout) : duration::max();
    const auto signal = signals.wait(limit);
    std::unique_lock lock(mutex);
    const auto why = std::move(ended);
    lock.unlock();
    if (signal) return end_node(n, signals, *signal == SIGINT ? interrupted : 128 + *signal);
    if (!why) return end_node(n, signals, timed_out);
    if (is_normal_exit(*why) && !why->cause) return end_node(n, signals, done);
    return end_node(n, signals, complain_of(*why));
  }

  value::array arguments;
  for (const auto& a : o.arguments)
    arguments.emplace_back(a);
  auto body = pack(value(std::move(arguments)));
  if (!body) return end_node(n, signals, complain_of(body.error()));
  main_output output([&signals] { signals.notify(); });
  std::optional<result<bytes>> answer;
  call_options options;
  options.timeout = o.timeout > 0 ? seconds(o.timeout) : duration::max();
  options.credit = 16;
  n.door().begin_call(
      main->agent, main->verb, std::move(*body), options,
      [&](result<bytes> a) {
        std::lock_guard lock(mutex);
        answer = std::move(a);
        signals.notify();
      },
      [&](call_id id, bytes part) {
        output.part(std::move(part), [&n, id] { n.door().grant(id, 1); });
      });
  const auto end = [&](int code) { return end_node(n, signals, code, &output); };
  const auto end_by = [&](int signal) {
    return end(signal == SIGINT ? interrupted : 128 + signal);
  };
  const auto is_written = [&] { return output.is_idle() || output.is_broken(); };
  std::optional<result<bytes>> got;
  const auto is_answered = [&] {
    std::lock_guard lock(mutex);
    got = answer;
    return got || output.is_broken();
  };
  if (const auto signal = wait_for(signals, is_answered)) return end_by(*signal);
  if (!got) return end(done);  // nobody reads stdout any more: an end like any other
  if (!*got) {
    auto why = got->error();
    // Its supervisor stopped it: if the whole app ends by that, what it came of says more.
    if (why.is(errc::down) && why.cause && why.cause->is(errc::shutdown)) {
      survival app(n.door(), signals, main->agent);
      const auto is_decided = [&] {
        std::unique_lock lock(mutex);
        if (ended && ended->cause) why = *ended;
        if (ended) return true;
        lock.unlock();
        return app.is_sure();
      };
      if (const auto signal = wait_for(signals, is_decided, longest_farewell))
        return end_by(*signal);
    }
    const bool is_late = why.is(errc::timeout);
    const auto signal = wait_for(signals, is_written, is_late ? longest_farewell : duration::max());
    if (signal) return end_by(*signal);
    complain_of(why);
    return end(is_late ? timed_out : failed);
  }
  auto v = (*got)->empty() ? result<value>(value()) : unpack((*got)->view());
  if (!v) return end(complain_of(v.error()));
  output.finish(std::move(*v), o.json);
  if (const auto signal = wait_for(signals, is_written)) return end_by(*signal);
  const auto printed = output.printed();
  return end(printed ? done : complain_of(printed.error()));
}

}  // namespace troupe::cli
