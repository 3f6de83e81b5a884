// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "repl/line_reader.hpp"

namespace troupe {

namespace {

class plain final : public line_reader {
 public:
  explicit plain(int fd) : fd_(fd) {}

  std::optional<std::string> read(const std::string&) override {
    for (;;) {
      if (const auto end = rest_.find('\n'); end != std::string::npos) {
        auto line = rest_.substr(0, end);
        rest_.erase(0, end + 1);
        if (line.ends_with('\r')) line.pop_back();
        return line;
      }
      char data[4096];
      const auto n = ::read(fd_, data, sizeof data);
      if (n < 0 && errno == EINTR) continue;
      if (n > 0) {
        rest_.append(data, static_cast<std::size_t>(n));
        continue;
      }
      if (rest_.empty()) return std::nullopt;
      return std::exchange(rest_, {});
    }
  }

 private:
  int fd_;
  std::string rest_;
};

}  // namespace

std::unique_ptr<line_reader> plain_reader(int fd) {
  return std::make_unique<plain>(fd);
}

}  // namespace troupe
