// SPDX-License-Identifier: Apache-2.0
//
// `troupe run`: starts an app, does its main job or serves, and stops it in order.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <mutex>

#include "base/msgpack.hpp"
#include "exe/cli.hpp"
#include "exe/interrupts.hpp"
#include "exe/load_app.hpp"
#include "exe/node.hpp"

namespace troupe::cli {

namespace {

/// What main says while it works goes to stdout as it comes; what it answers last, only if that was
/// not all of it said already.
class main_output {
 public:
  void part(const bytes& body) {
    auto v = unpack(body.view());
    if (!v) return;
    std::lock_guard lock(mutex_);
    if (!v->is_string()) {
      finish_line();
      (void)print_result(*v, true);
      return;
    }
    said_ += v->as_string();
    std::fwrite(v->as_string().data(), 1, v->as_string().size(), stdout);
    std::fflush(stdout);
    in_line_ = !said_.ends_with('\n');
  }

  result<void> finish(const value& answer, bool json) {
    std::lock_guard lock(mutex_);
    finish_line();
    if (!json && !said_.empty() && answer.is_string() && answer.as_string() == said_) return ok();
    return print_result(answer, json);
  }

  bool is_broken() const { return std::ferror(stdout) != 0; }

 private:
  void finish_line() {
    if (std::exchange(in_line_, false)) std::fputc('\n', stdout);
  }
  std::mutex mutex_;
  std::string said_;
  bool in_line_ = false;
};

int end_node(node& n, interrupts& signals, int code) {
  signals.arm();
  const auto report = n.stop();
  std::fflush(stdout);
  // Threads that do not come back still use what a return would destroy.
  if (!report.stuck.empty()) _exit(code);
  return code;
}

}  // namespace

int run(const run_options& o) {
  interrupts signals;
  auto loaded = load_app(o.file, o.arguments, o.settings);
  if (!loaded) return complain(loaded.error(), o.json);
  const auto main = loaded->main;
  if (!main && !o.arguments.empty())
    return complain({errc::config, loaded->name + " has no main that takes arguments"}, o.json);

  node_settings with;
  with.screen = {.fd = 2, .json = o.json, .is_terminal = isatty(2) != 0};
  with.threads = o.threads;
  if (o.verbose) with.least = log_level::info;
  auto opened = node::open(with, std::move(*loaded));
  if (!opened) return complain(opened.error(), o.json);
  node& n = **opened;

  std::optional<error> ended;
  std::mutex mutex;
  const auto on_app_end = [&](error why) {
    std::lock_guard lock(mutex);
    ended = std::move(why);
    signals.notify();
  };
  if (!main) {
    n.door().monitor(std::string("app"), on_app_end);
    const auto limit = o.timeout > 0 ? seconds(o.timeout) : duration::max();
    const auto signal = signals.wait(limit);
    std::unique_lock lock(mutex);
    const auto why = std::move(ended);
    lock.unlock();
    if (signal) return end_node(n, signals, *signal == SIGINT ? interrupted : 128 + *signal);
    if (!why) return end_node(n, signals, timed_out);
    if (is_normal_exit(*why) && !why->cause) return end_node(n, signals, done);
    complain(*why, o.json);
    return end_node(n, signals, failed);
  }

  value::array arguments;
  for (const auto& a : o.arguments)
    arguments.emplace_back(a);
  auto body = pack(value(std::move(arguments)));
  if (!body) return complain(body.error(), o.json);
  main_output output;
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
      [&](const bytes& part) {
        output.part(part);
        if (output.is_broken()) signals.notify();
      });
  std::optional<int> signal;
  for (;;) {
    signal = signals.wait();
    std::lock_guard lock(mutex);
    if (signal || answer || output.is_broken()) break;
  }
  std::unique_lock lock(mutex);
  auto got = answer;
  lock.unlock();
  if (signal) return end_node(n, signals, *signal == SIGINT ? interrupted : 128 + *signal);
  if (!got)
    return end_node(n, signals, done);  // nobody reads stdout any more: an end like any other
  if (!*got) {
    const auto& why = got->error();
    complain(why, o.json);
    return end_node(n, signals, why.is(errc::timeout) ? timed_out : failed);
  }
  auto v = (*got)->empty() ? result<value>(value()) : unpack((*got)->view());
  if (!v) return end_node(n, signals, complain(v.error(), o.json));
  auto printed = output.finish(*v, o.json);
  return end_node(n, signals, printed ? done : complain(printed.error(), o.json));
}

}  // namespace troupe::cli
