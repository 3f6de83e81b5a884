// SPDX-License-Identifier: Apache-2.0
//
// One OS process that belongs to this one: started with nothing but what it is given, ended with
// everything it has started, always collected.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace troupe {

struct child_options {
  /// An absolute path.
  std::string program;
  /// Without the program's name.
  std::vector<std::string> arguments;
  /// NAME=value; all there is.
  std::vector<std::string> environment;
  /// Where it starts; empty: where this process is.
  std::string folder;
  /// Becomes descriptor 3 there. Borrowed.
  int channel = -1;
  /// Becomes standard output and error. Borrowed.
  int output = -1;
  /// False: a thread waits instead, as on systems without pidfd_open.
  bool use_pidfd = true;
};

/// How a process ended.
struct exit_status {
  bool by_signal = false;
  int number = 0;  ///< exit code or signal
};
/// `SIGSEGV`, or `signal 40`.
std::string signal_name(int number);

/// The process stays known to the system until this is destroyed, so a signal can't reach a
/// stranger that got its number. All functions may be called from any thread.
class child_process {
 public:
  /// Fails with io: `/opt/worker can't be started: No such file or directory`. Should be called on
  /// a thread that lives as long as the node: the end of that thread is the end of workers.
  static result<std::unique_ptr<child_process>> spawn(const child_options& options);
  /// Kills what still runs and waits for it: a moment.
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  pid_t pid() const { return pid_; }
  /// Becomes readable, or hangs up, when the process has ended.
  int ended_fd() const { return ended_.get(); }
  /// Nothing while it runs.
  std::optional<exit_status> status() const;
  /// Ends it and all processes of its group at once.
  void kill() const;

 private:
  explicit child_process(pid_t pid) : pid_(pid) {}
  result<void> watch_end(bool use_pidfd);

  const pid_t pid_;
  unique_fd ended_;
};

}  // namespace troupe
