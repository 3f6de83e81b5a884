// SPDX-License-Identifier: Apache-2.0
#include "repl/repl.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace troupe {
namespace {

struct recording final : session {
  std::vector<std::string> seen;
  bool over = false;
  result<std::string> evaluate(const std::string& text) override {
    seen.push_back(text);
    if (text == "bad") return error(errc::crash, "it broke");
    return "=" + text;
  }
  result<std::string> command(const std::vector<std::string>& words,
                              std::string_view rest) override {
    std::string all;
    for (const auto& w : words)
      all += "[" + w + "]";
    seen.push_back(all + "{" + std::string(rest) + "}");
    if (words[0] == "quit") over = true;
    return std::string();
  }
  bool is_incomplete(const std::string& text) override { return text.ends_with("do"); }
  std::vector<std::string> complete(std::string_view, std::string_view) override { return {}; }
  void interrupt() override { seen.emplace_back("interrupt"); }
  bool is_over() const override { return over; }
};

struct scripted_reader final : line_reader {
  /// Nothing stands for an interrupt.
  std::vector<std::optional<std::string>> lines;
  std::size_t next = 0;
  std::optional<std::string> read(const std::string&) override {
    if (next == lines.size()) return std::nullopt;
    return lines[next++].value_or("");
  }
  bool was_interrupted() const override { return next > 0 && !lines[next - 1]; }
};

struct outcome {
  std::vector<std::string> seen;
  std::string out, err;
  int code = 0;
};

outcome feed(const std::string& script) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  EXPECT_EQ(write(ends[1], script.data(), script.size()), static_cast<ssize_t>(script.size()));
  close(ends[1]);
  char *out_text = nullptr, *err_text = nullptr;
  size_t out_size = 0, err_size = 0;
  std::FILE* out = open_memstream(&out_text, &out_size);
  std::FILE* err = open_memstream(&err_text, &err_size);
  recording s;
  auto in = plain_reader(ends[0]);
  outcome o;
  o.code = run_repl(s, *in, out, err);
  std::fclose(out);
  std::fclose(err);
  close(ends[0]);
  o.seen = s.seen;
  o.out.assign(out_text, out_size);
  o.err.assign(err_text, err_size);
  std::free(out_text);
  std::free(err_text);
  return o;
}

TEST(repl_test, runs_a_script_from_a_pipe_line_by_line) {
  auto o = feed("1\n\n2\n");
  EXPECT_EQ(o.seen, std::vector<std::string>({"1", "2"}));
  EXPECT_EQ(o.out, "=1\n=2\n");
  EXPECT_EQ(o.code, 0);
}

TEST(repl_test, puts_lines_together_until_they_are_whole) {
  EXPECT_EQ(feed("while x do\nend\n").seen, std::vector<std::string>({"while x do\nend"}));
}

TEST(repl_test, tells_commands_from_lua_and_splits_their_words) {
  EXPECT_EQ(
      feed(":call desk/writer.draft 'two words' x\\ y\n").seen,
      std::vector<std::string>(
          {"[call][desk/writer.draft][two words][x y]{desk/writer.draft 'two words' x\\ y}"}));
}

TEST(repl_test, goes_on_after_an_error_and_says_so_in_its_code) {
  auto o = feed("bad\n1\n");
  EXPECT_EQ(o.seen.size(), 2u);
  EXPECT_EQ(o.err, "crash: it broke\n");
  EXPECT_EQ(o.code, 1);
}

TEST(repl_test, drops_the_lines_before_an_interrupt_and_tells_the_session) {
  recording s;
  scripted_reader in;
  in.lines = {"while x do", std::nullopt, "1"};
  char* text = nullptr;
  size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  run_repl(s, in, out, out);
  std::fclose(out);
  std::free(text);
  EXPECT_EQ(s.seen, std::vector<std::string>({"interrupt", "1"}));
}

TEST(repl_test, ends_when_the_session_is_over_and_runs_a_last_line_without_newline) {
  EXPECT_EQ(feed(":quit\n1\n").seen.size(), 1u);
  EXPECT_EQ(feed("1").seen, std::vector<std::string>({"1"}));
}

TEST(repl_test, refuses_an_open_quote) {
  EXPECT_NE(feed(":call 'x\n").err.find("not closed"), std::string::npos);
}

}  // namespace
}  // namespace troupe
