// SPDX-License-Identifier: Apache-2.0
//
// The scripted model, from outside.
#include <unistd.h>

#include <fstream>

#include "abi/fixture.hpp"
#include "base/json.hpp"

namespace troupe::test {
namespace {

class scripted_test : public plugin_test {
 protected:
  void SetUp() override {
    add(shipped("llm_scripted"));
    folder_ = testing::TempDir() + "troupe-scripted-" + std::to_string(getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void script(const std::string& replies) {
    auto options = parse_json(R"({"replies": )" + replies + "}");
    ASSERT_TRUE(options) << options.error().describe();
    auto made = plugins.make_codec("scripted", *options, folder_);
    ASSERT_TRUE(made) << made.error().describe();
    codec_ = std::move(*made);
  }
  std::string refused(const std::string& replies) {
    auto made =
        plugins.make_codec("scripted", *parse_json(R"({"replies": )" + replies + "}"), folder_);
    return made ? "" : made.error().message;
  }
  result<model_events> ask(const value& content, const std::string& role = "user",
                           bool streams = true) {
    value message = value::map{{"role", role}, {"content", content}};
    TROUPE_TRY(exchange,
               codec_->begin(value::map{{"messages", value::array{message}}, {"stream", streams}}));
    EXPECT_EQ(exchange->request(), nullptr);
    return exchange->local();
  }
  std::string text(const value& content, const std::string& role = "user") {
    auto events = ask(content, role);
    if (!events) return events.error().message;
    std::string out;
    for (const auto& e : *events)
      out += e.what == model_event::what::error  ? e.why.message
             : e.what == model_event::what::text ? e.text
                                                 : "";
    return out;
  }

  std::string folder_;
  std::unique_ptr<model_codec> codec_;
};

TEST_F(scripted_test, replies_in_order_once_each) {
  script(R"([{"text": "one"}, {"text": "two", "times": 2}])");
  EXPECT_EQ(text("a"), "one");
  EXPECT_EQ(text("b"), "two");
  EXPECT_EQ(text("c"), "two");
  EXPECT_EQ(text("d"), "scripted: no reply is left for \"d\"");
}

TEST_F(scripted_test, replies_to_what_matches_as_often_as_it_does) {
  script(R"([{"match": "weather|rain", "text": "sunny"}, {"match": "tide*Husum", "text": "noon"},
             {"match": "2\\*2\\|4", "text": "stars"}, {"role": "tool", "text": "thanks"}, {"text": "else"}])");
  EXPECT_EQ(text("will it rain?"), "sunny");
  EXPECT_EQ(text("the weather!"), "sunny");
  EXPECT_EQ(text("tides in Husum"), "noon");
  EXPECT_EQ(text("Husum's tides"), "else");
  EXPECT_EQ(text("2*2|4"), "stars");
  EXPECT_EQ(text("12:00", "tool"), "thanks");
  EXPECT_EQ(text(value::array{value::map{{"type", "text"}, {"text", "rain"}}}), "sunny");
}

TEST_F(scripted_test, streams_word_by_word_with_its_delays) {
  script(R"([{"text": "Grüß  dich\nheute", "delay_ms": 50, "pause_ms": 5}, {"text": "a b"}])");
  auto events = ask("x");
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 5u);
  EXPECT_EQ((*events)[0].text, "Grüß  ");
  EXPECT_EQ((*events)[0].delay, std::chrono::milliseconds(50));
  EXPECT_EQ((*events)[1].text, "dich\n");
  EXPECT_EQ((*events)[1].delay, std::chrono::milliseconds(5));
  EXPECT_EQ((*events)[3].what, model_event::what::usage);
  EXPECT_EQ((*events)[4].what, model_event::what::stop);
  EXPECT_EQ((*events)[4].text, "stop");
  auto whole = ask("x", "user", false);
  ASSERT_TRUE(whole);
  EXPECT_EQ((*whole)[0].text, "a b");
}

TEST_F(scripted_test, counts_tokens_the_same_way_each_time) {
  script(
      R"([{"text": "12345", "times": 2}, {"text": "x", "usage": {"input": 7, "output": 8, "cached": 1}}])");
  for (int i = 0; i < 2; ++i) {
    auto events = ask("äöüß567");
    ASSERT_TRUE(events);
    const auto& usage = (*events)[events->size() - 2].usage;
    EXPECT_EQ(usage.input, 2u);
    EXPECT_EQ(usage.output, 2u);
  }
  auto events = ask("x");
  const auto& usage = (*events)[events->size() - 2].usage;
  EXPECT_EQ(usage.input, 7u);
  EXPECT_EQ(usage.output, 8u);
  EXPECT_EQ(usage.cached, 1u);
}

TEST_F(scripted_test, calls_tools) {
  script(
      R"([{"text": "wait", "calls": [{"name": "file.read", "args": {"path": "a"}}, {"name": "b", "id": "me"}]}])");
  auto events = ask("x");
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 5u);
  EXPECT_EQ((*events)[1].what, model_event::what::call);
  EXPECT_EQ((*events)[1].id, "call_1");
  EXPECT_EQ((*events)[1].name, "file.read");
  EXPECT_EQ((*events)[1].args, (value(value::map{{"path", "a"}})));
  EXPECT_EQ((*events)[2].id, "me");
  EXPECT_EQ((*events)[2].args, (value(value::map{})));
  EXPECT_EQ((*events)[4].text, "calls");
}

TEST_F(scripted_test, fails_as_an_endpoint_would) {
  script(
      R"([{"fail": {"status": 429, "retry_after": 2.5}}, {"fail": {"status": 500, "message": "oops"}},
             {"fail": {"status": 401}}, {"fail": {"status": 402}}, {"fail": {"status": 0, "after": 1},
              "text": "half an answer"}, {"fail": {}}])");
  const auto next = [&] { return (*ask("x")).back(); };
  auto limited = next();
  EXPECT_EQ(limited.fault, model_fault::limited);
  EXPECT_TRUE(limited.why.is(errc::rate_limited));
  EXPECT_DOUBLE_EQ(limited.why.retry_after, 2.5);
  auto transient = next();
  EXPECT_EQ(transient.fault, model_fault::transient);
  EXPECT_EQ(transient.why.message, "scripted answered 500: oops");
  EXPECT_EQ(next().fault, model_fault::fatal);
  EXPECT_EQ(next().fault, model_fault::spent);
  auto cut = ask("x");
  ASSERT_EQ(cut->size(), 2u);
  EXPECT_EQ((*cut)[0].text, "half ");
  EXPECT_TRUE((*cut)[1].why.is(errc::bad_response));
  EXPECT_EQ(next().fault, model_fault::transient);
}

