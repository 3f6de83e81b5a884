// SPDX-License-Identifier: Apache-2.0
//
// Which agents run scripts, for `--watch`: also those that agents spawn, which nobody but them may
// ask for.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace troupe {

/// Thread-safe.
class running_scripts {
 public:
  /// An agent at `path` is about to be started.
  void prepared(const std::string& path) {
    const std::lock_guard lock(mutex_);
    ++count_[path];
  }
  /// Paths that were never prepared are no matter.
  void ended(const std::string& path) {
    const std::lock_guard lock(mutex_);
    const auto at = count_.find(path);
    if (at != count_.end() && --at->second == 0) count_.erase(at);
  }
  /// In the order of their names; a few may have ended.
  std::vector<std::string> paths() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> all;
    for (const auto& [path, count] : count_)
      all.push_back(path);
    return all;
  }

 private:
  mutable std::mutex mutex_;
  /// More than one where an agent still ends when the next one has been made.
  std::map<std::string, int> count_;
};

}  // namespace troupe
