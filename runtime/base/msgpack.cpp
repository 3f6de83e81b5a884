// SPDX-License-Identifier: Apache-2.0
#include "base/msgpack.hpp"

#include <msgpack.hpp>
#include <vector>

#include "base/map_keys.hpp"
#include "base/utf8.hpp"

namespace troupe {

namespace {

/// Builds a value from what the parser finds. Memory for elements is reserved as a whole, after the
/// gauge allowed it, so pointers to them stay good.
class reader : public msgpack::null_visitor {
 public:
  reader(std::size_t data_size, const body_limits& limits, value& root)
      : gauge_(data_size, limits), slot_(&root) {}

  body_gauge& gauge() { return gauge_; }

  bool visit_nil() { return true; }
  bool visit_boolean(bool x) { return put(x); }
  bool visit_positive_integer(std::uint64_t x) { return put(x); }
  bool visit_negative_integer(std::int64_t x) { return put(x); }
  bool visit_float32(float x) { return put(static_cast<double>(x)); }
  bool visit_float64(double x) { return put(x); }
  bool visit_str(const char* data, std::uint32_t n) {
    // Foreign packers write anything as text; here a string is UTF-8.
    if (is_utf8({data, n})) return put(std::string(data, n));
    return put(value::binary{std::string(data, n)});
  }
  bool visit_bin(const char* data, std::uint32_t n) {
    return put(value::binary{std::string(data, n)});
  }
  bool visit_ext(const char* data, std::uint32_t n) {
    const auto type = static_cast<std::int8_t>(*data);
    if (!is_known_extension(type, n - 1)) return gauge_.refuse(body_fault::bad_extension);
    return put(value::extension{type, std::string(data + 1, n - 1)});
  }

  bool start_array(std::uint32_t n) {
    if (!gauge_.open(n)) return false;
    put(value::array());
    slot_->get_if<value::array>()->reserve(n);
    open_.push_back(slot_);
    return true;
  }
  bool start_array_item() {
    slot_ = &open_.back()->get_if<value::array>()->emplace_back();
    return true;
  }
  bool end_array() { return close(); }

  bool start_map(std::uint32_t n) {
    if (!gauge_.open(std::uint64_t{n} * 2)) return false;
    put(value::map());
    slot_->get_if<value::map>()->reserve(n);
    open_.push_back(slot_);
    return true;
  }
  bool start_map_key() {
    slot_ = &open_.back()->get_if<value::map>()->emplace_back().first;
    return true;
  }
  bool end_map_key() {
    auto& key = open_.back()->get_if<value::map>()->back().first;
    return normalise_key(key) || gauge_.refuse(body_fault::bad_key);
  }
  bool start_map_value() {
    slot_ = &open_.back()->get_if<value::map>()->back().second;
    return true;
  }
  bool end_map() {
    drop_repeated_keys(*open_.back()->get_if<value::map>());
    return close();
  }

  void parse_error(std::size_t, std::size_t) { gauge_.refuse(body_fault::garbage); }
  void insufficient_bytes(std::size_t, std::size_t) { gauge_.refuse(body_fault::cut_short); }

 private:
  template <class T>
  bool put(T x) {
    *slot_ = value(std::move(x));
    return true;
  }
  bool close() {
    open_.pop_back();
    gauge_.close();
    return true;
  }

  body_gauge gauge_;
  value* slot_;               ///< where the next value goes
  std::vector<value*> open_;  ///< lists and maps not yet complete
};

}  // namespace

// The writer's limit on depth ends the recursion.
bool write(body_writer& to, const value& v) {
  if (v.is_nil()) return to.nil();
  if (const auto* x = v.get_if<bool>()) return to.boolean(*x);
  if (const auto* x = v.get_if<std::int64_t>()) return to.integer(*x);
  if (const auto* x = v.get_if<double>()) return to.number(*x);
  if (const auto* x = v.get_if<std::string>()) return to.text(*x);
  if (const auto* x = v.get_if<value::binary>()) return to.binary(x->bytes);
  if (const auto* x = v.get_if<value::extension>()) return to.extension(x->type, x->bytes);
  if (const auto* list = v.get_if<value::array>()) {
    if (!to.begin_array(list->size())) return false;
    for (const auto& element : *list)
      if (!write(to, element)) return false;
    return true;
  }
  const auto& members = v.as_map();
  if (!to.begin_map(members.size())) return false;
  for (const auto& [key, member] : members)
    if (!write(to, key) || !write(to, member)) return false;
  return true;
}

bool write(body_writer& to, const error& e) {
  const auto members = 1 + !e.message.empty() + !e.from.empty() + !e.data.is_nil() + !!e.cause +
                       !e.traceback.empty() + e.retryable + (e.retry_after > 0);
  if (!to.begin_map(static_cast<std::size_t>(members))) return false;
  // In the order of the packed keys, which saves sorting them.
  bool good = to.text("code") && to.text(e.code);
  if (!e.data.is_nil()) good = good && to.text("data") && write(to, e.data);
  if (!e.from.empty()) good = good && to.text("from") && to.text(e.from);
  if (e.cause) good = good && to.text("cause") && write(to, *e.cause);
  if (!e.message.empty()) good = good && to.text("message") && to.text(e.message);
  if (e.retryable) good = good && to.text("retryable") && to.boolean(true);
  if (!e.traceback.empty()) good = good && to.text("traceback") && to.text(e.traceback);
  if (e.retry_after > 0) good = good && to.text("retry_after") && to.number(e.retry_after);
  return good;
}

namespace {

template <class Data>
result<bytes> packed(const Data& data, const body_limits& limits) {
  thread_local body_writer writer;  // keeps its memory
  writer.restart(limits);
  write(writer, data);
  return writer.finish();
}

}  // namespace

result<bytes> pack(const value& v, const body_limits& limits) {
  return packed(v, limits);
}

result<bytes> pack(const error& e, const body_limits& limits) {
  return packed(e, limits);
}

result<value> unpack(std::string_view data, const body_limits& limits) {
  value root;
  reader visitor(data.size(), limits, root);
  auto& gauge = visitor.gauge();
  if (gauge.fault() == body_fault::none && data.empty()) gauge.refuse(body_fault::cut_short);
  if (gauge.fault() == body_fault::none) {
    std::size_t end = 0;
    if (msgpack::parse(data.data(), data.size(), end, visitor) && end != data.size())
      gauge.refuse(body_fault::left_over);
  }
  if (gauge.fault() != body_fault::none) return to_error(gauge.fault(), limits);
  return root;
}

}  // namespace troupe
