// SPDX-License-Identifier: Apache-2.0
//
// Sees what becomes of one request, for tests that wait for it.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "http/client.hpp"

namespace troupe::test {

class recorder {
 public:
  /// The sink to hand to a client; this recorder may go first.
  std::unique_ptr<http_sink> sink() const { return std::make_unique<writer>(seen_); }

  /// Called on the client's thread for each piece; its answer goes to the client.
  void on_piece(std::function<bool(request_id, std::string_view)> f) {
    std::lock_guard lock(seen_->mutex);
    seen_->on_piece = std::move(f);
  }

  result<void> wait_for_end() {
    return wait([](const state& s) { return s.outcome.has_value(); }), *seen_->outcome;
  }
  http_head wait_for_head() {
    return wait([](const state& s) { return s.heads > 0; }), seen_->head;
  }
  /// Until that many bytes have come.
  std::string wait_for_data(std::size_t bytes) {
    std::unique_lock lock(seen_->mutex);
    seen_->changed.wait(lock, [&] { return seen_->data.size() >= bytes || seen_->outcome; });
    return seen_->data;
  }
  std::string data() const {
    std::lock_guard lock(seen_->mutex);
    return seen_->data;
  }
  int heads() const {
    std::lock_guard lock(seen_->mutex);
    return seen_->heads;
  }
  int ends() const {
    std::lock_guard lock(seen_->mutex);
    return seen_->ends;
  }

 private:
  struct state {
    std::mutex mutex;
    std::condition_variable changed;
    std::function<bool(request_id, std::string_view)> on_piece;
    http_head head;
    int heads = 0, ends = 0;
    std::string data;
    std::optional<result<void>> outcome;
  };

  class writer final : public http_sink {
   public:
    explicit writer(std::shared_ptr<state> s) : seen_(std::move(s)) {}
    bool on_head(request_id, const http_head& head) override {
      std::lock_guard lock(seen_->mutex);
      seen_->head = head;
      ++seen_->heads;
      seen_->changed.notify_all();
      return true;
    }
    bool on_data(request_id id, std::string_view data) override {
      std::lock_guard lock(seen_->mutex);
      seen_->data.append(data);
      seen_->changed.notify_all();
      return !seen_->on_piece || seen_->on_piece(id, data);
    }
    void on_end(request_id, const result<void>& outcome) override {
      std::lock_guard lock(seen_->mutex);
      seen_->outcome = outcome;
      ++seen_->ends;
      seen_->changed.notify_all();
    }

   private:
    std::shared_ptr<state> seen_;
  };

  template <class Condition>
  void wait(Condition c) {
    std::unique_lock lock(seen_->mutex);
    seen_->changed.wait(lock, [&] { return c(*seen_); });
  }

  std::shared_ptr<state> seen_ = std::make_shared<state>();
};

}  // namespace troupe::test
