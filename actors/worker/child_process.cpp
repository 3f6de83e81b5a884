// SPDX-License-Identifier: Apache-2.0
#include "actors/worker/child_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>
#include <utility>

namespace troupe {

namespace {

constexpr int channel_fd = 3;

/// What posix_spawn is told; destroys itself.
class spawn_plan {
 public:
  spawn_plan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  ~spawn_plan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  spawn_plan(const spawn_plan&) = delete;
  spawn_plan& operator=(const spawn_plan&) = delete;

  /// `channel` and `output` are above channel_fd.
  void make(int channel, int output, const std::string& folder) {
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, channel, channel_fd);
    // Ours close by themselves; libraries of a node may have others.
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, channel_fd + 1);
    if (!folder.empty()) ::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str());

    // A group of its own: a Ctrl-C is the node's to handle, and a kill reaches all of it.
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (auto& text : texts)
    out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

error failed(const std::string& program, int code) {
  return {errc::io, program + " can't be started: " + ::strerrordesc_np(code)};
}

/// Out of the way of the numbers that the child wants.
unique_fd moved_up(int fd) {
  return unique_fd(::fcntl(fd, F_DUPFD_CLOEXEC, channel_fd + 1));
}

}  // namespace

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return name != nullptr ? "SIG" + std::string(name) : "signal " + std::to_string(number);
}

result<std::unique_ptr<child_process>> child_process::spawn(const child_options& options) {
  const auto channel = moved_up(options.channel);
  const auto output = moved_up(options.output);
  if (!channel || !output) return failed(options.program, errno);
  spawn_plan plan;
  plan.make(channel.get(), output.get(), options.folder);
  std::vector<std::string> arguments{options.program};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  auto environment = options.environment;
  pid_t pid = 0;
  const int code = ::posix_spawn(&pid, options.program.c_str(), plan.actions(), plan.attributes(),
                                 pointers(arguments).data(), pointers(environment).data());
  if (code != 0) return failed(options.program, code);
  std::unique_ptr<child_process> child(new child_process(pid));
  TROUPE_CHECK(child->watch_end(options.use_pidfd));
  return child;
}

result<void> child_process::watch_end(bool use_pidfd) {
  if (use_pidfd) ended_ = unique_fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (ended_) return ok();
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failed("worker", errno);
  ended_ = unique_fd(ends[0]);
  // It knows a number and holds an end of a pipe, so it may outlive everything here.
  std::thread([pid = pid_, done = unique_fd(ends[1])] {
    siginfo_t info;
    while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 &&
           errno == EINTR) {
    }
  }).detach();
  return ok();
}

std::optional<exit_status> child_process::status() const {
  siginfo_t info{};
  int n;
  do {
    n = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT | WNOHANG);
  } while (n != 0 && errno == EINTR);
  // Somebody else collects the children of this process; how it ended is lost.
  if (n != 0) return exit_status{.by_signal = false, .number = -1};
  if (info.si_pid == 0) return std::nullopt;
  return exit_status{.by_signal = info.si_code != CLD_EXITED, .number = info.si_status};
}

void child_process::kill() const {
  ::kill(-pid_, SIGKILL);
}

child_process::~child_process() {
  kill();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace troupe
