// SPDX-License-Identifier: Apache-2.0
#include "access.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>

using troupe::sdk::failure;

namespace {

namespace fs = std::filesystem;

/// Where the kernel says that an open file is.
std::string place_of(int fd) {
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  std::array<char, PATH_MAX> place;
  const ssize_t n = ::readlink(link.c_str(), place.data(), place.size());
  if (n <= 0 || n == static_cast<ssize_t>(place.size())) return "";
  return {place.data(), static_cast<std::size_t>(n)};
}

std::string below(const std::string& folder) {
  return folder == "/" ? "/*" : folder + "/*";
}

}  // namespace

bool matches(std::string_view glob, std::string_view text) {
  std::size_t g = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*')
    ++g;
  return g == glob.size();
}

void fail_with_errno(const std::string& path) {
  const int why = errno;
  const bool is_missing = why == ENOENT || why == ENOTDIR;
  throw failure(is_missing ? "not_found" : "io", path + ": " + std::strerror(why));
}

std::string name_of(const std::string& path) {
  return fs::path(path).filename().string();
}

file_access::file_access(const troupe::sdk::tool_call& call, std::string_view kind)
    : kind_(kind), caller_(call.caller), folder_(call.folder) {
  everything_ = call.grants.as_string() == "all";
  for (const auto& glob : call.grants[kind].as_list())
    globs_.emplace_back(glob.as_string());
}

bool file_access::covers(std::string_view path) const {
  if (everything_) return true;
  // A granted folder covers all below it.
  for (const std::string& glob : globs_)
    if (matches(glob, path) || matches(below(glob), path)) return true;
  return false;
}

std::string file_access::judge(std::string_view path) const {
  if (path.empty()) throw failure("bad_argument", "path is empty");
  if (path.find('\0') != std::string_view::npos)
    throw failure("bad_argument", "path has a zero byte in it");
  if (path.front() != '/' && (folder_.empty() || folder_.front() != '/'))
    throw failure("bad_argument", std::string(path) + ": expected an absolute path");
  std::string normal = (fs::path(folder_) / path).lexically_normal().string();
  while (normal.size() > 1 && normal.back() == '/')
    normal.pop_back();
  if (!covers(normal))
    throw failure("denied", normal + ": " + caller_ + " has no grant to " + kind_ + " it");
  return normal;
}

void file_access::check_place(int fd, std::string_view name, const std::string& path) const {
  std::string place = place_of(fd);
  if (place.empty()) throw failure("io", path + ": its true place is not known: /proc is missing");
  if (!name.empty()) place = (fs::path(place) / name).string();
  if (place.front() != '/' || !covers(place))
    throw failure("denied", path + " is " + place + " in truth, which " + caller_ +
                                " has no grant to " + kind_);
}

file file_access::open(const std::string& path, int flags) const {
  // O_PATH touches nothing, not even a FIFO or a device: the file is opened for use only after its
  // place has been judged, and by this descriptor, so that nothing can be put in its stead.
  const file found(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!found) fail_with_errno(path);
  check_place(found.get(), "", path);
  file opened(::open(("/proc/self/fd/" + std::to_string(found.get())).c_str(),
                     flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!opened) fail_with_errno(path);
  return opened;
}

file file_access::open_parent(const std::string& path) const {
  const std::string parent = fs::path(path).parent_path().string();
  file folder(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) fail_with_errno(parent);
  check_place(folder.get(), name_of(path), path);
  return folder;
}
