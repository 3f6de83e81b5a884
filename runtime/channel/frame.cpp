// SPDX-License-Identifier: Apache-2.0
#include "channel/frame.hpp"

#include <utility>

namespace troupe {

namespace {

/// A frame around data of the deepest kind.
constexpr std::size_t around = 4;

body_limits limits_of(const frame_limits& limits) {
  return {.depth = body_limits{}.depth + around, .size = limits.frame()};
}

}  // namespace

result<bytes> encode(const frame& f, const frame_limits& limits) {
  TROUPE_TRY(payload, pack(value::array{f.name, f.fields}, limits_of(limits)));
  const auto n = static_cast<std::uint32_t>(payload.size());
  std::string out;
  out.reserve(frame_header + payload.size());
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(n >> shift & 0xff));
  out.append(payload.view());
  return bytes(out);
}

result<frame> decode(std::string_view payload, const frame_limits& limits) {
  TROUPE_TRY(root, unpack(payload, limits_of(limits)));
  auto* parts = root.get_if<value::array>();
  if (parts == nullptr || parts->size() != 2 || !(*parts)[0].is_string())
    return {errc::bad_body, "a frame is a list of a name and its fields"};
  // An empty map and an empty list are the same thing in some languages.
  if (!(*parts)[1].is_map() && !((*parts)[1].is_array() && (*parts)[1].as_array().empty()))
    return {errc::bad_body, "the fields of a frame are a map"};
  return frame{std::string((*parts)[0].as_string()), std::move((*parts)[1])};
}

value to_field(const bytes& body) {
  return value::binary{std::string(body.view())};
}

value to_field(const target& to) {
  if (const auto* a = std::get_if<address>(&to)) return to_value(*a);
  return std::get<std::string>(to);
}

void field_reader::refuse(std::string_view key, std::string_view expected) {
  if (bad_) return;
  bad_ = error(errc::bad_body, frame_.name + ": " + std::string(key) + ": expected " +
                                   std::string(expected) + ", got " +
                                   std::string(data(key).type_name()));
}

result<void> field_reader::finish() {
  if (bad_) return *std::move(bad_);
  return ok();
}

std::uint64_t field_reader::id(std::string_view key) {
  const auto x = data(key).is_int() ? data(key).as_int() : 0;
  if (x < 1 || static_cast<std::uint64_t>(x) >= first_node_id)
    refuse(key, "an integer from 1 to 2^62 - 1");
  return static_cast<std::uint64_t>(x);
}

cause_id field_reader::cause(std::string_view key) {
  if (data(key).is_nil()) return no_cause;
  if (!data(key).is_int()) refuse(key, "the cause of a message");
  return static_cast<cause_id>(data(key).as_int());
}

std::uint32_t field_reader::count(std::string_view key) {
  const auto x = data(key).as_int(-1);
  if (data(key).is_nil()) return 0;
  if (x < 0 || x > 0xffffffff) refuse(key, "an integer from 0 to 2^32 - 1");
  return static_cast<std::uint32_t>(x);
}

duration field_reader::time(std::string_view key, duration fallback) {
  if (data(key).is_nil()) return fallback;
  if (!data(key).is_number()) refuse(key, "seconds");
  return seconds(data(key).as_double());
}

bool field_reader::flag(std::string_view key) {
  if (!data(key).is_bool()) refuse(key, "true or false");
  return data(key).as_bool();
}

std::string field_reader::text(std::string_view key) {
  if (!data(key).is_string()) refuse(key, "a string");
  return std::string(data(key).as_string());
}

bytes field_reader::body(std::string_view key) {
  if (!data(key).is_binary() && !data(key).is_string()) refuse(key, "one packed value as binary");
  return bytes(data(key).as_string());
}

target field_reader::to(std::string_view key) {
  if (data(key).is_string()) return text(key);
  if (!data(key).is_extension()) refuse(key, "an address or a name");
  return address_from(data(key));
}

error field_reader::why(std::string_view key) {
  if (!data(key).is_map()) refuse(key, "an error");
  return error_from(data(key));
}

}  // namespace troupe
