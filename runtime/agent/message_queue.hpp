// SPDX-License-Identifier: Apache-2.0
//
// A queue of messages linked through themselves: no allocation of its own. For one thread.
#pragma once

#include <utility>

#include "agent/envelope.hpp"

namespace troupe {

class message_queue {
 public:
  message_queue() = default;
  message_queue(const message_queue&) = delete;
  message_queue& operator=(const message_queue&) = delete;
  ~message_queue() {
    while (pop()) {
    }
  }

  bool empty() const { return head_ == nullptr; }
  const envelope* front() const { return head_; }

  void push(envelope_ptr e) {
    e->next = nullptr;
    auto* raw = e.release();
    (head_ == nullptr ? head_ : tail_->next) = raw;
    tail_ = raw;
  }

  /// Takes a list that is linked through itself, oldest first; the queue is empty before.
  void adopt(envelope* oldest) {
    head_ = tail_ = oldest;
    while (tail_ != nullptr && tail_->next != nullptr)
      tail_ = tail_->next;
  }

  /// Null if it is empty.
  envelope_ptr pop() {
    if (head_ == nullptr) return nullptr;
    envelope_ptr e(head_);
    head_ = std::exchange(e->next, nullptr);
    return e;
  }

  /// Takes out the first message for which `f` is true; null if there is none. Linear.
  template <class F>
  envelope_ptr take_if(F f) {
    envelope* before = nullptr;
    for (auto* e = head_; e != nullptr; before = e, e = e->next) {
      if (!f(*e)) continue;
      (before == nullptr ? head_ : before->next) = e->next;
      if (tail_ == e) tail_ = before;
      e->next = nullptr;
      return envelope_ptr(e);
    }
    return nullptr;
  }

 private:
  envelope* head_ = nullptr;
  envelope* tail_ = nullptr;
};

}  // namespace troupe
