// SPDX-License-Identifier: Apache-2.0
//
// One frame of a channel: a name and its fields, as the MessagePack list `[name, {field: value}]`.
// What the names mean is in sdk/docs/channel.md; how frames lie in a stream is in frame_stream.hpp.
//
// Why not lists by position? A frame costs a switch of OS processes, beside which a few field names
// are nothing; and programs in other languages get a protocol that explains itself and can grow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/context.hpp"
#include "base/bytes.hpp"
#include "base/msgpack.hpp"
#include "base/result.hpp"
#include "base/value.hpp"

namespace troupe {

/// Raised when an old worker could misunderstand a new node or the other way round. New fields and
/// frames that may be ignored don't raise it.
inline constexpr std::int64_t channel_protocol = 1;

struct frame {
  std::string name;
  value fields = value::map{};
};

struct frame_limits {
  /// The largest message body.
  std::size_t body = body_limits{}.size;
  /// The largest frame: a body and what stands around it.
  std::size_t frame() const { return body + (64u << 10); }
};

/// Bytes of a length in front of each frame.
inline constexpr std::size_t frame_header = 4;

/// The frame with its length in front (32 bits, big-endian). Fails with too_big or bad_body.
result<bytes> encode(const frame& f, const frame_limits& limits);

/// A frame without its length. Fails with bad_body or too_big.
result<frame> decode(std::string_view payload, const frame_limits& limits);

/// Ids that a worker chooses are below this one; the node's side of a channel uses those from here.
inline constexpr std::uint64_t first_node_id = std::uint64_t{1} << 62;

// Fields of kinds that `value` does not have.
value to_field(const bytes& body);
value to_field(const target& to);

/// Takes fields out of a frame and remembers the first that is missing or of the wrong type; what
/// it returned after that means nothing. Ask `finish` before anything is done with the fields.
class field_reader {
 public:
  explicit field_reader(const frame& f) : frame_(f) {}

  /// 1 to first_node_id - 1.
  std::uint64_t id(std::string_view key);
  /// May be missing: no_cause.
  cause_id cause(std::string_view key = "on");
  std::uint32_t count(std::string_view key);
  /// Seconds; `fallback` if missing.
  duration time(std::string_view key, duration fallback);
  bool flag(std::string_view key);
  std::string text(std::string_view key);
  /// One packed value, not looked into.
  bytes body(std::string_view key);
  /// An address or a name.
  target to(std::string_view key = "to");
  /// A map as error_from takes it.
  error why(std::string_view key = "why");
  /// Anything, nil if missing.
  const value& data(std::string_view key) const { return frame_.fields[key]; }

  /// Fails with bad_body: `call: id: expected 1 or more, got string`.
  result<void> finish();
  void refuse(std::string_view key, std::string_view expected);

 private:
  const frame& frame_;
  std::optional<error> bad_;
};

}  // namespace troupe
