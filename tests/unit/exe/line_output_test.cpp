// SPDX-License-Identifier: Apache-2.0
#include "exe/line_output.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "base/unique_fd.hpp"

namespace troupe {
namespace {

constexpr duration forever = std::chrono::hours(1);

/// A file without a name.
class line_output_test : public ::testing::Test {
 protected:
  line_output_test() {
    char name[] = "/tmp/troupe-line-output-XXXXXX";
    file_ = unique_fd(::mkstemp(name));
    EXPECT_EQ(::unlink(name), 0);
  }

  std::string written() const {
    std::string text(1 << 16, '\0');
    const auto n = ::pread(file_.get(), text.data(), text.size(), 0);
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
  }

  static std::string note(std::uint64_t n) { return std::to_string(n) + " dropped\n"; }

  unique_fd file_;
};

TEST_F(line_output_test, counts_what_can_not_be_written_as_dropped) {
  const unique_fd fd(::open("/dev/null", O_RDONLY));
  line_output out(fd.get(), note);
  out.write("first\n", line_kind::print);
  out.write("second\n", line_kind::sentence);
  EXPECT_TRUE(out.drain(forever));
  ASSERT_EQ(::dup2(file_.get(), fd.get()), fd.get());
  out.write("third\n", line_kind::record);
  EXPECT_TRUE(out.drain(forever));
  EXPECT_EQ(written(), "2 dropped\nthird\n");
}

TEST_F(line_output_test, ends_a_line_that_was_cut_before_the_next_one) {
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit all{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &all), 0);
  const rlimit small{.rlim_cur = 6000, .rlim_max = all.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  line_output out(file_.get(), note);
  std::string line(8000, 'x');
  line += '\n';
  out.write(line, line_kind::print);
  EXPECT_TRUE(out.drain(forever));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &all), 0);
  std::signal(SIGXFSZ, before);
  out.write("next\n", line_kind::print);
  EXPECT_TRUE(out.drain(forever));
  line.resize(6000);
  line += "\n1 dropped\nnext\n";
  EXPECT_EQ(written(), line);
}

TEST_F(line_output_test, takes_a_drawing_away_before_the_next_line_and_at_the_end) {
  {
    line_output out(file_.get(), note);
    out.draw("half");
    EXPECT_TRUE(out.drain(forever));
    out.write("line\n", line_kind::print);
    EXPECT_TRUE(out.drain(forever));
    out.draw("whole");
    EXPECT_TRUE(out.drain(forever));
  }
  EXPECT_EQ(written(), "\r\x1b[Khalf\r\x1b[Kline\n\r\x1b[Kwhole\r\x1b[K");
}

}  // namespace
}  // namespace troupe
