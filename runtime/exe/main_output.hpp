// SPDX-License-Identifier: Apache-2.0
//
// What main says, on its way to stdout. A thread of its own writes it: whoever reads stdout may
// pause for as long as they like, and neither the node nor Ctrl-C waits for them.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/value.hpp"

namespace troupe::cli {

/// Thread-safe. None of its functions waits for the reader, but the destructor.
class main_output {
 public:
  /// `changed` is called on the writing thread after each thing that was written.
  explicit main_output(std::function<void()> changed);
  ~main_output();
  main_output(const main_output&) = delete;
  main_output& operator=(const main_output&) = delete;

  /// Text as it comes, other values as lines of JSON. `taken` is called once it is written, unless
  /// `close` came first.
  void part(bytes body, std::function<void()> taken);
  /// What main answers last; text only if that was not all of it said in parts.
  void finish(value answer, bool json);

  /// Everything that was handed in is written.
  bool is_idle() const;
  /// Nobody reads any more.
  bool is_broken() const;
  /// How `finish` went, once it is idle.
  result<void> printed() const;

  /// Drops what is not written yet. Nothing is called any more when it returns.
  void close();
  /// After `close`: true if the thread came out of its last write within `limit`.
  bool has_ended(duration limit);

 private:
  void add(std::function<void()> write, std::function<void()> taken);
  void run();
  void write_part(const bytes& body);
  result<void> write_answer(const value& answer, bool json);
  void finish_line();

  struct order {
    std::function<void()> write, taken;
  };
  const std::function<void()> changed_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<order> orders_;
  bool is_writing_ = false;
  bool is_broken_ = false;
  bool is_closed_ = false;
  bool has_ended_ = false;
  result<void> printed_ = ok();

  // The writing thread's alone.
  std::string said_;
  bool in_line_ = false;

  std::thread thread_;
};

}  // namespace troupe::cli
