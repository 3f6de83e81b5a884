// SPDX-License-Identifier: Apache-2.0
//
// Compiled scripts, kept for the next state that loads the same text. Loading our own bytecode
// takes a sixth of the time that compiling takes, and stock Lua can't share functions between
// states. It never holds bytecode from elsewhere: Lua does not verify any.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <string_view>

namespace troupe::script {

/// One object for all states of a process; the owner outlives them. Thread-safe without a lock: a
/// fixed table of entries that are written once and live as long as the cache. When it is full
/// (768 entries or 64 MiB) further scripts are compiled each time.
class code_cache {
 public:
  code_cache() = default;
  ~code_cache();
  code_cache(const code_cache&) = delete;
  code_cache& operator=(const code_cache&) = delete;

  /// Bytecode of exactly this text under exactly this name, or empty. Valid as long as the cache.
  std::string_view find(std::string_view chunkname, std::string_view source) const noexcept;
  /// Keeps a copy of all three, if there is room. The first one for a text stays.
  void keep(std::string_view chunkname, std::string_view source,
            std::string_view bytecode) noexcept;

 private:
  struct entry;
  static constexpr std::size_t slots = 1024;
  static constexpr std::size_t max_entries = 768;
  static constexpr std::size_t max_bytes = 64u << 20;

  std::array<std::atomic<entry*>, slots> table_{};
  std::atomic<std::size_t> entries_{0};
  std::atomic<std::size_t> bytes_{0};
};

}  // namespace troupe::script
