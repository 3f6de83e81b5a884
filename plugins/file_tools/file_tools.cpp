// SPDX-License-Identifier: Apache-2.0
//
// file.list, file.read and file.write. Local files answer within the turn; a network file system
// that hangs would hold up other tools, as it would hold up everything else.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <troupe/plugin.hpp>

#include "access.hpp"

namespace {

namespace sdk = troupe::sdk;

constexpr std::size_t max_entries = 10'000;
constexpr std::int64_t default_length = 64 << 10;
constexpr std::int64_t max_length = 1 << 20;
/// What an answer needs beside the data in it.
constexpr std::uint64_t answer_overhead = 256;

struct stat look_at(const file& f, const std::string& path) {
  struct stat about {};
  if (::fstat(f.get(), &about) != 0) fail_with_errno(path);
  return about;
}

void expect_regular(const struct stat& about, const std::string& path) {
  if (S_ISDIR(about.st_mode)) throw sdk::failure("bad_argument", path + " is a folder");
  if (!S_ISREG(about.st_mode)) throw sdk::failure("bad_argument", path + " is no regular file");
}

// -- file.list ------------------------------------------------------------------------------------

sdk::value entry_of(int folder, const char* name) {
  struct stat about {};
  sdk::value e = sdk::object({{"name", name}});
  // What is gone by now, or can't be looked at, is still a name.
  if (::fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) != 0) return e.set("type", "other");
  const char* type = S_ISREG(about.st_mode)   ? "file"
                     : S_ISDIR(about.st_mode) ? "folder"
                     : S_ISLNK(about.st_mode) ? "link"
                                              : "other";
  e.set("type", type);
  e.set("modified", static_cast<double>(about.st_mtim.tv_sec) +
                        static_cast<double>(about.st_mtim.tv_nsec) / 1e9);
  if (S_ISREG(about.st_mode)) e.set("size", static_cast<std::int64_t>(about.st_size));
  return e;
}

sdk::value list(const sdk::tool_call& call) {
  const file_access may(call, "read");
  const std::string path = may.judge(call.args["path"].as_string());
  const file folder = may.open(path, O_RDONLY | O_DIRECTORY);
  // A descriptor of its own: closedir closes it.
  const int own = ::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) fail_with_errno(path);
  const std::unique_ptr<DIR, int (*)(DIR*)> reader(::fdopendir(own), ::closedir);
  if (!reader) fail_with_errno(path);

  std::vector<std::string> names;
  bool is_cut = false;
  for (const dirent* next; (next = ::readdir(reader.get())) != nullptr;) {
    const std::string name = next->d_name;
    if (name == "." || name == "..") continue;
    is_cut = names.size() == max_entries;
    if (is_cut) break;
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  sdk::value entries = sdk::value::list{};
  for (const std::string& name : names)
    entries.push(entry_of(folder.get(), name.c_str()));
  return sdk::object({{"path", path}, {"entries", entries}, {"truncated", is_cut}});
}

// -- file.read ------------------------------------------------------------------------------------

