// SPDX-License-Identifier: Apache-2.0
//
// What every verb prints the same way.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/json.hpp"
#include "base/screen_text.hpp"
#include "exe/cli.hpp"
#include "exe/version.hpp"

namespace troupe::cli {

std::string complaint(const error& why, bool json) {
  if (json) {
    auto text = to_json(value::map{{"error", to_value(why)}});
    return text ? *text : why.describe();
  }
  auto line = "troupe: " + within_line(why.describe());
  // A mistake in a file is told with its line; how one got there helps with a crash alone.
  if (why.is(errc::crash) && !why.traceback.empty()) line += "\n" + within_lines(why.traceback);
  while (line.ends_with('\n'))
    line.pop_back();
  return line;
}

int complain(const error& why, bool json) {
  std::fprintf(stderr, "%s\n", complaint(why, json).c_str());
  return failed;
}

result<void> print_result(const value& v, bool json) {
  if (v.is_nil() && !json) return ok();
  std::string text;
  if ((v.is_string() || v.is_binary()) && !json) {
    text = v.as_string();
  } else {
    TROUPE_TRY(written, to_json(v, {.indent = !json && isatty(1) != 0 ? 2 : -1}));
    text = std::move(written);
  }
  if (!text.ends_with('\n')) text += '\n';
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    if (errno == EPIPE) return ok();  // whoever read has had enough
    return error(errc::io, std::string("the result can't be written: ") + std::strerror(errno));
  }
  return ok();
}

int print_version(const common_options& o) {
  if (o.json)
    std::printf("{\"version\":\"%s\"}\n", version);
  else
    std::printf("troupe %s\n", version);
  return done;
}

}  // namespace troupe::cli
