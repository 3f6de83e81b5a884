// SPDX-License-Identifier: Apache-2.0
#include "actors/worker/worker.hpp"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/worker/child_process.hpp"
#include "actors/worker/output_log.hpp"

extern "C" char** environ;  // NOLINT: POSIX declares it nowhere

namespace troupe {

namespace {

constexpr std::string_view up_verb = "far.up";
constexpr std::string_view failed_verb = "far.failed";
constexpr std::string_view output_verb = "far.output";
constexpr std::string_view over_verb = "far.over";

constexpr std::size_t output_chunk = 16u << 10;
/// A pipe holds no more than this when its writers are gone.
constexpr std::size_t last_output = 64u << 10;
/// Even where a supervisor would wait for ever, a process that has nothing to do any more does not
/// stay.
constexpr duration longest_grace = std::chrono::seconds(30);

/// What every program may know, whoever runs it.
constexpr std::array<std::string_view, 6> harmless = {"PATH", "HOME",   "LANG",
                                                      "TZ",   "TMPDIR", "USER"};

std::vector<std::string> environment_for(const authority_ptr& rights) {
  std::vector<std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto name = text.substr(0, text.find('='));
    if (name.starts_with("LC_") ||
        std::find(harmless.begin(), harmless.end(), name) != harmless.end() ||
        (rights && rights->grants.allows("env", name)))
      out.emplace_back(text);
  }
  return out;
}

/// A started process and our ends of its pipes: shared by the thread that starts it and the agent
/// it is for, whichever lives longer. The end of both is the end of the process.
struct running {
  unique_fd channel, output;
  std::shared_ptr<child_process> child;  ///< shared with who waits for its end
  error failure;

  ~running() {
    if (child) child->kill();
  }
};

class worker_process final : public far_end {
 public:
  worker_process(worker_host& host, const child_spec& spec)
      : host_(host), folder_(spec.base_folder) {
    if (const auto* program = std::get_if<start_program>(&spec.start)) argv_ = program->argv;
  }
  ~worker_process() override { stop_watching(); }

  void start(context& ctx, const outlet& to) override;
  news handle(context& ctx, std::string_view verb, const bytes& body) override;
  unique_fd take_channel() override { return std::move(run_->channel); }
  const error& reason() const override { return reason_; }
  void kill() override {
    if (run_->child) run_->child->kill();
  }
  value inspect() const override {
    value v;
    v.set("pid", pid_);
    clockid_t cpu;
    timespec used;
    if (pid_ > 0 && ::clock_getcpuclockid(static_cast<pid_t>(pid_), &cpu) == 0 &&
        ::clock_gettime(cpu, &used) == 0)
      v.set("cpu", static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec));
    return v;
  }

 private:
  void watch_output(context& ctx);
  /// Logs what is there, up to `most` bytes. False if there will be no more.
  bool read_output(context& ctx, std::size_t most);
  void stop_watching();
  error how_it_ended() const;

  worker_host& host_;
  const std::string folder_;
  std::vector<std::string> argv_;
  outlet to_;
  std::shared_ptr<running> run_ = std::make_shared<running>();
  std::int64_t pid_ = 0;
  poller::key watch_ = 0;
  output_log output_;
  error reason_;
};

error os_error(const char* what) {
  return {errc::io, std::string(what) + ": " + ::strerrordesc_np(errno)};
}

void worker_process::start(context& ctx, const outlet& to) {
  to_ = to;
  if (!host_.said_unconfined.exchange(true))
    ctx.log(
        log_level::warning,
        "isolate = \"process\" is separation, not a sandbox: a worker may do what its user may");
  std::array<int, 2> channel, output;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel.data()) != 0) {
    run_->failure = os_error("no channel for a worker");
    to.post(failed_verb, {});
    return;
  }
  run_->channel = unique_fd(channel[0]);
  auto theirs = std::make_shared<std::pair<unique_fd, unique_fd>>();  // shared: a task is copied
  theirs->first = unique_fd(channel[1]);
  if (::pipe2(output.data(), O_CLOEXEC) != 0) {
    run_->failure = os_error("no pipe for what a worker prints");
    to.post(failed_verb, {});
    return;
  }
  run_->output = unique_fd(output[0]);
  ::fcntl(output[0], F_SETFL, O_NONBLOCK);  // our end alone: a program expects to wait
  theirs->second = unique_fd(output[1]);

  child_options options;
  options.program = host_.program;
  options.arguments = {"--node", std::to_string(::getpid())};
  if (!argv_.empty()) {
    options.arguments.emplace_back("--run");
    options.arguments.insert(options.arguments.end(), argv_.begin(), argv_.end());
  }
  options.environment = environment_for(ctx.own_authority());
  options.folder = folder_;
  options.use_pidfd = host_.use_pidfd;
  host_.io.run([&io = host_.io, run = run_, theirs, options, to]() mutable {
    options.channel = theirs->first.get();
    options.output = theirs->second.get();
    auto child = child_process::spawn(options);
    *theirs = {};
    if (child) {
      run->child = std::move(*child);
      to.post(up_verb, {});
      // Holds the process until its end is seen, although its agent may be gone by then.
      auto watched =
          io.watch(run->child->ended_fd(), EPOLLIN, [child = run->child, to](std::uint32_t) {
            to.post(over_verb, {});
            return false;
          });
      if (watched) return;
      run->failure = watched.error();
    } else {
      run->failure = child.error();
    }
    to.post(failed_verb, {});
  });
}

