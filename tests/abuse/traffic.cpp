// SPDX-License-Identifier: Apache-2.0
#include "abuse/traffic.hpp"

#include <algorithm>

#include "base/msgpack.hpp"

namespace troupe::test {

namespace {

using stop_watch = std::chrono::steady_clock;

/// Longer than anything here lasts: a call ends by its answer and by nothing else.
constexpr auto patience = std::chrono::hours(1);

}  // namespace

traffic::traffic(gateway& door, std::vector<std::string> agents)
    : door_(door), agents_(std::move(agents)) {}

traffic::~traffic() {
  if (thread_.joinable()) end();
}

void traffic::begin() {
  took_.clear();
  failed_ = 0;
  first_failure_.clear();
  stopping_ = false;
  answered_ = 0;
  thread_ = std::thread([this] { run(); });
}

void traffic::run() {
  const auto pause = std::chrono::nanoseconds(period) / agents_.size();
  const auto began = stop_watch::now();
  for (std::size_t i = 0; !stopping_; ++i) {
    // Late calls are made up for, so that a slow node is not asked less.
    std::this_thread::sleep_until(began + pause * i);
    const auto& whom = agents_[i % agents_.size()];
    open_.fetch_add(1);
    const auto asked = stop_watch::now();
    door_.begin_call(whom, "ask", *pack(value(value::array{static_cast<std::int64_t>(i)})),
                     {.timeout = patience}, [this, asked, &whom](result<bytes> answer) {
                       took_.push_back(stop_watch::now() - asked);
                       if (!answer && failed_++ == 0)
                         first_failure_ = whom + ": " + answer.error().describe();
                       ++answered_;
                       if (open_.fetch_sub(1) == 1) open_.notify_all();
                     });
  }
}

traffic::figures traffic::end() {
  stopping_ = true;
  thread_.join();
  for (auto n = open_.load(); n != 0; n = open_.load())
    open_.wait(n);
  std::sort(took_.begin(), took_.end());
  const auto at = [&](double share) {
    if (took_.empty()) return std::chrono::microseconds(0);
    const auto i = static_cast<std::size_t>(share * static_cast<double>(took_.size()));
    return std::chrono::duration_cast<std::chrono::microseconds>(
        took_[std::min(i, took_.size() - 1)]);
  };
  return {took_.size(), failed_, first_failure_, at(0.5), at(0.99), at(1)};
}

}  // namespace troupe::test
