// SPDX-License-Identifier: Apache-2.0
//
// Plain data in a C++ plugin: what messages, options, arguments and results are made of, and its
// MessagePack form. Header only, C++17.
#pragma once

#include <troupe/pack.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::sdk {

/// Thrown for what fails, by this wrapper and by plugins. In a verb or a tool it becomes the
/// caller's error; thrown elsewhere it ends the agent with it as the reason.
class failure : public std::runtime_error {
 public:
  failure(std::string code, const std::string& message)
      : std::runtime_error(message), code(std::move(code)) {}

  std::string code;  ///< failed, not_found, bad_argument, denied, io, too_big ...
  bool retryable = false;
  double retry_after = 0;  ///< seconds; 0: unknown
};

/// One agent, anywhere. All zero: nobody.
struct address {
  std::array<std::uint8_t, 32> wire{};
  friend bool operator==(const address& a, const address& b) { return a.wire == b.wire; }
  friend bool operator!=(const address& a, const address& b) { return !(a == b); }
};

/// Plain data with value semantics.
class value {
 public:
  using list = std::vector<value>;
  /// Members in the order they were set; keys are unique.
  using map = std::vector<std::pair<value, value>>;
  /// Bytes that are not text.
  struct binary {
    std::string bytes;
    friend bool operator==(const binary& a, const binary& b) { return a.bytes == b.bytes; }
  };

  value() = default;
  value(std::nullptr_t) {}
  value(bool x) : data_(x) {}
  value(int x) : data_(std::int64_t{x}) {}
  value(std::int64_t x) : data_(x) {}
  value(double x) : data_(x) {}
  value(const char* x) : data_(std::string(x)) {}
  value(std::string_view x) : data_(std::string(x)) {}
  value(std::string x) : data_(std::move(x)) {}
  value(binary x) : data_(std::move(x)) {}
  value(list x) : data_(std::move(x)) {}
  value(map x) : data_(std::move(x)) {}
  value(address x) : data_(x) {}

  bool is_nil() const { return data_.index() == 0; }
  bool is_bool() const { return is<bool>(); }
  bool is_int() const { return is<std::int64_t>(); }
  bool is_number() const { return is_int() || is<double>(); }
  bool is_string() const { return is<std::string>(); }
  bool is_binary() const { return is<binary>(); }
  bool is_list() const { return is<list>(); }
  bool is_map() const { return is<map>(); }
  bool is_address() const { return is<address>(); }

  /// What is held, or `fallback` if it is of another type. An int converts to a double, a double
  /// with an integral value to an int; nothing else converts. Views live as long as this value.
  bool as_bool(bool fallback = false) const;
  std::int64_t as_int(std::int64_t fallback = 0) const;
  double as_double(double fallback = 0) const;
  std::string_view as_string(std::string_view fallback = {}) const;
  address as_address() const;
  const list& as_list() const;
  const map& as_map() const;

  /// Member of a map by a text key, or null.
  const value* find(std::string_view key) const;
  /// The same, but nil stands for what is missing.
  const value& operator[](std::string_view key) const;
  /// Element of a list, or nil.
  const value& operator[](std::size_t index) const;
  const value& operator[](int index) const { return (*this)[static_cast<std::size_t>(index)]; }
  /// Sets a member; anything but a map becomes an empty one first.
  value& set(value key, value member);
  /// Adds an element; anything but a list becomes an empty one first.
  value& push(value element);

  friend bool operator==(const value& a, const value& b) { return a.data_ == b.data_; }
  friend bool operator!=(const value& a, const value& b) { return !(a == b); }

 private:
  template <class T>
  bool is() const {
    return std::holds_alternative<T>(data_);
  }
  template <class T>
  const T* get() const {
    return std::get_if<T>(&data_);
  }
  friend void pack_to(std::string& out, const value& v);

  std::variant<std::monostate, bool, std::int64_t, double, std::string, binary, list, map, address>
      data_;
};

/// A map as it is written: `object({{"id", 1}, {"name", "x"}})`.
inline value object(std::initializer_list<std::pair<value, value>> members) {
  value v = value::map{};
  for (const auto& [key, member] : members)
    v.set(key, member);
  return v;
}

