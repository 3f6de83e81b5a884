// SPDX-License-Identifier: Apache-2.0
#include "base/value.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace troupe {

namespace {

const value nil;
const value::array no_elements;
const value::map no_members;

template <class Map>
auto find_member(Map& members, std::string_view key) {
  return std::find_if(members.begin(), members.end(), [&](const auto& member) {
    const auto* text = member.first.template get_if<std::string>();
    return text != nullptr && *text == key;
  });
}

}  // namespace

value::value(std::uint64_t x) {
  if (x <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    data_ = static_cast<std::int64_t>(x);
  else
    data_ = static_cast<double>(x);
}

bool value::as_bool(bool fallback) const {
  const auto* x = get_if<bool>();
  return x != nullptr ? *x : fallback;
}

std::int64_t value::as_int(std::int64_t fallback) const {
  if (const auto* x = get_if<std::int64_t>()) return *x;
  const auto* d = get_if<double>();
  // 2^63 is the first double above every int64.
  if (d != nullptr && std::trunc(*d) == *d && *d >= -0x1p63 && *d < 0x1p63)
    return static_cast<std::int64_t>(*d);
  return fallback;
}

double value::as_double(double fallback) const {
  if (const auto* x = get_if<double>()) return *x;
  if (const auto* x = get_if<std::int64_t>()) return static_cast<double>(*x);
  return fallback;
}

std::string_view value::as_string(std::string_view fallback) const {
  if (const auto* x = get_if<std::string>()) return *x;
  if (const auto* x = get_if<binary>()) return x->bytes;
  return fallback;
}

const value::array& value::as_array() const {
  const auto* x = get_if<array>();
  return x != nullptr ? *x : no_elements;
}

const value::map& value::as_map() const {
  const auto* x = get_if<map>();
  return x != nullptr ? *x : no_members;
}

const value* value::find(std::string_view key) const {
  const auto& members = as_map();
  auto at = find_member(members, key);
  return at != members.end() ? &at->second : nullptr;
}

const value& value::operator[](std::string_view key) const {
  const auto* member = find(key);
  return member != nullptr ? *member : nil;
}

value& value::set(value key, value member) {
  if (!is_map()) data_ = map{};
  auto& members = std::get<map>(data_);
  auto at = std::find_if(members.begin(), members.end(),
                         [&](const auto& known) { return known.first == key; });
  if (at != members.end())
    at->second = std::move(member);
  else
    members.emplace_back(std::move(key), std::move(member));
  return *this;
}

void value::erase(std::string_view key) {
  auto* members = get_if<map>();
  if (members == nullptr) return;
  auto at = find_member(*members, key);
  if (at != members->end()) members->erase(at);
}

value& value::push(value element) {
  if (!is_array()) data_ = array{};
  std::get<array>(data_).push_back(std::move(element));
  return *this;
}

std::string_view value::type_name() const {
  constexpr std::string_view names[] = {"nil",    "boolean",   "integer", "number", "string",
                                        "binary", "extension", "list",    "map"};
  return names[data_.index()];
}

bool operator==(const value& a, const value& b) {
  const auto* left = a.get_if<value::map>();
  const auto* right = b.get_if<value::map>();
  if (left == nullptr || right == nullptr) return a.data_ == b.data_;
  if (left->size() != right->size()) return false;
  return std::all_of(left->begin(), left->end(), [&](const auto& member) {
    return std::any_of(right->begin(), right->end(),
                       [&](const auto& other) { return other == member; });
  });
}

}  // namespace troupe
