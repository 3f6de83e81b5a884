// SPDX-License-Identifier: Apache-2.0
#include "base/body.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>
#include <msgpack.hpp>

#include "base/id.hpp"
#include "base/utf8.hpp"

namespace troupe {

error to_error(body_fault fault, const body_limits& limits) {
  switch (fault) {
    case body_fault::none:
      break;
    case body_fault::too_deep:
      return {errc::too_big, "body: nested deeper than " + std::to_string(limits.depth)};
    case body_fault::too_large:
      return {errc::too_big, "body: above " + std::to_string(limits.size) + " bytes"};
    case body_fault::cut_short:
      return {errc::bad_body, "body: ends in the middle of a value"};
    case body_fault::garbage:
      return {errc::bad_body, "body: not MessagePack"};
    case body_fault::left_over:
      return {errc::bad_body, "body: bytes after the value"};
    case body_fault::bad_key:
      return {errc::bad_body, "body: a map key is no string, number or boolean"};
    case body_fault::repeated_key:
      return {errc::bad_body, "body: a map has the same key twice"};
    case body_fault::bad_extension:
      return {errc::bad_body, "body: an extension that is no address"};
    case body_fault::not_data:
      return {errc::bad_body, "body: something that is no plain data"};
  }
  return {errc::internal, "body: refused without a fault"};
}

std::string printed_address(std::string_view wire) {
  assert(wire.size() == address_extension_size);
  const auto agent = wire.substr(24);
  if (agent == std::string_view("\0\0\0\0\0\0\0\0", 8)) return "<nobody>";
  return "<" + to_hex(agent.substr(0, 4)) + ">";
}

bool is_integer_key(double x, std::int64_t* as) {
  // 2^63 is the first double above every int64.
  if (!(x >= -0x1p63 && x < 0x1p63) || std::trunc(x) != x) return false;
  *as = static_cast<std::int64_t>(x);
  return true;
}

struct body_writer::sink {
  body_writer& writer;
  void write(const char* data, std::size_t n) { writer.append(data, n); }
};

bool body_writer::append(const char* data, std::size_t n) {
  if (fault_ != body_fault::none) return false;
  if (n > limits_.size - out_.size()) return refuse(body_fault::too_large);
  out_.append(data, n);
  return true;
}

bool body_writer::at_key() const {
  return !levels_.empty() && levels_.back().is_map && levels_.back().left % 2 == 0;
}

bool body_writer::before(bool may_be_key) {
  if (fault_ != body_fault::none) return false;
  assert(!levels_.empty() || out_.empty());
  if (at_key()) {
    if (!may_be_key) return refuse(body_fault::bad_key);
    members_.push_back({out_.size(), 0, 0});
  }
  return true;
}

bool body_writer::after() {
  if (fault_ != body_fault::none) return false;
  while (!levels_.empty()) {
    auto& top = levels_.back();
    if (top.is_map) (top.left % 2 == 0 ? members_.back().value : members_.back().end) = out_.size();
    if (--top.left > 0) break;
    if (top.is_map && !sort_members(top.first_member)) return false;
    levels_.pop_back();
  }
  return true;
}

bool body_writer::sort_members(std::size_t first) {
  const auto key_of = [this](const member& m) {
    return std::string_view(out_).substr(m.key, m.value - m.key);
  };
  const auto less = [&](const member& a, const member& b) { return key_of(a) < key_of(b); };
  const auto same = [&](const member& a, const member& b) { return key_of(a) == key_of(b); };
  const auto begin = members_.begin() + static_cast<std::ptrdiff_t>(first);
  const auto start = begin->key;
  const bool sorted = std::is_sorted(begin, members_.end(), less);
  if (!sorted) std::sort(begin, members_.end(), less);
  if (std::adjacent_find(begin, members_.end(), same) != members_.end())
    return refuse(body_fault::repeated_key);
  if (!sorted) {
    scratch_.clear();
    for (auto m = begin; m != members_.end(); ++m)
      scratch_.append(out_, m->key, m->end - m->key);
    out_.replace(start, scratch_.size(), scratch_);
  }
  members_.resize(first);
  return true;
}

template <class F>
bool body_writer::pack(F f) {
  sink to{*this};
  msgpack::packer<sink> packer(to);
  f(packer);
  return after();
}

bool body_writer::nil() {
  return before(false) && pack([](auto& p) { p.pack_nil(); });
}

bool body_writer::boolean(bool x) {
  return before(true) && pack([x](auto& p) { x ? p.pack_true() : p.pack_false(); });
}

bool body_writer::integer(std::int64_t x) {
  return before(true) && pack([x](auto& p) { p.pack_int64(x); });
}

bool body_writer::number(double x) {
  if (at_key()) {
    std::int64_t whole = 0;
    if (std::isnan(x)) return refuse(body_fault::bad_key);
    if (is_integer_key(x, &whole)) return integer(whole);
  }
  if (!before(true)) return false;
  // Not packer::pack_double: it turns 3.0 into the integer 3. All NaNs are one.
  if (std::isnan(x)) x = std::numeric_limits<double>::quiet_NaN();
  const auto bits = std::bit_cast<std::uint64_t>(x);
  char data[9] = {'\xcb'};
  for (int i = 0; i < 8; ++i)
    data[1 + i] = static_cast<char>(bits >> (56 - 8 * i));
  append(data, sizeof(data));
  return after();
}

bool body_writer::text(std::string_view x) {
  if (!before(true)) return false;
  if (x.size() > limits_.size) return refuse(body_fault::too_large);
  const auto size = static_cast<std::uint32_t>(x.size());
  if (!is_utf8(x)) {
    return pack([&](auto& p) {
      p.pack_bin(size);
      p.pack_bin_body(x.data(), size);
    });
  }
  return pack([&](auto& p) {
    p.pack_str(size);
    p.pack_str_body(x.data(), size);
  });
}

bool body_writer::binary(std::string_view x) {
  if (at_key()) return text(x);
  if (!before(true)) return false;
  if (x.size() > limits_.size) return refuse(body_fault::too_large);
  const auto size = static_cast<std::uint32_t>(x.size());
  return pack([&](auto& p) {
    p.pack_bin(size);
    p.pack_bin_body(x.data(), size);
  });
}

bool body_writer::extension(std::int8_t type, std::string_view x) {
  if (!before(false)) return false;
  if (!is_known_extension(type, x.size())) return refuse(body_fault::bad_extension);
  const auto size = static_cast<std::uint32_t>(x.size());
  return pack([&](auto& p) {
    p.pack_ext(size, type);
    p.pack_ext_body(x.data(), size);
  });
}

bool body_writer::begin_array(std::size_t elements) {
  if (!before(false)) return false;
  if (levels_.size() >= limits_.depth) return refuse(body_fault::too_deep);
  if (elements > limits_.size) return refuse(body_fault::too_large);
  sink to{*this};
  msgpack::packer<sink>(to).pack_array(static_cast<std::uint32_t>(elements));
  if (elements == 0) return after();
  levels_.push_back({elements, false, members_.size()});
  return fault_ == body_fault::none;
}

bool body_writer::begin_map(std::size_t members) {
  if (!before(false)) return false;
  if (levels_.size() >= limits_.depth) return refuse(body_fault::too_deep);
  if (members > limits_.size / 2) return refuse(body_fault::too_large);
  sink to{*this};
  msgpack::packer<sink>(to).pack_map(static_cast<std::uint32_t>(members));
  if (members == 0) return after();
  levels_.push_back({members * 2, true, members_.size()});
  return fault_ == body_fault::none;
}

bool body_writer::refuse(body_fault why) {
  if (fault_ == body_fault::none) fault_ = why;
  return false;
}

result<bytes> body_writer::finish() {
  assert(fault_ != body_fault::none || (levels_.empty() && !out_.empty()));
  result<bytes> body = fault_ == body_fault::none ? result<bytes>(bytes(out_))
                                                  : result<bytes>(to_error(fault_, limits_));
  restart(limits_);
  return body;
}

void body_writer::restart(const body_limits& limits) {
  // What a body of usual size needs is kept, what a huge one needed is not.
  constexpr std::size_t kept = 64u << 10;
  limits_ = limits;
  // A length in `bytes` and in MessagePack has 32 bits.
  limits_.size = std::min<std::size_t>(limits_.size, std::numeric_limits<std::uint32_t>::max());
  fault_ = body_fault::none;
  const auto empty = [](auto& memory) {
    memory.clear();
    if (memory.capacity() * sizeof(memory[0]) > kept) memory.shrink_to_fit();
  };
  empty(out_);
  empty(levels_);
  empty(members_);
  empty(scratch_);
}

}  // namespace troupe
