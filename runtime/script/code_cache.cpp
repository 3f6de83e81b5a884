// SPDX-License-Identifier: Apache-2.0
#include "script/code_cache.hpp"

#include <functional>
#include <memory>
#include <new>
#include <string>

namespace troupe::script {

struct code_cache::entry {
  std::size_t hash;
  std::string chunkname;
  std::string source;
  std::string bytecode;
};

namespace {

std::size_t hash_of(std::string_view chunkname, std::string_view source) noexcept {
  const std::hash<std::string_view> hash;
  return hash(source) * 31 + hash(chunkname);
}

}  // namespace

code_cache::~code_cache() {
  for (auto& slot : table_)
    delete slot.load(std::memory_order_relaxed);
}

// The texts are compared, not only their hashes: nobody gets another's code by a collision.
std::string_view code_cache::find(std::string_view chunkname,
                                  std::string_view source) const noexcept {
  const auto hash = hash_of(chunkname, source);
  for (std::size_t i = 0; i < slots; ++i) {
    const entry* e = table_[(hash + i) % slots].load(std::memory_order_acquire);
    if (e == nullptr) return {};
    if (e->hash == hash && e->source == source && e->chunkname == chunkname) return e->bytecode;
  }
  return {};
}

void code_cache::keep(std::string_view chunkname, std::string_view source,
                      std::string_view bytecode) noexcept {
  // Threads that come here at once may exceed this by one each; the table has room for that.
  const auto size = chunkname.size() + source.size() + bytecode.size();
  if (entries_.load() >= max_entries || bytes_.load() + size > max_bytes) return;
  const auto hash = hash_of(chunkname, source);
  std::unique_ptr<entry> mine;
  try {
    mine = std::make_unique<entry>(
        entry{hash, std::string(chunkname), std::string(source), std::string(bytecode)});
  } catch (const std::bad_alloc&) {
    return;  // a cache may forget
  }
  for (std::size_t i = 0; i < slots; ++i) {
    entry* there = nullptr;
    if (table_[(hash + i) % slots].compare_exchange_strong(there, mine.get())) {
      static_cast<void>(mine.release());  // the table owns it
      entries_.fetch_add(1);
      bytes_.fetch_add(size);
      return;
    }
    if (there->hash == hash && there->source == mine->source && there->chunkname == mine->chunkname)
      return;
  }
}

}  // namespace troupe::script
