// SPDX-License-Identifier: Apache-2.0
//
// Tells when files are written or replaced, for `--watch`: by inotify on their folders, since
// editors put a new file in the place of the old one. A folder may be replaced as well.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "channel/poller.hpp"

namespace troupe {

class file_watch {
 public:
  /// Gets the files that changed, each as it was added, once nothing more has happened to any for
  /// 50 ms: editors write in several steps. Called on the poller's thread: must not block.
  using on_change = std::function<void(std::vector<std::string> files)>;

  /// Fails with limit where the machine has no inotify instance left, else with io.
  static result<std::unique_ptr<file_watch>> open();
  file_watch(const file_watch&) = delete;
  file_watch& operator=(const file_watch&) = delete;

  /// [any thread] From now on the file counts, where a link at its path leads as well. Fails with
  /// limit or io, once for each folder.
  result<void> add(const std::string& file);

  /// Tells from now on of what changed since the files were added. `io` outlives the next `end`.
  result<void> begin(poller& io, on_change changed);
  /// Once it returns nothing is told any more. To be called by who called `begin`; not on the
  /// poller's thread.
  void end();

 private:
  file_watch(unique_fd events, unique_fd timer)
      : events_(std::move(events)), timer_(std::move(timer)) {}
  result<void> add_at(const std::string& folder, const std::string& name, const std::string& file);
  result<void> attach();
  bool read_events();
  bool tell();
  struct folder {
    int watch = -1;           ///< one for all paths that lead to the same folder
    bool is_missing = false;  ///< it was watched, and has gone
    /// By name in it: the files as they were added.
    std::map<std::string, std::set<std::string>> names = {};
  };
  int watch(const std::string& path);
  void note(const folder& f);
  void look_again();
  void tell_soon();

  const unique_fd events_, timer_;
  std::mutex mutex_;  ///< guards the next two
  std::map<std::string, folder> folders_;
  std::set<std::string> changed_;
  // From here on the poller's thread alone.
  poller* io_ = nullptr;
  on_change on_change_;
  poller::key events_key_ = 0, timer_key_ = 0;
};

}  // namespace troupe