TEST_F(scripted_test, reads_its_file_from_the_folder_of_the_app) {
  std::ofstream(folder_ + "/replies.json") << R"({"replies": [{"text": "from a file"}]})";
  auto made = plugins.make_codec("scripted", value::map{{"file", "replies.json"}}, folder_);
  ASSERT_TRUE(made) << made.error().describe();
  codec_ = std::move(*made);
  EXPECT_EQ(text("x"), "from a file");
}

TEST_F(scripted_test, says_what_is_wrong_with_its_file) {
  const auto error_of = [&](const value& options) {
    auto made = plugins.make_codec("scripted", options, folder_);
    return made ? "" : made.error().code;
  };
  EXPECT_EQ(error_of(value::map{}), "config");
  EXPECT_EQ(error_of(value::map{{"file", "fine.json"}, {"flie", "x"}}), "config");
  EXPECT_EQ(error_of(value::map{{"file", "none.json"}}), "not_found");
  EXPECT_EQ(error_of(value::map{{"file", "."}}), "not_found");
  std::ofstream(folder_ + "/broken.json") << R"({"replies": [)";
  EXPECT_EQ(error_of(value::map{{"file", "broken.json"}}), "syntax");
  std::ofstream(folder_ + "/list.json") << "[]";
  EXPECT_EQ(error_of(value::map{{"file", "list.json"}}), "config");
}

TEST_F(scripted_test, names_the_place_of_what_is_wrong) {
  EXPECT_EQ(refused("[]"), "scripted: has no replies");
  EXPECT_EQ(refused("{}"), "scripted.replies: expected a list");
  EXPECT_EQ(refused(R"([{"text": "a"}, {"txt": "b"}])"),
            "scripted: replies[2]: unknown key \"txt\"");
  EXPECT_EQ(refused("[{}]"), "scripted: replies[1]: says nothing: it has no text, calls or fail");
  EXPECT_EQ(refused(R"([{"text": 7}])"), "scripted: replies[1].text: expected text");
  EXPECT_EQ(refused(R"([{"text": "a", "delay_ms": -1}])"),
            "scripted: replies[1].delay_ms: expected a number from 0 on");
  EXPECT_EQ(refused(R"([{"text": "a", "stop": "now"}])"),
            "scripted: replies[1].stop: expected stop, length, calls or filter");
  EXPECT_EQ(refused(R"([{"calls": [{"args": {}}]}])"),
            "scripted: replies[1].calls[1].name: is missing");
  EXPECT_EQ(refused(R"([{"fail": {"status": 200}}])"),
            "scripted: replies[1].fail.status: expected 300 to 599, or 0 for a broken connection");
}

}  // namespace
}  // namespace troupe::test
