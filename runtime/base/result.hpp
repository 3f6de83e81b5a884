// SPDX-License-Identifier: Apache-2.0
//
// A value or the error that stands in its place: how functions report what can happen.
#pragma once

#include <cassert>
#include <optional>
#include <utility>
#include <variant>

#include "base/error.hpp"

namespace troupe {

/// Either a T or an error. Asking for the one that is not there is a bug and asserts.
template <class T>
class [[nodiscard]] result {
 public:
  result(T x) : data_(std::in_place_index<0>, std::move(x)) {}
  result(troupe::error e) : data_(std::in_place_index<1>, std::move(e)) {}
  result(errc code, std::string message)
      : data_(std::in_place_index<1>, code, std::move(message)) {}
  /// From a result of a type that converts (a unique_ptr of a derived class, say).
  template <class U>
  requires(!std::is_same_v<T, U> && std::is_convertible_v<U&&, T>) result(result<U> other)
      : data_(other ? decltype(data_)(std::in_place_index<0>, std::move(*other))
                    : decltype(data_)(std::in_place_index<1>, std::move(other.error()))) {}

  explicit operator bool() const { return data_.index() == 0; }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  T& value() {
    assert(*this);
    return *std::get_if<0>(&data_);
  }
  const T& value() const {
    assert(*this);
    return *std::get_if<0>(&data_);
  }
  troupe::error& error() {
    assert(!*this);
    return *std::get_if<1>(&data_);
  }
  const troupe::error& error() const {
    assert(!*this);
    return *std::get_if<1>(&data_);
  }

 private:
  std::variant<T, troupe::error> data_;
};

/// Success or an error.
template <>
class [[nodiscard]] result<void> {
 public:
  result() = default;
  result(troupe::error e) : error_(std::move(e)) {}
  result(errc code, std::string message) : error_(std::in_place, code, std::move(message)) {}

  explicit operator bool() const { return !error_; }
  troupe::error& error() {
    assert(error_);
    return *error_;
  }
  const troupe::error& error() const {
    assert(error_);
    return *error_;
  }

 private:
  std::optional<troupe::error> error_;
};

/// Success, where `return {}` would not say enough.
inline result<void> ok() {
  return {};
}

}  // namespace troupe

#define TROUPE_CONCAT_(a, b) a##b
#define TROUPE_CONCAT(a, b) TROUPE_CONCAT_(a, b)

/// Declares `name` with what `expression` yields, or returns its error from this function.
#define TROUPE_TRY(name, expression)                                                         \
  auto TROUPE_CONCAT(name, _result) = (expression);                                          \
  if (!TROUPE_CONCAT(name, _result)) return std::move(TROUPE_CONCAT(name, _result).error()); \
  auto name = std::move(*TROUPE_CONCAT(name, _result))

/// Returns the error of `expression` from this function, if it has one.
#define TROUPE_CHECK(expression)                           \
  do {                                                     \
    if (auto troupe_check_ = (expression); !troupe_check_) \
      return std::move(troupe_check_.error());             \
  } while (false)
