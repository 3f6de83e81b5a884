// SPDX-License-Identifier: Apache-2.0
//
// The node, as a C++ plugin sees it: JSON and the log; and the parts that the other headers of this
// wrapper share. Header only, C++17. Nothing in here throws across the C line.
#pragma once

#include <troupe/ext/json.h>
#include <troupe/ext/log.h>
#include <troupe/plugin.h>

#include <string>
#include <string_view>

#include "troupe/value.hpp"

namespace troupe::sdk {

enum class level : std::uint32_t {
  debug = TROUPE_LOG_DEBUG,
  info = TROUPE_LOG_INFO,
  warning = TROUPE_LOG_WARNING,
  error = TROUPE_LOG_ERROR,
};

namespace detail {

/// A troupe_error_t that borrows from a failure.
inline troupe_error_t error_record(const failure& why) {
  troupe_error_t e{};
  e.size = sizeof e;
  e.flags = why.retryable ? TROUPE_RETRYABLE : 0u;
  e.code = to_text(why.code);
  e.message = to_text(why.what());
  e.retry_after = why.retry_after;
  return e;
}

inline std::int32_t report(const troupe_result_t* result, const failure& why) {
  const troupe_error_t e = error_record(why);
  result->error(result->context, &e);
  return TROUPE_FAILED;
}

/// Runs `f`; what it throws becomes the error of `result`.
template <class F>
std::int32_t guarded(const troupe_result_t* result, F&& f) noexcept {
  try {
    f();
    return TROUPE_OK;
  } catch (const failure& why) {
    return report(result, why);
  } catch (const std::exception& e) {
    return report(result, failure("crash", e.what()));
  } catch (...) {
    return report(result, failure("crash", "threw something that is no std::exception"));
  }
}

/// Collects what the node leaves in a troupe_result_t, and throws it if it is an error.
class answer_slot {
 public:
  const troupe_result_t* record() const { return &record_; }
  std::string take(std::int32_t answered) {
    if (answered == TROUPE_OK) return std::move(value_);
    failure why(code_.empty() ? "failed" : code_, message_);
    why.retryable = retryable_;
    throw why;
  }

 private:
  static void keep_value(void* self, troupe_bytes_t value) {
    static_cast<answer_slot*>(self)->value_ = to_view(value);
  }
  static void keep_error(void* self, const troupe_error_t* e) {
    auto* slot = static_cast<answer_slot*>(self);
    slot->code_ = to_view(e->code);
    slot->message_ = to_view(e->message);
    slot->retryable_ = (e->flags & TROUPE_RETRYABLE) != 0;
  }

  std::string value_, code_, message_;
  bool retryable_ = false;
  const troupe_result_t record_{sizeof(troupe_result_t), 0, this, keep_value, keep_error};
};

}  // namespace detail

/// A handle to the node; copy it freely. Thread-safe. Valid until the plugin is closed.
class host {
 public:
  explicit host(const troupe_host_t* record)
      : record_(record),
        json_(extension<troupe_json_host_t>(TROUPE_JSON)),
        log_(extension<troupe_log_host_t>(TROUPE_LOG)) {}

  /// Throws failure: syntax or too_big.
  value parse_json(std::string_view text) const {
    detail::answer_slot slot;
    const auto answered = json().parse(record_, to_text(text), slot.record());
    return unpack(to_bytes(slot.take(answered)));
  }
  /// On one line. Throws failure: bad_body.
  std::string print_json(const value& v) const {
    detail::answer_slot slot;
    const auto packed = pack(v);
    const auto answered = json().print(record_, to_bytes(packed), slot.record());
    return slot.take(answered);
  }

  /// `message` is a fixed sentence, what varies stands in `fields`.
  void log(level at, std::string_view message, const value& fields = value::map{}) const {
    if (log_ == nullptr) return;
    const auto packed = pack(fields);
    log_->write(record_, static_cast<std::uint32_t>(at), to_text(message), to_bytes(packed));
  }

  /// The node's record behind an id, or null if it has none.
  template <class Record>
  const Record* extension(const char* id) const {
    return static_cast<const Record*>(record_->get_extension(record_, troupe_text(id)));
  }

 private:
  const troupe_json_host_t& json() const {
    if (json_ == nullptr) throw failure("unsupported", "this node has no " TROUPE_JSON);
    return *json_;
  }

  const troupe_host_t* record_;
  const troupe_json_host_t* json_;
  const troupe_log_host_t* log_;
};

}  // namespace troupe::sdk
