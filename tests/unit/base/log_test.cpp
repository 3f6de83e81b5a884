// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <thread>
#include <vector>

#include "base/json.hpp"
#include "base/unique_fd.hpp"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class still_clock final : public clock {
 public:
  instant now() const override { return {}; }
  // 2026-01-31 08:14:02.123 UTC
  wall_time wall() const override { return wall_time(1'769'847'242'123ms); }
};

class log_test : public ::testing::Test {
 protected:
  log_test() {
    ::setenv("TZ", "UTC-1", 1);  // one hour east
    ::tzset();
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    reader_ = unique_fd(ends[0]);
    writer_ = unique_fd(ends[1]);
  }
  ~log_test() override { ::unsetenv("TZ"); }

  std::string written() {
    std::string text;
    char block[4096];
    for (ssize_t n; (n = ::read(reader_.get(), block, sizeof(block))) > 0;)
      text.append(block, static_cast<std::size_t>(n));
    return text;
  }

  std::string text(std::string_view component, std::string_view message, value::map fields = {}) {
    auto sink = text_sink(writer_.get());
    logger(*sink, time_).write(log_level::warning, component, message, std::move(fields));
    return written();
  }

  still_clock time_;
  unique_fd reader_, writer_;
};

TEST_F(log_test, writes_a_line_for_people) {
  EXPECT_EQ(text("worker", "worker ended", {{"signal", "SIGKILL"}, {"after", 1.5}}),
            "09:14:02 warning worker: worker ended signal=SIGKILL after=1.5\n");
  EXPECT_EQ(text("a", "m", {{"what", "two words"}, {"list", value::array{1, "x"}}, {"no", ""}}),
            "09:14:02 warning a: m what=\"two words\" list=[1,\"x\"] no=\"\"\n");
}

TEST_F(log_test, writes_a_json_object_a_line) {
  auto sink = json_sink(writer_.get());
  logger(*sink, time_).write(log_level::error, "worker", "worker ended", {{"signal", "SIGKILL"}});
  EXPECT_EQ(written(), R"({"at":"2026-01-31T08:14:02.123Z","level":"error","component":"worker",)"
                       R"("message":"worker ended","fields":{"signal":"SIGKILL"}})"
                       "\n");
}

TEST_F(log_test, keeps_a_record_on_one_line_whoever_wrote_it) {
  EXPECT_EQ(text("a\nb", "x\x1b[2J\x7f\xc2\x9b", {{"k", "1\n2"}, {"b", "\xff\xfe"}}),
            "09:14:02 warning a\\nb: x\\u001b[2J\\u007f\\u009b k=\"1\\n2\" b=0xfffe\n");
}

TEST_F(log_test, writes_every_value_as_json_somehow) {
  value deep = 1;
  for (int i = 0; i < 300; ++i)
    deep = value::array{std::move(deep)};
  value deep_key = 1;
  for (int i = 0; i < 300; ++i)
    deep_key = value::map{{std::move(deep_key), 1}};
  auto sink = json_sink(writer_.get());
  logger(*sink, time_)
      .write(log_level::info, "\xff", "m",
             {{"nan", std::nan("")},
              {"deep", deep},
              {"deep_key", deep_key},
              {"keys", value::map{{1, 1}, {"1", 2}, {true, 3}, {value::array{}, 4}}},
              {"address", value::extension{1, std::string(32, 'a')}},
              {"other", value::extension{9, "z"}}});
  auto line = parse_json(written());
  ASSERT_TRUE(line) << line.error().describe();
  EXPECT_EQ((*line)["component"], value("0xff"));
  const auto& fields = (*line)["fields"];
  EXPECT_EQ(fields["nan"], value("NaN"));
  EXPECT_EQ(fields["keys"], value().set("1", 2).set("true", 3).set("[]", 4));
  EXPECT_EQ(fields["address"], value("<61616161>"));
  EXPECT_EQ(fields["other"], value("0x7a"));
}

TEST_F(log_test, drops_what_is_below_its_level) {
  auto sink = text_sink(writer_.get());
  logger log(*sink, time_, log_level::warning);
  log.write(log_level::info, "a", "not this");
  EXPECT_EQ(written(), "");
  EXPECT_TRUE(log.enabled(log_level::error));
}

TEST_F(log_test, says_how_many_records_were_lost_when_nobody_read) {
  auto sink = text_sink(writer_.get());
  logger log(*sink, time_);
  const std::string big(30'000, 'x');
  for (int i = 0; i < 10; ++i)
    log.write(log_level::info, "a", big);  // a pipe holds 64 KiB
  const auto first = written();
  log.write(log_level::info, "a", "after");
  const auto then = written();
  EXPECT_EQ(then.substr(0, 1), "\n") << "ends the line that was cut";
  EXPECT_THAT(then, HasSubstr("warning log: records could not be written count=8\n"));
  EXPECT_THAT(then, HasSubstr("info a: after\n"));
}

TEST_F(log_test, survives_a_reader_that_is_gone) {
  struct ignore_sigpipe {
    sighandler_t before = std::signal(SIGPIPE, SIG_IGN);
    ~ignore_sigpipe() { std::signal(SIGPIPE, before); }
  } ignored;
  reader_.reset();
  auto sink = text_sink(writer_.get());
  logger(*sink, time_).write(log_level::info, "a", "m");
}

TEST_F(log_test, never_mixes_lines_of_different_threads) {
  ::fcntl(writer_.get(), F_SETFL, 0);
  ::fcntl(reader_.get(), F_SETFL, 0);
  auto sink = text_sink(writer_.get());
  logger log(*sink, time_);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&log, t] {
      for (int i = 0; i < 200; ++i)
        log.write(log_level::info, "t" + std::to_string(t), std::string(300, 'x'));
    });
  std::thread closer([&] {
    for (auto& t : threads)
      t.join();
    writer_.reset();
  });
  const auto all = written();
  closer.join();
  std::size_t lines = 0;
  for (std::size_t at = 0; at < all.size(); at = all.find('\n', at) + 1, ++lines)
    ASSERT_EQ(all.find('\n', at) - at, std::string_view("09:14:02 info t0: ").size() + 300);
  EXPECT_EQ(lines, 800u);
}

}  // namespace
}  // namespace troupe
