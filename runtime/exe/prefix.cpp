// SPDX-License-Identifier: Apache-2.0
#include "exe/prefix.hpp"

#include <filesystem>
#include <system_error>

namespace troupe {

const std::string& prefix() {
  static const std::string found = [] {
    std::error_code failed;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
    // Without /proc nothing can be found; the sentences about what is missing then say so.
    return failed ? std::string("/usr/local") : program.parent_path().parent_path().string();
  }();
  return found;
}

std::string plugin_folder() {
  return prefix() + "/lib/troupe/plugins";
}
std::string template_folder() {
  return prefix() + "/share/troupe/template";
}
std::string stub_folder() {
  return prefix() + "/share/troupe/lua";
}
std::string shell_folder() {
  return prefix() + "/share/troupe/shell";
}
std::string worker_program() {
  return prefix() + "/bin/troupe_worker";
}

}  // namespace troupe
