// SPDX-License-Identifier: Apache-2.0
#include "unit/base/random_value.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include "base/body.hpp"
#include "base/utf8.hpp"

namespace troupe {

std::int64_t value_maker::integer() {
  // A random number of bits, so that every length of integer comes up.
  const auto bits = random_.below(65);
  if (bits == 0) return 0;
  return static_cast<std::int64_t>(random_.next() >> (64 - bits)) *
         (bits < 64 && random_.below(2) == 0 ? -1 : 1);
}

double value_maker::number() {
  constexpr double edges[] = {0.0,
                              -0.0,
                              1.0,
                              -3.0,
                              0x1p53,
                              0x1p63,
                              0x1p64,
                              1e300,
                              5e-324,
                              std::numeric_limits<double>::infinity(),
                              -std::numeric_limits<double>::infinity()};
  if (random_.below(3) == 0) return edges[random_.below(std::size(edges))];
  const auto x = std::bit_cast<double>(random_.next());
  return std::isnan(x) ? 0.5 : x;
}

std::string value_maker::text() {
  constexpr const char* pieces[] = {"a", "Z", "\"", "\\", "\n", "\x01", "ä", "€", "😀", " ", "key"};
  std::string s;
  for (auto n = random_.below(12); n > 0; --n)
    s += pieces[random_.below(std::size(pieces))];
  if (random_.below(300) == 0) s += std::string(random_.below(70'000), 'x');
  if (random_.below(10) == 0) s += '\0';
  return s;
}

std::string value_maker::noise() {
  std::string s(random_.below(40), '\0');
  for (auto& c : s)
    c = static_cast<char>(random_.next());
  return s;
}

value value_maker::key() {
  switch (random_.below(6)) {
    case 0:
      return integer();
    case 1: {
      const double x = number();
      std::int64_t whole = 0;
      return is_integer_key(x, &whole) ? value(whole) : value(x);
    }
    case 2:
      return random_.below(2) == 0;
    case 3: {
      auto bytes = noise();
      return is_utf8(bytes) ? value(bytes) : value(value::binary{bytes});
    }
    default:
      return text();
  }
}

value value_maker::any(std::size_t depth) {
  switch (random_.below(depth == 0 ? 7 : 11)) {
    case 0:
      return nullptr;
    case 1:
      return random_.below(2) == 0;
    case 2:
      return integer();
    case 3:
      return number();
    case 4:
      return text();
    case 5:
      return value::binary{noise()};
    case 6: {
      std::string bytes(address_extension_size, '\0');
      for (auto& c : bytes)
        c = static_cast<char>(random_.next());
      return value::extension{address_extension_type, bytes};
    }
    case 7:
    case 8: {
      value list = value::array{};
      for (auto n = random_.below(20); n > 0; --n)
        list.push(any(depth - 1));
      return list;
    }
    default: {
      value map = value::map{};
      for (auto n = random_.below(20); n > 0; --n)
        map.set(key(), any(depth - 1));
      return map;
    }
  }
}

value value_maker::json(std::size_t depth) {
  switch (random_.below(depth == 0 ? 5 : 9)) {
    case 0:
      return nullptr;
    case 1:
      return random_.below(2) == 0;
    case 2:
      return integer();
    case 3: {
      const double x = number();
      return std::isfinite(x) ? value(x) : value(0.25);
    }
    case 4:
      return text();
    case 5:
    case 6: {
      value list = value::array{};
      for (auto n = random_.below(20); n > 0; --n)
        list.push(json(depth - 1));
      return list;
    }
    default: {
      value map = value::map{};
      for (auto n = random_.below(20); n > 0; --n)
        map.set(text(), json(depth - 1));
      return map;
    }
  }
}

}  // namespace troupe