/// Throws failure (config) where the map has a key that is none of `known`: `openai: unknown key
/// "base-url"; known are base_url, model`.
void check_keys(const value& map, const std::string& who,
                std::initializer_list<std::string_view> known);

/// One MessagePack value, with sorted map keys.
std::string pack(const value& v);
/// Throws failure (bad_body) where `body` is not exactly one value. Nothing at all is nil.
value unpack(troupe_bytes_t body);

// -- between the C++ and the C form ---------------------------------------------------------------

inline troupe_text_t to_text(std::string_view s) {
  return {s.data(), s.size()};
}
inline troupe_bytes_t to_bytes(std::string_view s) {
  return {s.data(), s.size()};
}
inline std::string_view to_view(troupe_text_t t) {
  return {t.data, static_cast<std::size_t>(t.size)};
}
inline std::string_view to_view(troupe_bytes_t b) {
  return {static_cast<const char*>(b.data), static_cast<std::size_t>(b.size)};
}

// -- implementation -------------------------------------------------------------------------------

inline bool value::as_bool(bool fallback) const {
  const auto* x = get<bool>();
  return x ? *x : fallback;
}
inline std::int64_t value::as_int(std::int64_t fallback) const {
  if (const auto* x = get<std::int64_t>()) return *x;
  if (const auto* x = get<double>())
    if (*x >= -9.2e18 && *x <= 9.2e18 && static_cast<double>(static_cast<std::int64_t>(*x)) == *x)
      return static_cast<std::int64_t>(*x);
  return fallback;
}
inline double value::as_double(double fallback) const {
  if (const auto* x = get<std::int64_t>()) return static_cast<double>(*x);
  const auto* x = get<double>();
  return x ? *x : fallback;
}
inline std::string_view value::as_string(std::string_view fallback) const {
  if (const auto* x = get<std::string>()) return *x;
  const auto* x = get<binary>();
  return x ? std::string_view(x->bytes) : fallback;
}
inline address value::as_address() const {
  const auto* x = get<address>();
  return x ? *x : address();
}
inline const value::list& value::as_list() const {
  static const list none;
  const auto* x = get<list>();
  return x ? *x : none;
}
inline const value::map& value::as_map() const {
  static const map none;
  const auto* x = get<map>();
  return x ? *x : none;
}

inline const value* value::find(std::string_view key) const {
  for (const auto& [name, member] : as_map())
    if (name.is_string() && name.as_string() == key) return &member;
  return nullptr;
}
inline const value& value::operator[](std::string_view key) const {
  static const value nil;
  const value* member = find(key);
  return member ? *member : nil;
}
inline void check_keys(const value& map, const std::string& who,
                       std::initializer_list<std::string_view> known) {
  for (const auto& [key, member] : map.as_map()) {
    bool is_known = false;
    std::string all;
    for (std::string_view k : known) {
      is_known = is_known || key.as_string() == k;
      all.append(all.empty() ? "" : ", ").append(k);
    }
    if (!is_known)
      throw failure("config", who + ": unknown key \"" + std::string(key.as_string()) +
                                  "\"; known are " + all);
  }
}
inline const value& value::operator[](std::size_t index) const {
  static const value nil;
  return index < as_list().size() ? as_list()[index] : nil;
}
inline value& value::set(value key, value member) {
  if (!is_map()) data_ = map{};
  auto& members = std::get<map>(data_);
  for (auto& [name, old] : members)
    if (name == key) {
      old = std::move(member);
      return *this;
    }
  members.emplace_back(std::move(key), std::move(member));
  return *this;
}
inline value& value::push(value element) {
  if (!is_list()) data_ = list{};
  std::get<list>(data_).push_back(std::move(element));
  return *this;
}

/// Adds what `write` packs.
template <class Write>
void pack_scalar(std::string& out, std::size_t extra, Write&& write) {
  const std::size_t at = out.size();
  out.resize(at + 9 + extra);
  troupe_packer_t p = troupe_packer(&out[at], 9 + extra);
  write(&p);
  out.resize(at + static_cast<std::size_t>(p.size));
}

