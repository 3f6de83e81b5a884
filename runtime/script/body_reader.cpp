// SPDX-License-Identifier: Apache-2.0
//
// From a body to Lua values.
#include <bit>
#include <cstdint>
#include <msgpack.hpp>
#include <vector>

#include "script/body.hpp"
#include "script/scalars.hpp"

namespace troupe::script {

namespace {

/// Builds Lua values from what the parser finds. The table under construction is on top of the
/// stack, below it those that hold it.
class lua_visitor : public msgpack::null_visitor {
 public:
  void begin(lua_State* l, std::size_t data_size, const body_limits& limits, bool spread) {
    l_ = l;
    gauge_ = body_gauge(data_size, limits);
    spread_ = spread;
    spread_count_ = 0;
    levels_.clear();
  }
  /// Called by the parser when it starts anew.
  void init() {}
  body_gauge& gauge() { return gauge_; }
  int spread_count() const { return spread_count_; }

  bool visit_nil() {
    // nil can't be in a table; null keeps its place there.
    if (in_table())
      push_null(l_);
    else
      lua_pushnil(l_);
    return top_is_list();
  }
  bool visit_boolean(bool x) {
    lua_pushboolean(l_, x);
    return top_is_list();
  }
  bool visit_positive_integer(std::uint64_t x) {
    if (x > static_cast<std::uint64_t>(INT64_MAX))
      lua_pushnumber(l_, static_cast<double>(x));
    else
      lua_pushinteger(l_, static_cast<lua_Integer>(x));
    return top_is_list();
  }
  bool visit_negative_integer(std::int64_t x) {
    lua_pushinteger(l_, x);
    return top_is_list();
  }
  bool visit_float32(float x) { return visit_float64(x); }
  bool visit_float64(double x) {
    lua_pushnumber(l_, x);
    return top_is_list();
  }
  bool visit_str(const char* data, std::uint32_t n) {
    lua_pushlstring(l_, data, n);
    return top_is_list();
  }
  bool visit_bin(const char* data, std::uint32_t n) { return visit_str(data, n); }
  bool visit_ext(const char* data, std::uint32_t n) {
    const auto type = static_cast<std::int8_t>(*data);
    if (!is_known_extension(type, n - 1)) return gauge_.refuse(body_fault::bad_extension);
    push_address(l_, address_from_wire({data + 1, n - 1}));
    return top_is_list();
  }

  bool start_array(std::uint32_t n) {
    const bool spread = spread_ && levels_.empty();
    if (!gauge_.open(n)) return false;
    if (!lua_checkstack(l_, static_cast<int>(spread ? n : 0) + 8))
      return gauge_.refuse(body_fault::too_large);
    if (!spread) lua_createtable(l_, static_cast<int>(n), 0);
    levels_.push_back({false, spread, 0});
    return true;
  }
  bool end_array_item() {
    auto& top = levels_.back();
    ++top.elements;
    if (!top.spread) lua_rawseti(l_, -2, top.elements);
    return true;
  }
  bool end_array() {
    if (levels_.back().spread) spread_count_ = static_cast<int>(levels_.back().elements);
    return close();
  }

  bool start_map(std::uint32_t n) {
    if (!top_is_list()) return false;
    if (!gauge_.open(std::uint64_t{n} * 2)) return false;
    if (!lua_checkstack(l_, 8)) return gauge_.refuse(body_fault::too_large);
    lua_createtable(l_, 0, static_cast<int>(n));
    if (n == 0) mark_as_map(l_, -1);
    levels_.push_back({true, false, 0});
    return true;
  }
  bool end_map_key() {
    switch (lua_type(l_, -1)) {
      case LUA_TNUMBER:
        // NaN is the one number that differs from itself.
        if (lua_rawequal(l_, -1, -1)) return true;
        break;
      case LUA_TSTRING:
      case LUA_TBOOLEAN:
        return true;
      default:
        break;
    }
    return gauge_.refuse(body_fault::bad_key);
  }
  bool end_map_value() {
    lua_rawset(l_, -3);
    return true;
  }
  bool end_map() { return close(); }

  void parse_error(std::size_t, std::size_t) { gauge_.refuse(body_fault::garbage); }
  void insufficient_bytes(std::size_t, std::size_t) { gauge_.refuse(body_fault::cut_short); }

