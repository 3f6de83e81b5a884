// SPDX-License-Identifier: Apache-2.0
#include "script/program.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/unique_fd.hpp"

namespace troupe::script {

namespace {

error cannot_read(const std::string& file, int why) {
  return {why == ENOENT ? errc::not_found : errc::io, file + ": " + std::strerror(why)};
}

std::string parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash + 1));
}

/// `a.b_c` and the like: letters, digits, `_` and `-` between single dots.
bool is_module_name(std::string_view name) {
  if (name.empty() || name.front() == '.' || name.back() == '.') return false;
  if (name.find("..") != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

}  // namespace

std::string path_of(const std::string& file, const std::string& folder) {
  return file.starts_with('/') || folder.empty() ? file : folder + "/" + file;
}

result<program_ptr> read_program(const std::string& file, const std::string& folder) {
  const auto path = path_of(file, folder);
  // Not to wait for the writer of a FIFO.
  unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return cannot_read(file, errno);
  struct stat about {};
  if (::fstat(fd.get(), &about) != 0) return cannot_read(file, errno);
  if (!S_ISREG(about.st_mode)) return error(errc::io, file + ": not a regular file");
  auto read = std::make_shared<program>();
  read->file = file;
  read->folder = folder;
  for (;;) {
    char block[16384];
    const auto n = ::read(fd.get(), block, sizeof(block));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return cannot_read(file, errno);
    if (n == 0) return program_ptr(std::move(read));
    read->source.append(block, static_cast<std::size_t>(n));
    if (read->source.size() > max_script_size)
      return error(errc::too_big, file + ": a script is at most 4 MiB");
  }
}

result<program_ptr> read_module(const program& script, std::string_view name) {
  if (!is_module_name(name))
    return error(errc::bad_argument, "require(\"" + std::string(name) +
                                         "\"): a module is `troupe.x` or a Lua file beside the "
                                         "script, named without `/`, `..` and `.lua`");
  std::string path(name);
  std::replace(path.begin(), path.end(), '.', '/');
  return read_program(parent_of(script.file) + path + ".lua", script.folder);
}

}  // namespace troupe::script
