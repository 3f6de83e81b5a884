// SPDX-License-Identifier: Apache-2.0
#include "plugin/elf_record.hpp"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <troupe/plugin.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/unique_fd.hpp"

namespace troupe {
namespace {

constexpr std::string_view symbol_name = "troupe_plugin";
// What a file may claim, far above what any has.
constexpr std::size_t max_headers = 10'000;
constexpr std::size_t max_symbols = 1'000'000;

#if defined(__LP64__)
constexpr unsigned char native_class = ELFCLASS64;
#else
constexpr unsigned char native_class = ELFCLASS32;
#endif
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
constexpr unsigned char native_order = ELFDATA2LSB;
#else
constexpr unsigned char native_order = ELFDATA2MSB;
#endif
#if defined(__x86_64__)
constexpr ElfW(Half) native_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr ElfW(Half) native_machine = EM_AARCH64;
#elif defined(__riscv)
constexpr ElfW(Half) native_machine = EM_RISCV;
#else
#error "name this machine's ELF number here"
#endif

/// Bounds-checked reads at offsets that the file itself names.
class file_reader {
 public:
  explicit file_reader(unique_fd fd) : fd_(std::move(fd)) {}

  bool read(void* to, std::size_t n, std::uint64_t at) const {
    auto* out = static_cast<char*>(to);
    while (n > 0) {
      ssize_t got = ::pread(fd_.get(), out, n, static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      out += got;
      at += static_cast<std::uint64_t>(got);
      n -= static_cast<std::size_t>(got);
    }
    return true;
  }

  template <class T>
  std::optional<std::vector<T>> table(std::uint64_t at, std::size_t count) const {
    std::vector<T> entries(count);
    if (!read(entries.data(), count * sizeof(T), at)) return std::nullopt;
    return entries;
  }

 private:
  unique_fd fd_;
};

/// Where the record stands in memory; nothing if it is not exported.
std::optional<ElfW(Addr)> find_symbol(const file_reader& file,
                                      const std::vector<ElfW(Shdr)>& sections) {
  for (const auto& section : sections) {
    if (section.sh_type != SHT_DYNSYM || section.sh_entsize != sizeof(ElfW(Sym))) continue;
    if (section.sh_link >= sections.size()) continue;
    const auto& names = sections[section.sh_link];
    const std::size_t count = section.sh_size / sizeof(ElfW(Sym));
    if (count > max_symbols) continue;
    auto symbols = file.table<ElfW(Sym)>(section.sh_offset, count);
    if (!symbols) continue;
    for (const auto& symbol : *symbols) {
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_name >= names.sh_size) continue;
      char name[symbol_name.size() + 1];
      if (names.sh_size - symbol.st_name < sizeof name ||
          !file.read(name, sizeof name, names.sh_offset + symbol.st_name))
        continue;
      if (std::memcmp(name, symbol_name.data(), symbol_name.size()) == 0 &&
          name[symbol_name.size()] == '\0')
        return symbol.st_value;
    }
  }
  return std::nullopt;
}

}  // namespace

result<abi_version> read_abi(std::string_view plugin, const std::string& path) {
  const std::string file = std::filesystem::path(path).filename().string();
  const auto refuse = [&](const std::string& why) {
    return error(errc::abi, "plugin " + std::string(plugin) + ": " + file + " " + why);
  };
  // Not blocking: the file might be a FIFO.
  unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd)
    return error(errno == ENOENT ? errc::not_found : errc::io,
                 "plugin " + std::string(plugin) + ": " + file + ": " + std::strerror(errno));
  struct stat about {};
  if (::fstat(fd.get(), &about) != 0 || !S_ISREG(about.st_mode))
    return refuse("is not a regular file");

  const file_reader in(std::move(fd));
  ElfW(Ehdr) header;
  if (!in.read(&header, sizeof header, 0) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_type != ET_DYN)
    return refuse("is not a shared library");
  if (header.e_ident[EI_CLASS] != native_class || header.e_ident[EI_DATA] != native_order ||
      header.e_machine != native_machine)
    return refuse("is built for another machine");
  const auto damaged = [&] {
    return refuse("is damaged: it ends too early or names places beyond its end");
  };
  if (header.e_shentsize != sizeof(ElfW(Shdr)) || header.e_phentsize != sizeof(ElfW(Phdr)) ||
      header.e_shnum > max_headers || header.e_phnum > max_headers)
    return damaged();
  auto sections = in.table<ElfW(Shdr)>(header.e_shoff, header.e_shnum);
  auto segments = in.table<ElfW(Phdr)>(header.e_phoff, header.e_phnum);
  if (!sections || !segments) return damaged();

  auto record = find_symbol(in, *sections);
  if (!record) return refuse("exports no troupe_plugin");
  for (const auto& segment : *segments) {
    if (segment.p_type != PT_LOAD || *record < segment.p_vaddr ||
        *record - segment.p_vaddr >= segment.p_filesz)
      continue;
    std::uint32_t versions[2];
    if (!in.read(versions, sizeof versions, segment.p_offset + (*record - segment.p_vaddr)))
      return damaged();
    return abi_version{versions[0], versions[1]};
  }
  return refuse("exports a troupe_plugin that is no constant record");
}

}  // namespace troupe
