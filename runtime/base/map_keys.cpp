// SPDX-License-Identifier: Apache-2.0
#include "base/map_keys.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/body.hpp"
#include "base/utf8.hpp"

namespace troupe {

namespace {

int rank(const value& key) {
  if (key.is_bool()) return 0;
  if (key.is_int()) return 1;
  if (key.is_double()) return 2;
  return key.is_string() ? 3 : 4;
}

/// Some total order on normalised keys.
bool less(const value& a, const value& b) {
  const int left = rank(a), right = rank(b);
  if (left != right) return left < right;
  switch (left) {
    case 0:
      return a.as_bool() < b.as_bool();
    case 1:
      return a.as_int() < b.as_int();
    case 2:
      return a.as_double() < b.as_double();
    default:
      return a.as_string() < b.as_string();
  }
}

}  // namespace

bool normalise_key(value& key) {
  if (const auto* x = key.get_if<double>()) {
    if (std::isnan(*x)) return false;
    std::int64_t whole = 0;
    if (is_integer_key(*x, &whole)) key = whole;
    return true;
  }
  if (auto* x = key.get_if<value::binary>()) {
    if (is_utf8(x->bytes)) key = std::string(std::move(x->bytes));
    return true;
  }
  return key.is_bool() || key.is_int() || key.is_string();
}

void drop_repeated_keys(value::map& members) {
  const auto by_key = [&](std::size_t a, std::size_t b) {
    return less(members[a].first, members[b].first);
  };
  // Bodies packed by Troupe are sorted, though in another order: most often strings alone, where
  // both agree but for their lengths. So this catches many, and the sort does the rest.
  const auto unordered = [](const auto& a, const auto& b) { return !less(a.first, b.first); };
  if (std::adjacent_find(members.begin(), members.end(), unordered) == members.end()) return;

  std::vector<std::size_t> order(members.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), by_key);
  std::vector<bool> repeated(members.size());
  bool any = false;
  for (std::size_t i = 0; i + 1 < order.size(); ++i)
    if (!by_key(order[i], order[i + 1])) repeated[order[i]] = any = true;
  if (!any) return;
  std::size_t index = 0;
  std::erase_if(members, [&](const auto&) { return repeated[index++]; });
}

}  // namespace troupe
