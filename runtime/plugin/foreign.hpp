// SPDX-License-Identifier: Apache-2.0
//
// Calls into a plugin, and what comes out of one: nothing in here is trusted to be what it should
// be. Whatever a plugin hands over is copied and checked; whatever it throws ends here.
#pragma once

#include <troupe/plugin.h>

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "agent/watchdog.hpp"
#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/result.hpp"
#include "base/value.hpp"

namespace troupe {

/// Takes the running thread off while code runs that can't be paused, and says whose that is.
class foreign_code {
 public:
  /// `who` outlives it.
  explicit foreign_code(const std::string& who) : was_(running()), outer_(set_foreign(&who)) {
    set_running(nullptr);
  }
  ~foreign_code() {
    set_foreign(outer_);
    set_running(was_);
  }
  foreign_code(const foreign_code&) = delete;
  foreign_code& operator=(const foreign_code&) = delete;

 private:
  interruptible* was_;
  const std::string* outer_;
};

/// Calls `f`, which calls a plugin. What it throws becomes a crash: `who threw: what`.
template <class F>
auto call_foreign(const std::string& who, F&& f) noexcept -> result<decltype(f())> {
  const foreign_code guard(who);
  try {
    if constexpr (std::is_void_v<decltype(f())>) {
      f();
      return ok();
    } else {
      return f();
    }
  } catch (const std::exception& e) {
    return error(errc::crash, who + " threw: " + e.what());
  } catch (...) {
    return error(errc::crash, who + " threw something that is no std::exception");
  }
}

// -- out of the node

inline troupe_text_t to_text(std::string_view s) {
  return {s.data(), s.size()};
}
inline troupe_bytes_t to_bytes(std::string_view s) {
  return {s.data(), s.size()};
}
/// `e` as a record that borrows its texts, and `data` for its data, which must outlive it.
troupe_error_t to_record(const error& e, const bytes& data);

// -- out of a plugin

/// The characters behind `t`; nothing if they are not UTF-8, or if the record is garbage.
std::optional<std::string_view> text_of(troupe_text_t t);
/// The same, but what is wrong is replaced by a note. For sentences.
std::string sentence_of(troupe_text_t t);
std::optional<std::string_view> view_of(troupe_bytes_t b);
/// A body, after its rules were checked; nothing at all counts as nil. Fails with bad_body or
/// too_big.
result<bytes> body_of(troupe_bytes_t b);
/// An error; `who` stands for what it does not say.
error error_of(const troupe_error_t* record, const std::string& who);

/// True if a plugin's record is there and long enough for `needed` bytes.
template <class Record>
bool is_record(const Record* r, std::size_t needed = sizeof(Record)) {
  return r != nullptr && r->size >= needed;
}

/// One packed nil.
const bytes& nil_body();

/// A troupe_result_t of ours: keeps what a plugin leaves in it.
class result_slot {
 public:
  explicit result_slot(std::string who) : who_(std::move(who)) {}
  result_slot(const result_slot&) = delete;
  result_slot& operator=(const result_slot&) = delete;

  const troupe_result_t* record() const { return &record_; }
  /// Why it failed, for a function that answered TROUPE_FAILED (or anything but TROUPE_OK).
  error failure(std::int32_t answered) const;
  /// The value it left, or nil.
  const bytes& value() const { return value_; }

 private:
  std::string who_;
  bytes value_;
  std::optional<error> error_;
  troupe_result_t record_{
      sizeof(troupe_result_t), 0, this,
      [](void* self, troupe_bytes_t value) { static_cast<result_slot*>(self)->keep(value); },
      [](void* self, const troupe_error_t* e) { static_cast<result_slot*>(self)->keep(e); }};

  void keep(troupe_bytes_t value) noexcept;
  void keep(const troupe_error_t* e) noexcept;
};

}  // namespace troupe
