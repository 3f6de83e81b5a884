// SPDX-License-Identifier: Apache-2.0
//
// One whole node with many well-behaved Lua agents, and room for one at a time that is not.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "exe/node.hpp"

namespace troupe::test {

/// What a misdeed's file says of itself in its first lines:
///
///     -- Endless recursion.
///     -- ends: crash
///
/// `ends: CODE [WHAT]`: it ends by itself with that code, and behind it `data.what` of a limit or
/// the code of the cause.
/// `held`: it lives on and harms nobody; a kill ends it. A third line `-- slows: WHY` says why the
/// others may wait longer than the bar allows.
struct misdeed {
  std::string name;  ///< the file's, without its ending
  std::string sentence;
  std::string code;  ///< empty: held
  std::string what;
  bool slows = false;
};
result<std::vector<misdeed>> read_misdeeds(const std::string& folder);

class world {
 public:
  /// `victims` agents v1, v2, ... of `folder`/victim.lua under the app's supervisor, and `target`,
  /// which misdeeds that need somebody to harm may harm.
  static result<std::unique_ptr<world>> open(const std::string& folder, std::size_t victims);
  ~world();

  gateway& door() { return node_->door(); }
  const std::vector<std::string>& victims() const { return victims_; }

  /// Starts the culprit and tells it to go. One at a time.
  result<void> start(const misdeed& m);
  /// Why it ended; nothing if it lives.
  std::optional<error> wait_end(duration limit);
  /// Kills it and waits.
  error kill();
  /// Waits until nobody is left but who was there when the world opened.
  void wait_until_gone();
  /// Resident memory of the process in bytes.
  static std::size_t resident();
  /// Bytes that somebody has allocated and not freed; nothing where a sanitizer allocates.
  static std::size_t in_use();

 private:
  world() = default;
  std::string folder_;
  std::vector<std::string> victims_;
  std::unique_ptr<node> node_;
  std::size_t population_ = 0;
  address culprit_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::optional<error> reason_;
};

}  // namespace troupe::test