far_end::news worker_process::handle(context& ctx, std::string_view verb, const bytes&) {
  if (verb == up_verb) {
    pid_ = run_->child->pid();
    watch_output(ctx);
    return news::connected;
  }
  if (verb == output_verb) {
    if (watch_ == 0) return news::none;
    if (read_output(ctx, output_chunk))
      host_.io.rearm(watch_, run_->output.get(), EPOLLIN);
    else
      stop_watching();
    return news::none;
  }
  if (verb != failed_verb && verb != over_verb) return news::none;
  if (verb == over_verb) {
    read_output(ctx, last_output);
    output_.finish(ctx.now(), [&](std::string_view line) {
      ctx.log(log_level::info, "output", {{"line", line}});
    });
  }
  stop_watching();
  reason_ = verb == over_verb ? how_it_ended() : run_->failure;
  return news::ended;
}

void worker_process::watch_output(context& ctx) {
  auto watch = host_.io.watch(run_->output.get(), EPOLLIN,
                              [to = to_](std::uint32_t) { return to.post(output_verb, {}); });
  if (watch) {
    watch_ = *watch;
    return;
  }
  ctx.log(log_level::warning, "what a worker prints is not logged",
          {{"reason", watch.error().describe()}});
  run_->output.reset();
}

bool worker_process::read_output(context& ctx, std::size_t most) {
  std::array<char, output_chunk> buffer;
  while (most > 0 && run_->output) {
    const auto n = ::read(run_->output.get(), buffer.data(), std::min(most, buffer.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    most -= static_cast<std::size_t>(n);
    output_.feed({buffer.data(), static_cast<std::size_t>(n)}, ctx.now(),
                 [&](std::string_view line) {
                   ctx.log(log_level::info, "output", {{"line", line}});
                 });
  }
  if (const auto dropped = output_.take_dropped(); dropped > 0)
    ctx.log(log_level::warning, "a worker prints more than is logged",
            {{"dropped_bytes", static_cast<std::int64_t>(dropped)}});
  return static_cast<bool>(run_->output);
}

void worker_process::stop_watching() {
  if (watch_ == 0) return;
  host_.io.forget(std::exchange(watch_, 0), run_->output.get());
}

error worker_process::how_it_ended() const {
  const auto status = run_->child->status().value_or(exit_status{.number = -1});
  error why;
  if (status.by_signal) {
    why = error(errc::crash, "worker ended by " + signal_name(status.number));
    why.data.set("signal", signal_name(status.number));
  } else if (status.number < 0) {
    why = error(errc::crash, "worker ended, and this node could not learn how");
  } else {
    why = error(status.number == 0 ? errc::normal : errc::crash,
                "worker ended with exit code " + std::to_string(status.number));
    why.data.set("exit_code", status.number);
  }
  if (!is_normal_exit(why)) why.traceback = output_.tail();
  return why;
}

/// What holds without a sandbox: a script's own limits, and those of a mailbox, which is in the
/// node.
result<void> check_limits(const child_spec& spec) {
  if (std::holds_alternative<start_script>(spec.start)) return ok();
  for (const auto& [name, limit] : spec.limits.as_map())
    if (!name.as_string().starts_with("mailbox"))
      return {errc::unsupported, spec.id + ": limits." + std::string(name.as_string()) +
                                     " can't be held for what is no script"};
  return ok();
}

}  // namespace

result<std::unique_ptr<behaviour>> make_worker_behaviour(worker_host& host, const child_spec& spec,
                                                         value extra) {
  if (spec.isolate == isolation::sandbox)
    return {errc::unsupported, spec.id +
                                   ": this build has no sandbox; isolate = \"process\" is "
                                   "separation only"};
  if (std::holds_alternative<supervisor_spec>(spec.start) ||
      std::holds_alternative<start_builtin>(spec.start))
    return {errc::unsupported,
            spec.id + ": a supervisor or an actor of the node can't be isolated"};
  const auto* program = std::get_if<start_program>(&spec.start);
  if (program != nullptr && program->argv.empty())
    return {errc::config, spec.id + ": start.run names no program"};
  TROUPE_CHECK(check_limits(spec));
  greeting hello;
  hello.spec = spec.to_value();
  hello.base_folder = spec.base_folder;
  hello.extra = std::move(extra);
  auto limits = host.limits;
  limits.grace = std::min(spec.shutdown, longest_grace);
  return std::unique_ptr<behaviour>(std::make_unique<remote_behaviour>(
      std::make_unique<worker_process>(host, spec), host.io, std::move(hello), limits));
}

}  // namespace troupe
