// SPDX-License-Identifier: Apache-2.0
//
// A piece of plain data: what messages, options, states and JSON documents are made of. It is what
// C++ code sees; scripts and plugins see the same data in their own form. The bytes that travel are
// in msgpack.hpp, text in json.hpp. Rules of conversion: sdk/docs/values.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe {

/// Plain data with value semantics. Not thread-safe; copy it to hand it on.
class value {
 public:
  using array = std::vector<value>;
  /// Members in the order they were set; keys are unique: strings, integers, booleans, or floats
  /// that are neither whole nor NaN. With others it can't be packed, or comes back with these.
  using map = std::vector<std::pair<value, value>>;
  /// Bytes that are not text.
  struct binary {
    std::string bytes;
    bool operator==(const binary&) const = default;
  };
  /// An extension of MessagePack. Type 1 is an agent's address (32 bytes, see agent/address.hpp).
  struct extension {
    std::int8_t type = 0;
    std::string bytes;
    bool operator==(const extension&) const = default;
  };

  value() = default;
  value(std::nullptr_t) {}
  value(bool x) : data_(x) {}
  value(int x) : data_(std::int64_t{x}) {}
  value(std::int64_t x) : data_(x) {}
  value(std::uint32_t x) : data_(std::int64_t{x}) {}
  /// Above the largest int64 the value becomes a double.
  value(std::uint64_t x);
  value(double x) : data_(x) {}
  value(const char* x) : data_(std::string(x)) {}
  value(std::string_view x) : data_(std::string(x)) {}
  value(std::string x) : data_(std::move(x)) {}
  value(binary x) : data_(std::move(x)) {}
  value(extension x) : data_(std::move(x)) {}
  value(array x) : data_(std::move(x)) {}
  value(map x) : data_(std::move(x)) {}

  bool is_nil() const { return data_.index() == 0; }
  bool is_bool() const { return is<bool>(); }
  bool is_int() const { return is<std::int64_t>(); }
  bool is_double() const { return is<double>(); }
  bool is_number() const { return is_int() || is_double(); }
  bool is_string() const { return is<std::string>(); }
  bool is_binary() const { return is<binary>(); }
  bool is_extension() const { return is<extension>(); }
  bool is_array() const { return is<array>(); }
  bool is_map() const { return is<map>(); }

  /// What is held, or null if it is of another type. The pointer lives as long as this value.
  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&data_);
  }
  template <class T>
  T* get_if() {
    return std::get_if<T>(&data_);
  }

  /// What is held, or `fallback` if it is of another type. An int converts to a double, and a
  /// double with an integral value to an int; nothing else converts.
  bool as_bool(bool fallback = false) const;
  std::int64_t as_int(std::int64_t fallback = 0) const;
  double as_double(double fallback = 0) const;
  /// Text or binary bytes. The view lives as long as this value.
  std::string_view as_string(std::string_view fallback = {}) const;
  /// Empty if this is no array (or map).
  const array& as_array() const;
  const map& as_map() const;

  /// Member of a map by a text key, or null if this is no map or has none.
  const value* find(std::string_view key) const;
  /// The same, but nil stands for what is missing.
  const value& operator[](std::string_view key) const;
  /// Sets a member, adding it at the end if it is new. Anything but a map becomes an empty map
  /// first. Looks through all members: big maps are built as a `map`.
  value& set(value key, value member);
  /// Removes a member if it is there.
  void erase(std::string_view key);
  /// Adds to an array. Anything but an array becomes an empty array first.
  value& push(value element);

  /// Name of the type held, as a person would say it: nil, boolean, integer, number, string,
  /// binary, extension, list, map.
  std::string_view type_name() const;

  /// The same data. Maps are equal whatever their order; 1 and 1.0 differ. Takes the square of a
  /// map's size: for data of anybody's making compare packed bytes.
  friend bool operator==(const value& a, const value& b);

 private:
  template <class T>
  bool is() const {
    return std::holds_alternative<T>(data_);
  }

  std::variant<std::monostate, bool, std::int64_t, double, std::string, binary, extension, array,
               map>
      data_;
};

}  // namespace troupe