inline void pack_to(std::string& out, const value& v) {
  if (const auto* x = v.get<bool>()) {
    pack_scalar(out, 0, [&](troupe_packer_t* p) { troupe_pack_bool(p, *x); });
  } else if (const auto* x = v.get<std::int64_t>()) {
    pack_scalar(out, 0, [&](troupe_packer_t* p) { troupe_pack_int(p, *x); });
  } else if (const auto* x = v.get<double>()) {
    pack_scalar(out, 0, [&](troupe_packer_t* p) { troupe_pack_double(p, *x); });
  } else if (const auto* x = v.get<std::string>()) {
    pack_scalar(out, x->size(), [&](troupe_packer_t* p) { troupe_pack_text(p, to_text(*x)); });
  } else if (const auto* x = v.get<value::binary>()) {
    pack_scalar(out, x->bytes.size(),
                [&](troupe_packer_t* p) { troupe_pack_binary(p, to_bytes(x->bytes)); });
  } else if (const auto* x = v.get<address>()) {
    troupe_address_t a;
    std::copy(x->wire.begin(), x->wire.end(), a.wire);
    pack_scalar(out, sizeof a, [&](troupe_packer_t* p) { troupe_pack_address(p, &a); });
  } else if (const auto* x = v.get<value::list>()) {
    pack_scalar(out, 0, [&](troupe_packer_t* p) {
      troupe_pack_list(p, static_cast<std::uint32_t>(x->size()));
    });
    for (const value& element : *x)
      pack_to(out, element);
  } else if (const auto* x = v.get<value::map>()) {
    std::vector<std::pair<std::string, const value*>> members;
    for (const auto& [key, member] : *x)
      members.emplace_back(pack(key), &member);
    std::sort(members.begin(), members.end());
    pack_scalar(out, 0, [&](troupe_packer_t* p) {
      troupe_pack_map(p, static_cast<std::uint32_t>(members.size()));
    });
    for (const auto& [key, member] : members) {
      out += key;
      pack_to(out, *member);
    }
  } else {
    pack_scalar(out, 0, [&](troupe_packer_t* p) { troupe_pack_nil(p); });
  }
}

inline std::string pack(const value& v) {
  std::string out;
  pack_to(out, v);
  return out;
}

/// Bodies are at most 100 deep, so this never runs out of stack.
inline value unpack_next(troupe_unpacker_t& u, int depth) {
  troupe_item_t item;
  if (depth > 100 || !troupe_unpack(&u, &item)) throw failure("bad_body", "body is no MessagePack");
  switch (item.type) {
    case TROUPE_TYPE_BOOL:
      return item.integer != 0;
    case TROUPE_TYPE_INT:
      return item.integer;
    case TROUPE_TYPE_DOUBLE:
      return item.number;
    case TROUPE_TYPE_TEXT:
      return to_view(item.text);
    case TROUPE_TYPE_BINARY:
      return value::binary{std::string(to_view(item.text))};
    case TROUPE_TYPE_ADDRESS: {
      address a;
      std::copy_n(item.text.data, a.wire.size(), reinterpret_cast<char*>(a.wire.data()));
      return a;
    }
    case TROUPE_TYPE_LIST: {
      value::list elements;
      elements.reserve(item.count);
      for (std::uint32_t i = 0; i < item.count; ++i)
        elements.push_back(unpack_next(u, depth + 1));
      return elements;
    }
    case TROUPE_TYPE_MAP: {
      value::map members;
      members.reserve(item.count);
      for (std::uint32_t i = 0; i < item.count; ++i) {
        value key = unpack_next(u, depth + 1);
        members.emplace_back(std::move(key), unpack_next(u, depth + 1));
      }
      return members;
    }
    default:
      return {};
  }
}

inline value unpack(troupe_bytes_t body) {
  if (body.size == 0) return {};
  troupe_unpacker_t u = troupe_unpacker(body);
  value v = unpack_next(u, 0);
  if (u.left != 0) throw failure("bad_body", "body has bytes left over");
  return v;
}

}  // namespace troupe::sdk
