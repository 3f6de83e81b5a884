// SPDX-License-Identifier: Apache-2.0
#include "agent/address.hpp"

#include <cstring>

#include "base/id.hpp"

namespace troupe {

std::string address::to_string() const {
  if (!*this) return "<nobody>";
  return "<" + to_hex({reinterpret_cast<const char*>(&agent), 4}) + ">";
}

std::array<char, address::wire_size> to_wire(const address& a) {
  std::array<char, address::wire_size> data;
  std::memcpy(data.data(), a.node.data(), 16);
  std::memcpy(data.data() + 16, &a.incarnation, 8);
  std::memcpy(data.data() + 24, &a.agent, 8);
  return data;
}

address address_from_wire(std::string_view data) {
  address a;
  if (data.size() != address::wire_size) return a;
  std::memcpy(a.node.data(), data.data(), 16);
  std::memcpy(&a.incarnation, data.data() + 16, 8);
  std::memcpy(&a.agent, data.data() + 24, 8);
  return a;
}

value to_value(const address& a) {
  auto data = to_wire(a);
  return value::extension{address_extension, std::string(data.data(), data.size())};
}

address address_from(const value& v) {
  const auto* e = v.get_if<value::extension>();
  return e != nullptr && e->type == address_extension ? address_from_wire(e->bytes) : address{};
}

}  // namespace troupe
