// SPDX-License-Identifier: Apache-2.0
//
// The rules of a message body (sdk/docs/values.md), written once for all who pack or unpack one:
// `value` in msgpack.hpp, the Lua stack in script/. Who packs says what comes to a body_writer; who
// unpacks asks a body_gauge and the functions on keys what to let in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace troupe {

/// What a body may be at most. Above it: too_big.
struct body_limits {
  std::size_t depth = 100;       ///< lists and maps inside each other; a scalar has depth 0
  std::size_t size = 16u << 20;  ///< bytes
};

/// Why a body is refused.
enum class body_fault : std::uint8_t {
  none,
  too_deep,
  too_large,
  cut_short,      ///< the data end inside a value, or it claims more elements than there can be
  garbage,        ///< a byte that MessagePack does not know
  left_over,      ///< bytes after the value
  bad_key,        ///< nil, NaN, a list, a map or an address as a key
  repeated_key,   ///< only when packing; when unpacking the last one counts
  bad_extension,  ///< any but an address: type 1 with 32 bytes
  not_data,       ///< for packers: something that is no data at all, such as a function
};

/// The error for a fault: too_big or bad_body with a sentence.
error to_error(body_fault fault, const body_limits& limits);

/// The only extension: an agent's address.
inline constexpr std::int8_t address_extension_type = 1;
inline constexpr std::size_t address_extension_size = 32;
inline bool is_known_extension(std::int8_t type, std::size_t size) {
  return type == address_extension_type && size == address_extension_size;
}

/// An address as people see it, from its 32 bytes: `<3f9a01c2>`, or `<nobody>`.
std::string printed_address(std::string_view wire);

/// True if a float stands for an integer when it is a key: as in Lua, 2.0 and 2 are the same key.
bool is_integer_key(double x, std::int64_t* as);

/// Packs one value from a sequence of calls: a list or map says how many come, then they come (key,
/// value, key, value ...), and it closes by itself after the last. Does what values.md demands:
/// text that is not UTF-8 becomes binary, keys are normalised, sorted by their packed bytes and
/// checked, limits hold.
///
/// Each call returns false once something is wrong; all further ones then do nothing, so a walk may
/// stop at once (and must, in a cycle). Keeps its memory from body to body. Never throws but for
/// want of memory.
class body_writer {
 public:
  explicit body_writer(const body_limits& limits = {}) : limits_(limits) {}

  bool nil();
  bool boolean(bool x);
  bool integer(std::int64_t x);
  bool number(double x);
  /// As text if it is UTF-8, otherwise as binary.
  bool text(std::string_view x);
  /// As binary, whatever it holds. As a key it is the same as `text`.
  bool binary(std::string_view x);
  bool extension(std::int8_t type, std::string_view x);
  bool begin_array(std::size_t elements);
  bool begin_map(std::size_t members);

  /// For the walk: makes the body fail with `why`.
  bool refuse(body_fault why);
  body_fault fault() const { return fault_; }

  /// The body, or why there is none. Asserts that exactly one value was written. Ready for the next
  /// body then.
  result<bytes> finish();
  /// Forgets what was written so far, and takes other limits.
  void restart(const body_limits& limits);

 private:
  struct level {
    std::size_t left;  ///< values that still come; for a map, keys count as well
    bool is_map;
    std::size_t first_member;  ///< index into members_
  };
  struct member {
    std::size_t key, value, end;  ///< offsets into out_
  };

  bool before(bool may_be_key);
  bool after();
  bool at_key() const;
  bool sort_members(std::size_t first);
  bool append(const char* data, std::size_t n);
  template <class F>
  bool pack(F f);
  struct sink;

  body_limits limits_;
  body_fault fault_ = body_fault::none;
  std::string out_;
  std::vector<level> levels_;
  std::vector<member> members_;  ///< of all open maps, the innermost last
  std::string scratch_;
};

/// What a reader asks before it makes room for a list or map. Each element takes a byte at least,
/// so the sum of all that is claimed can't be above the size of the data: what passes is safe to
/// reserve. Trivially destructible, so that it may stand in frames that Lua jumps out of.
class body_gauge {
 public:
  /// Refuses data above the limit at once: look at `fault` first.
  body_gauge(std::size_t data_size, const body_limits& limits)
      : depth_left_(limits.depth), elements_left_(data_size == 0 ? 0 : data_size - 1) {
    if (data_size > limits.size) fault_ = body_fault::too_large;
  }

  /// Before a list of `elements`, or a map of half as many members. False: stop.
  bool open(std::uint64_t elements) {
    if (depth_left_ == 0) return refuse(body_fault::too_deep);
    if (elements > elements_left_) return refuse(body_fault::cut_short);
    --depth_left_;
    elements_left_ -= elements;
    return true;
  }
  void close() { ++depth_left_; }

  /// Keeps the first fault. Always false.
  bool refuse(body_fault why) {
    if (fault_ == body_fault::none) fault_ = why;
    return false;
  }
  body_fault fault() const { return fault_; }

 private:
  std::size_t depth_left_;
  std::uint64_t elements_left_;
  body_fault fault_ = body_fault::none;
};

}  // namespace troupe
