// SPDX-License-Identifier: Apache-2.0
//
// A worker whose agents are written in C++, for tests: each verb does one thing.
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "base/msgpack.hpp"
#include "channel/worker_main.hpp"
#include "support/simulation.hpp"

namespace troupe::test {
namespace {

value open_descriptors() {
  value::array out;
  DIR* folder = ::opendir("/proc/self/fd");
  while (const auto* entry = ::readdir(folder)) {
    const int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd != ::dirfd(folder)) out.emplace_back(fd);
  }
  ::closedir(folder);
  return out;
}

value environment() {
  value::array out;
  for (char** entry = environ; *entry != nullptr; ++entry)
    out.emplace_back(std::string(*entry));
  return out;
}

value answer(context& ctx, const envelope& e) {
  const auto args = *unpack(e.body.view());
  if (e.verb == "echo") return args;
  if (e.verb == "path") return ctx.path();
  if (e.verb == "pid") return static_cast<std::int64_t>(::getpid());
  if (e.verb == "descriptors") return open_descriptors();
  if (e.verb == "environment") return environment();
  if (e.verb == "folder") {
    std::unique_ptr<char, decltype(&std::free)> folder(::getcwd(nullptr, 0), &std::free);
    return std::string(folder.get());
  }
  if (e.verb == "signal") ::raise(static_cast<int>(args.as_array().at(0).as_int()));
  if (e.verb == "exit") std::_Exit(static_cast<int>(args.as_array().at(0).as_int()));
  if (e.verb == "hang") {
    while (true)
      ::pause();
  }
  if (e.verb == "print") {
    const auto text = args.as_array().at(0).as_string();
    std::fwrite(text.data(), 1, text.size(), stderr);
  }
  return {};
}

result<std::unique_ptr<behaviour>> make(const greeting& hello) {
  if (const auto& text = hello.spec["options"]["refuse"]; text.is_string())
    return {errc::syntax, std::string(text.as_string())};
  return std::unique_ptr<behaviour>(
      std::make_unique<lambda_behaviour>([](context& ctx, envelope& e) {
        if (e.kind == kind::stop) ctx.exit(unpack_error(e.body));
        if (e.kind == kind::call) ctx.reply(e.cause, *pack(answer(ctx, e)));
      }));
}

}  // namespace
}  // namespace troupe::test

int main(int argc, char** argv) {
  ::signal(SIGSEGV, SIG_DFL);  // a sanitizer would make an exit code of it
  return troupe::worker_main(argc, argv, troupe::test::make);
}
