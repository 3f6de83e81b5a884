// SPDX-License-Identifier: Apache-2.0
//
// A loaded shared library: the one place that knows how an operating system loads code.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace troupe {

/// Code that stays loaded until the process ends, whatever becomes of this handle: threads,
/// callbacks and constants of a plugin may point into it at any time. Copy it freely.
class library {
 public:
  /// Runs the library's constructors. Fails with abi, in the loader's own words behind `plugin`'s
  /// name.
  static result<library> open(std::string_view plugin, const std::string& path);

  /// Loads the file's present content as a library of its own, whether an older one is loaded or
  /// not; the file may change afterwards.
  static result<library> open_copy(std::string_view plugin, const std::string& path);

  /// Null if it has no such symbol.
  const void* symbol(const char* name) const;

 private:
  explicit library(void* handle) : handle_(handle) {}
  void* handle_;
};

}  // namespace troupe