/// Bytes at the end that begin a character whose rest was not read.
std::size_t torn_bytes(const std::string& data) {
  std::size_t back = 0;
  while (back < 3 && back < data.size()) {
    const auto c = static_cast<unsigned char>(data[data.size() - 1 - back]);
    ++back;
    if ((c & 0xc0) == 0x80) continue;
    const std::size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

/// As text if it is UTF-8, else as bytes.
sdk::value data_value(std::string data) {
  std::size_t i = 0;
  const auto follows = [&](std::size_t n) {
    for (std::size_t k = 1; k <= n; ++k)
      if (i + k >= data.size() || (static_cast<unsigned char>(data[i + k]) & 0xc0) != 0x80)
        return false;
    return true;
  };
  while (i < data.size()) {
    const auto c = static_cast<unsigned char>(data[i]);
    const auto next = i + 1 < data.size() ? static_cast<unsigned char>(data[i + 1]) : 0u;
    std::size_t length = 0;
    if (c < 0x80)
      length = 1;
    else if (c >= 0xc2 && c < 0xe0 && follows(1))
      length = 2;
    else if (c >= 0xe0 && c < 0xf0 && follows(2) && !(c == 0xe0 && next < 0xa0) &&
             !(c == 0xed && next > 0x9f))
      length = 3;
    else if (c >= 0xf0 && c < 0xf5 && follows(3) && !(c == 0xf0 && next < 0x90) &&
             !(c == 0xf4 && next > 0x8f))
      length = 4;
    if (length == 0) return sdk::value::binary{std::move(data)};
    i += length;
  }
  return data;
}

sdk::value read(const sdk::tool_call& call) {
  const file_access may(call, "read");
  const std::string path = may.judge(call.args["path"].as_string());
  const std::int64_t offset = call.args["offset"].as_int(0);
  std::int64_t length = call.args["length"].as_int(default_length);
  if (offset < 0 || length < 1)
    throw sdk::failure("bad_argument", "offset has to be 0 or more, length 1 or more");
  if (call.max_result <= answer_overhead)
    throw sdk::failure("too_big", path + " does not fit the answer");
  length =
      std::min({length, max_length, static_cast<std::int64_t>(call.max_result - answer_overhead)});

  const file in = may.open(path, O_RDONLY);
  const struct stat about = look_at(in, path);
  expect_regular(about, path);
  std::string data(static_cast<std::size_t>(length), '\0');
  std::size_t got = 0;
  bool at_end = false;
  while (got < data.size() && !at_end) {
    const ssize_t n =
        ::pread(in.get(), &data[got], data.size() - got, offset + static_cast<off_t>(got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_with_errno(path);
    at_end = n == 0;
    got += static_cast<std::size_t>(n);
  }
  data.resize(got);
  at_end = at_end || offset + static_cast<std::int64_t>(got) >= about.st_size;
  if (!at_end)
    if (const std::size_t torn = torn_bytes(data); torn < data.size())
      data.resize(data.size() - torn);
  return sdk::object({{"data", data_value(std::move(data))},
                      {"offset", offset},
                      {"size", static_cast<std::int64_t>(about.st_size)},
                      {"eof", at_end}});
}

// -- file.write -----------------------------------------------------------------------------------

void write_all(const file& to, std::string_view data, const std::string& path) {
  while (!data.empty()) {
    const ssize_t n = ::write(to.get(), data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_with_errno(path);
    data.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::int64_t append(const file& folder, const std::string& path, std::string_view data) {
  const file to(::openat(
      folder.get(), name_of(path).c_str(),
      O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666));
  if (!to) {
    if (errno == ELOOP) throw sdk::failure("denied", path + " is a symbolic link");
    fail_with_errno(path);
  }
  expect_regular(look_at(to, path), path);
  write_all(to, data, path);
  return look_at(to, path).st_size;
}

/// Puts a new file in the place of the old one, so that readers and a crash see the one or the
/// other. A link in that place is replaced, not followed.
std::int64_t replace(const file& folder, const std::string& path, std::string_view data) {
  const std::string name = name_of(path);
  struct stat old {};
  const bool is_there = ::fstatat(folder.get(), name.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0;
  if (is_there && !S_ISLNK(old.st_mode)) expect_regular(old, path);

  static unsigned long number = 0;  // all calls come in one actor's turns
  const std::string fresh =
      ".troupe-" + std::to_string(::getpid()) + "-" + std::to_string(++number);
  {
    const file to(
        ::openat(folder.get(), fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!to) fail_with_errno(path);
    try {
      write_all(to, data, path);
      if (is_there && S_ISREG(old.st_mode) && ::fchmod(to.get(), old.st_mode & 0777) != 0)
        fail_with_errno(path);
      // The name must not be on the disk before what it names.
      if (::fsync(to.get()) != 0) fail_with_errno(path);
      if (::renameat(folder.get(), fresh.c_str(), folder.get(), name.c_str()) != 0)
        fail_with_errno(path);
    } catch (const sdk::failure&) {
      ::unlinkat(folder.get(), fresh.c_str(), 0);
      throw;
    }
  }
  return static_cast<std::int64_t>(data.size());
}

sdk::value write(const sdk::tool_call& call) {
  const file_access may(call, "write");
  const std::string path = may.judge(call.args["path"].as_string());
  const sdk::value& data = call.args["data"];
  if (!data.is_string() && !data.is_binary())
    throw sdk::failure("bad_argument", "data has to be text");
  if (name_of(path).empty()) throw sdk::failure("bad_argument", path + " is a folder");
  const file folder = may.open_parent(path);
  const std::int64_t size = call.args["append"].as_bool() ? append(folder, path, data.as_string())
                                                          : replace(folder, path, data.as_string());
  return sdk::object({{"path", path}, {"size", size}});
}

// -- the plugin -----------------------------------------------------------------------------------

constexpr char list_schema[] = R"({
  "type": "object",
  "required": ["path"],
  "additionalProperties": false,
  "properties": { "path": { "type": "string", "minLength": 1 } }
})";

constexpr char read_schema[] = R"({
  "type": "object",
  "required": ["path"],
  "additionalProperties": false,
  "properties": {
    "path": { "type": "string", "minLength": 1 },
    "offset": { "type": "integer", "minimum": 0, "description": "Bytes to skip; default 0." },
    "length": { "type": "integer", "minimum": 1, "maximum": 1048576,
                "description": "Bytes to read at most; default 65536." }
  }
})";

constexpr char write_schema[] = R"({
  "type": "object",
  "required": ["path", "data"],
  "additionalProperties": false,
  "properties": {
    "path": { "type": "string", "minLength": 1 },
    "data": { "type": "string" },
    "append": { "type": "boolean", "description": "Add to the end instead of replacing." }
  }
})";

void set_up(sdk::plugin& plugin) {
  plugin.tool("file.list", "Lists a folder: names, types, sizes and times of its entries.",
              list_schema, list);
  plugin.tool("file.read",
              "Reads a piece of a file. Answers its data, the file's size, and whether that "
              "was its end.",
              read_schema, read);
  plugin.tool("file.write", "Writes a file, creating or replacing it, or adds to its end.",
              write_schema, write);
}

}  // namespace

TROUPE_PLUGIN("file_tools", "0.1.0", set_up)
