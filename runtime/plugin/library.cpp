// SPDX-License-Identifier: Apache-2.0
#include "plugin/library.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/unique_fd.hpp"

namespace troupe {
namespace {

error refused(errc code, std::string_view plugin, const std::string& why) {
  return {code, "plugin " + std::string(plugin) + ": " + why};
}

void* load(const std::string& path) {
  return ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
}

}  // namespace

result<library> library::open(std::string_view plugin, const std::string& path) {
  if (void* handle = load(path)) return library(handle);
  return refused(errc::abi, plugin, ::dlerror());
}

result<library> library::open_copy(std::string_view plugin, const std::string& path) {
  const auto failed = [&](const char* what) {
    return refused(errc::io, plugin, path + ": " + what + ": " + std::strerror(errno));
  };
  unique_fd from(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from) return failed("can't be opened");
  unique_fd copy(::memfd_create("troupe-plugin", MFD_CLOEXEC));
  struct stat about {};
  if (!copy || ::fstat(from.get(), &about) != 0) return failed("can't be copied");
  for (off_t left = about.st_size; left > 0;) {
    ssize_t n = ::sendfile(copy.get(), from.get(), nullptr, static_cast<std::size_t>(left));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("can't be copied");
    if (n == 0) break;
    left -= n;
  }
  // The loader knows a library by the name it was asked for before it looks at the file. So the
  // descriptor stays open as long as the code, that is for ever: its number never names another
  // copy.
  if (void* handle = load("/proc/self/fd/" + std::to_string(copy.get()))) {
    copy.release();
    return library(handle);
  }
  return refused(errc::abi, plugin, ::dlerror());
}

const void* library::symbol(const char* name) const {
  return ::dlsym(handle_, name);
}

}  // namespace troupe
