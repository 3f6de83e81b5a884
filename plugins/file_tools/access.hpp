// SPDX-License-Identifier: Apache-2.0
//
// Which file a path means, and whether the caller may have it. The one place that decides.
#pragma once

#include <unistd.h>

#include <string>
#include <string_view>
#include <troupe/tool.hpp>
#include <utility>
#include <vector>

/// A file descriptor that closes itself.
class file {
 public:
  file() = default;
  explicit file(int fd) : fd_(fd) {}
  file(file&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  file& operator=(file&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~file() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// What one call may do with files.
class file_access {
 public:
  /// `kind` is read or write. All functions throw troupe::sdk::failure with a sentence that names
  /// the path: denied, not_found, bad_argument, io.
  file_access(const troupe::sdk::tool_call& call, std::string_view kind);

  /// `path` made absolute and normal, if the caller may have it.
  std::string judge(std::string_view path) const;
  /// Opens what lies there, following links, as long as its true place is granted. `flags` as for
  /// open.
  file open(const std::string& path, int flags) const;
  /// The folder in which `path` lies, as a descriptor to work below, as long as the true place of
  /// `path` in it is granted.
  file open_parent(const std::string& path) const;

 private:
  bool covers(std::string_view path) const;
  void check_place(int fd, std::string_view name, const std::string& path) const;

  std::string kind_, caller_, folder_;
  std::vector<std::string> globs_;
  bool everything_ = false;
};

/// The name of `path` in its folder.
std::string name_of(const std::string& path);

/// Throws what errno says about `path`.
[[noreturn]] void fail_with_errno(const std::string& path);

/// True if `text` matches: `*` any text, `?` one character.
bool matches(std::string_view glob, std::string_view text);