 private:
  struct level {
    bool is_map;
    bool spread;  ///< its elements stay on the stack
    lua_Integer elements;
  };

  bool in_table() const { return !levels_.empty() && !levels_.back().spread; }
  /// What is spread has to be a list.
  bool top_is_list() { return !spread_ || !levels_.empty() || gauge_.refuse(body_fault::not_data); }
  bool close() {
    levels_.pop_back();
    gauge_.close();
    return true;
  }

  lua_State* l_ = nullptr;
  body_gauge gauge_{0, {}};
  bool spread_ = false;
  int spread_count_ = 0;
  std::vector<level> levels_;
};

/// Adds up what Lua would allocate. Sizes are those of Lua 5.4 on 64 bits, rounded up.
class room_visitor : public msgpack::null_visitor {
 public:
  room_visitor(std::size_t data_size, const body_limits& limits) : gauge_(data_size, limits) {}
  std::size_t room() const { return gauge_.fault() == body_fault::none ? room_ : 0; }

  bool visit_str(const char*, std::uint32_t n) {
    room_ += 40 + n;
    return true;
  }
  bool visit_bin(const char* data, std::uint32_t n) { return visit_str(data, n); }
  bool visit_ext(const char*, std::uint32_t n) {
    room_ += 320 + n;  // the userdata, and its place among the known addresses
    return true;
  }
  bool start_array(std::uint32_t n) {
    room_ += 64 + std::size_t{n} * 16;
    return gauge_.open(n);
  }
  bool end_array() {
    gauge_.close();
    return true;
  }
  bool start_map(std::uint32_t n) {
    room_ += 64 + std::bit_ceil(std::size_t{n}) * 40;
    return gauge_.open(std::uint64_t{n} * 2);
  }
  bool end_map() { return end_array(); }
  void parse_error(std::size_t, std::size_t) { gauge_.refuse(body_fault::garbage); }
  void insufficient_bytes(std::size_t, std::size_t) { gauge_.refuse(body_fault::cut_short); }

 private:
  body_gauge gauge_;
  std::size_t room_ = 4096;
};

/// Not msgpack::parse, which makes its parser anew each time: this one is not on the stack, so that
/// Lua may jump out in the middle, and keeps its own stack from body to body. One for all agents of
/// a thread: reading runs no script.
struct reader {
  lua_visitor visitor;
  msgpack::detail::parse_helper<lua_visitor> parser{visitor};
};

reader& this_reader() {
  thread_local reader r;
  return r;
}

}  // namespace

bool body_codec::read(lua_State* l, std::string_view data, bool spread) {
  const int top = lua_gettop(l);
  auto& [visitor, parser] = this_reader();
  visitor.begin(l, data.size(), limits_, spread);
  auto& gauge = visitor.gauge();
  if (gauge.fault() == body_fault::none && data.empty()) gauge.refuse(body_fault::cut_short);
  if (gauge.fault() == body_fault::none && !lua_checkstack(l, 8))
    gauge.refuse(body_fault::too_large);
  if (gauge.fault() == body_fault::none) {
    parser.init();
    std::size_t end = 0;
    const auto how = parser.execute(data.data(), data.size(), end);
    if (how == msgpack::PARSE_CONTINUE)
      gauge.refuse(body_fault::cut_short);
    else if (how == msgpack::PARSE_SUCCESS && end != data.size())
      gauge.refuse(body_fault::left_over);
    else if (how != msgpack::PARSE_SUCCESS)
      gauge.refuse(body_fault::garbage);
  }
  fault_ = gauge.fault();
  if (fault_ == body_fault::none) return true;
  lua_settop(l, top);
  return false;
}

bool body_codec::unpack(lua_State* l, std::string_view data) {
  if (unpack_scalar(l, data)) return true;
  return read(l, data, false);
}

int body_codec::unpack_list(lua_State* l, std::string_view data) {
  if (const int n = unpack_scalars(l, data); n >= 0) return n;
  return read(l, data, true) ? this_reader().visitor.spread_count() : -1;
}

std::size_t body_codec::room_for(std::string_view data) const {
  room_visitor visitor(data.size(), limits_);
  std::size_t end = 0;
  msgpack::parse(data.data(), data.size(), end, visitor);
  return visitor.room();
}

}  // namespace troupe::script
