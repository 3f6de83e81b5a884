// SPDX-License-Identifier: Apache-2.0
//
// The openai codec, from outside: what it asks for and what it makes of answers in any pieces.
#include "abi/fixture.hpp"
#include "base/json.hpp"

namespace troupe::test {
namespace {

class openai_test : public plugin_test {
 protected:
  void SetUp() override { add(shipped("llm_openai")); }

  std::unique_ptr<model_exchange> begin(const std::string& chat, value options = value::map{}) {
    if (options["model"].is_nil()) options.set("model", "m");
    auto made = plugins.make_codec("openai", options, "/");
    EXPECT_TRUE(made) << made.error().describe();
    codec = std::move(*made);
    auto exchange = codec->begin(*parse_json(chat));
    EXPECT_TRUE(exchange) << exchange.error().describe();
    return std::move(*exchange);
  }
  std::unique_ptr<model_exchange> begin() {
    return begin(R"({"messages": [{"role": "user", "content": "hi"}]})");
  }
  value body_of(const std::string& chat, const value& options = value::map{}) {
    return *parse_json(begin(chat, options)->request()->body);
  }

  /// The events of a response that arrives in pieces of `size` bytes.
  static model_events play(model_exchange& exchange, std::uint32_t status,
                           const std::vector<http_header>& headers, std::string_view body,
                           std::size_t size) {
    model_events all = exchange.response(status, headers);
    const auto append = [&](model_events more) {
      for (auto& e : more)
        all.push_back(std::move(e));
    };
    for (; !body.empty(); body.remove_prefix(std::min(size, body.size())))
      append(exchange.feed(body.substr(0, size)));
    append(exchange.finish());
    return all;
  }
  model_events play(std::string_view body, std::size_t size = 1000000) {
    return play(*begin(), 200, {{"Content-Type", "text/event-stream"}}, body, size);
  }
  model_events play_status(std::uint32_t status, const std::vector<http_header>& headers,
                           std::string_view body) {
    return play(*begin(), status, headers, body, 7);
  }

  static std::string text_of(const model_events& events) {
    std::string text;
    for (const auto& e : events)
      if (e.what == model_event::what::text) text += e.text;
    return text;
  }
  static std::vector<model_event> calls_of(const model_events& events) {
    std::vector<model_event> calls;
    for (const auto& e : events)
      if (e.what == model_event::what::call) calls.push_back(e);
    return calls;
  }
  static model_usage usage_of(const model_events& events) {
    model_usage usage;
    for (const auto& e : events)
      if (e.what == model_event::what::usage) usage = e.usage;
    return usage;
  }

  std::unique_ptr<model_codec> codec;
};

std::string chunk(const std::string& delta, const std::string& finish = "null") {
  return R"(data: {"object":"chat.completion.chunk","model":"m-1","choices":[{"index":0,"delta":)" +
         delta + R"(,"finish_reason":)" + finish + "}]}\n\n";
}

const std::string greeting =
    chunk(R"({"role":"assistant","content":""})") + chunk(R"({"content":"Grüß "})") +
    chunk(R"({"content":"dich 🌊"})") + chunk("{}", "\"stop\"") +
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,"
    "\"completion_tokens\":5,\"prompt_tokens_details\":{\"cached_tokens\":4}}"
    "}\n\ndata: [DONE]\n\n";

// -- requests

TEST_F(openai_test, asks_the_endpoint_and_leaves_the_key_to_the_node) {
  auto exchange = begin(R"({"messages": [{"role": "user", "content": "hi"}]})",
                        value::map{{"base_url", "http://127.0.0.1:8080/v1/"}});
  const codec_request& r = *exchange->request();
  EXPECT_EQ(r.method, "POST");
  EXPECT_EQ(r.url, "http://127.0.0.1:8080/v1/chat/completions");
  EXPECT_EQ(r.key_header, "authorization");
  EXPECT_EQ(r.key_prefix, "Bearer ");
  for (const auto& h : r.headers)
    EXPECT_NE(h.name, "authorization");
  EXPECT_TRUE(exchange->local().empty());
}

TEST_F(openai_test, asks_for_a_stream_with_usage) {
  const value body = body_of(R"({"messages": [{"role": "user", "content": "hi"}]})");
  EXPECT_EQ(body["stream"], value(true));
  EXPECT_EQ(body["stream_options"]["include_usage"], value(true));
  EXPECT_EQ(body["model"], value("m"));
  const value whole =
      body_of(R"({"stream": false, "messages": [{"role": "user", "content": "hi"}]})");
  EXPECT_EQ(whole["stream"], value(false));
  EXPECT_EQ(whole.find("stream_options"), nullptr);
}

TEST_F(openai_test, sends_a_whole_conversation_with_tools) {
  const value body = body_of(R"({
    "messages": [
      {"role": "system", "content": "terse"},
      {"role": "user", "content": [{"type": "text", "text": "what is this?"},
                                   {"type": "image", "url": "https://x.example/y.png"}]},
      {"role": "assistant", "content": "", "calls": [{"id": "c1", "name": "file.read", "args": {"path": "a"}}]},
      {"role": "tool", "call_id": "c1", "content": {"text": "ä"}}],
    "tools": [{"name": "file.read", "description": "Reads.", "parameters": {"type": "object", "properties": []}}],
    "tool_choice": {"name": "file.read"},
    "temperature": 0.5, "stop": ["x"], "seed": 7, "max_tokens": 10,
    "schema": {"type": "object"}, "extra": {"cache_prompt": true}})");
  EXPECT_EQ(body["messages"].as_array()[1]["content"].as_array()[1]["image_url"]["url"],
            value("https://x.example/y.png"));
  const value& assistant = body["messages"].as_array()[2];
  EXPECT_TRUE(assistant["content"].is_nil());
  EXPECT_EQ(assistant["tool_calls"].as_array()[0]["function"]["name"], value("file_read"));
  EXPECT_EQ(assistant["tool_calls"].as_array()[0]["function"]["arguments"],
            value(R"({"path":"a"})"));
  const value& answer = body["messages"].as_array()[3];
  EXPECT_EQ(answer["tool_call_id"], value("c1"));
  EXPECT_EQ(answer["content"], value(R"({"text":"ä"})"));
  const value& tool = body["tools"].as_array()[0];
  EXPECT_EQ(tool["type"], value("function"));
  EXPECT_EQ(tool["function"]["name"], value("file_read"));
  EXPECT_TRUE(tool["function"]["parameters"]["properties"].is_map())
      << "a script's empty table has to be an object here";
  EXPECT_EQ(body["tool_choice"]["function"]["name"], value("file_read"));
  EXPECT_EQ(body["response_format"]["json_schema"]["schema"]["type"], value("object"));
  EXPECT_EQ(body["max_completion_tokens"], value(10));
  EXPECT_EQ(body["cache_prompt"], value(true));
  EXPECT_EQ(body["seed"], value(7));
}

TEST_F(openai_test, sends_bytes_of_an_image_as_base64) {
  auto made = plugins.make_codec("openai", value::map{{"model", "m"}}, "/");
  value part =
      value::map{{"type", "image"}, {"mime", "image/gif"}, {"data", value::binary{"GIF8\xff"}}};
  value message = value::map{{"role", "user"}, {"content", value::array{part}}};
  auto exchange = (*made)->begin(value::map{{"messages", value::array{message}}});
  ASSERT_TRUE(exchange) << exchange.error().describe();
  EXPECT_NE((*exchange)->request()->body.find("data:image/gif;base64,R0lGOP8="), std::string::npos);
}

TEST_F(openai_test, calls_the_limit_what_the_endpoint_calls_it) {
  const std::string chat = R"({"max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]})";
  EXPECT_EQ(body_of(chat, value::map{{"base_url", "http://127.0.0.1/v1"}})["max_tokens"], value(5));
  EXPECT_EQ(body_of(chat, value::map{{"max_tokens_field", "n"}})["n"], value(5));
}

TEST_F(openai_test, refuses_options_that_are_wrong) {
  const auto message = [&](value options) {
    auto made = plugins.make_codec("openai", options, "/");
    return made ? "" : made.error().code + ": " + made.error().message;
  };
  EXPECT_EQ(message(value::map{{"base_url", "ftp://x"}}),
            "config: openai: base_url: expected an http or https URL, got \"ftp://x\"");
  EXPECT_EQ(message(value::map{{"base_url", 7}}), "config: openai: base_url: expected text");
  EXPECT_EQ(message(value::map{{"usage", "yes"}}), "config: openai: usage: expected true or false");
  EXPECT_EQ(message(value::map{{"headers", value::map{{"x", 1}}}}),
            "config: openai: headers: expected names and texts");
  EXPECT_EQ(message(value::map{{"base-url", "http://x"}}),
            "config: openai: unknown key \"base-url\"; known are base_url, headers, key_header, "
            "max_tokens, max_tokens_field, model, organization, project, strict_schema, usage");
}

TEST_F(openai_test, refuses_what_is_no_chat) {
  auto made = plugins.make_codec("openai", value::map{}, "/");
  ASSERT_TRUE(made);
  for (const char* chat : {"{}", R"({"model": "m"})", R"({"model": "m", "messages": []})",
                           R"({"model": "m", "messages": [{"role": "boss", "content": "x"}]})"}) {
    auto exchange = (*made)->begin(*parse_json(chat));
    ASSERT_FALSE(exchange) << chat;
    EXPECT_TRUE(exchange.error().is(errc::bad_request));
  }
}

// -- streams

TEST_F(openai_test, reads_a_stream_cut_at_every_size) {
  for (std::size_t size = 1; size <= greeting.size(); size = size < 20 ? size + 1 : size * 2) {
    const auto events = play(greeting, size);
    EXPECT_EQ(text_of(events), "Grüß dich 🌊") << "in pieces of " << size;
    EXPECT_EQ(usage_of(events).input, 9u);
    EXPECT_EQ(usage_of(events).output, 5u);
    EXPECT_EQ(usage_of(events).cached, 4u);
    EXPECT_EQ(events.back().what, model_event::what::stop);
    EXPECT_EQ(events.back().text, "stop");
    EXPECT_EQ(events.back().name, "m-1");
  }
}

TEST_F(openai_test, reads_crlf_comments_and_data_in_several_lines) {
  std::string stream =
      "\xef\xbb\xbf: PROCESSING\r\n\r\nevent: message\r\nid: 7\r\n"
      "data: {\"choices\":[{\"index\":0,\"delta\":\r\n"
      "data:{\"content\":\"hello\"},\"finish_reason\":\"stop\"}]}\r\n\r\n"
      ": ping\r\n\r\ndata: [DONE]\r\n\r\n";
  for (std::size_t size : {1u, 2u, 3u, 1000u})
    EXPECT_EQ(text_of(play(stream, size)), "hello") << "in pieces of " << size;
  std::replace(stream.begin(), stream.end(), '\n', ' ');
  stream.erase(std::remove(stream.begin(), stream.end(), ' '), stream.end());
  EXPECT_EQ(text_of(play(stream, 1)), "hello") << "lines that end in CR alone";
}

TEST_F(openai_test, ends_without_a_last_word_or_a_last_line) {
  const auto events =
      play(chunk(R"({"content":"hi"})") + R"(data: {"choices":[{"index":0,"delta":{},)" +
           R"("finish_reason":"length"}]})");
  EXPECT_EQ(text_of(events), "hi");
  EXPECT_EQ(events.back().text, "length");
}

TEST_F(openai_test, a_stream_that_is_cut_is_no_answer) {
  for (const std::string& stream :
       {std::string(), std::string(": ping\n\n"), chunk(R"({"content":"hi"})")}) {
    const auto events = play(stream);
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.back().what, model_event::what::error);
    EXPECT_EQ(events.back().fault, model_fault::transient);
    EXPECT_TRUE(events.back().why.is(errc::bad_response));
    EXPECT_TRUE(events.back().why.retryable);
  }
}

TEST_F(openai_test, broken_json_in_a_stream_is_an_error) {
  const auto events = play(chunk(R"({"content":"hi"})") + "data: {\"choices\":[{\n\n" + greeting);
  EXPECT_EQ(text_of(events), "hi");
  EXPECT_EQ(events.back().why.message, "api.openai.com answered something that is no JSON");
}

TEST_F(openai_test, an_error_inside_a_stream_ends_it) {
  const auto events =
      play(chunk(R"({"content":"hi"})") +
           "data: {\"error\":{\"message\":\"too busy\",\"code\":\"rate_limit_exceeded\"}}\n\n" +
           greeting);
  EXPECT_EQ(text_of(events), "hi");
  EXPECT_EQ(events.back().what, model_event::what::error);
  EXPECT_EQ(events.back().fault, model_fault::limited);
  EXPECT_EQ(events.back().why.message, "api.openai.com broke off: too busy");
}

TEST_F(openai_test, a_line_without_end_is_refused_before_it_fills_the_memory) {
  auto exchange = begin();
  (void)exchange->response(200, {});
  const std::string megabyte(1 << 20, 'x');
  model_events events = exchange->feed("data: ");
  for (int i = 0; i < 20 && events.empty(); ++i)
    events = exchange->feed(megabyte);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].what, model_event::what::error);
  EXPECT_TRUE(exchange->feed(megabyte).empty());
}

// -- tool calls

TEST_F(openai_test, puts_tool_calls_together_and_gives_them_their_own_names_back) {
  auto exchange = begin(R"({"messages": [{"role": "user", "content": "hi"}],
                            "tools": [{"name": "file.read"}, {"name": "file_read"}]})");
  const auto events = play(
      *exchange, 200, {},
      chunk(
          R"({"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"file_read","arguments":""}}]})") +
          chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"path\""}}]})") +
          chunk(
              R"({"tool_calls":[{"index":1,"id":"b","function":{"name":"file_read_2","arguments":"{}"}}]})") +
          chunk(R"({"tool_calls":[{"index":0,"id":"","function":{"arguments":":\"ä\"}"}}]})") +
          chunk("{}", "\"tool_calls\"") + "data: [DONE]\n\n",
      5);
  const auto calls = calls_of(events);
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].id, "a");
  EXPECT_EQ(calls[0].name, "file.read");
  EXPECT_EQ(calls[0].args, (value(value::map{{"path", "ä"}})));
  EXPECT_EQ(calls[1].name, "file_read");
  EXPECT_EQ(events.back().text, "calls");
  std::string shown;
  for (const auto& e : events)
    if (e.what == model_event::what::call_delta && e.index == 0) shown += e.text;
  EXPECT_EQ(shown, R"({"path":"ä"})");
}

TEST_F(openai_test, forgives_servers_that_count_badly) {
  // Every call has index 0 and an id of its own; arguments as an object; none at all; no id.
  const auto events = play(
      chunk(
          R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"x","arguments":{"n":1}}}]})") +
      chunk(R"({"tool_calls":[{"index":0,"id":"b","function":{"name":"y"}}]})") +
      chunk(R"({"tool_calls":[{"index":1,"function":{"name":"z","arguments":"  "}}]})") +
      chunk("{}", "\"stop\"") + "data: [DONE]\n\n");
  const auto calls = calls_of(events);
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(calls[0].args, (value(value::map{{"n", 1}})));
  EXPECT_EQ(calls[1].text, "{}");
  EXPECT_EQ(calls[1].args, (value(value::map{})));
  EXPECT_EQ(calls[2].id, "call_3");
  EXPECT_EQ(events.back().text, "calls");
}

TEST_F(openai_test, shows_arguments_that_are_no_json) {
  const auto events = play(
      chunk(
          R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"x","arguments":"{\"n\": "}}]})") +
      chunk("{}", "\"tool_calls\""));
  ASSERT_EQ(calls_of(events).size(), 1u);
  EXPECT_EQ(calls_of(events)[0].text, "{\"n\": ");
  EXPECT_TRUE(calls_of(events)[0].args.is_nil());
}

// -- whole answers

TEST_F(openai_test, reads_an_answer_that_does_not_stream) {
  const auto events = play(
      R"({"model":"m-2","choices":[{"index":0,"message":{"role":"assistant","content":"hi",
          "tool_calls":[{"id":"a","type":"function","function":{"name":"x","arguments":"{}"}}]},
          "finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,"completion_tokens":2}})",
      3);
  EXPECT_EQ(text_of(events), "hi");
  EXPECT_EQ(calls_of(events).size(), 1u);
  EXPECT_EQ(usage_of(events).input, 3u);
  EXPECT_EQ(events.back().text, "calls");
  EXPECT_EQ(events.back().name, "m-2");
}

TEST_F(openai_test, an_answer_that_makes_no_sense_is_an_error) {
  for (const char* body : {"{", R"({"choices":[]})", R"({"choices":[{"message":null}]})", "{}"}) {
    const auto events = play(body);
    ASSERT_EQ(events.size(), 1u) << body;
    EXPECT_EQ(events[0].fault, model_fault::transient);
    EXPECT_TRUE(events[0].why.is(errc::bad_response));
  }
}

TEST_F(openai_test, a_refusal_is_a_filter) {
  const auto events = play(chunk(R"({"refusal":"no"})") + chunk("{}", "\"stop\""));
  EXPECT_EQ(text_of(events), "no");
  EXPECT_EQ(events.back().text, "filter");
}

// -- failures

struct status_case {
  std::uint32_t status;
  const char* body;
  model_fault fault;
  errc code;
};
void PrintTo(const status_case& c, std::ostream* out) {
  *out << c.status << " " << c.body;
}
class openai_status_test : public openai_test, public testing::WithParamInterface<status_case> {};

TEST_P(openai_status_test, has_its_class) {
  const auto& p = GetParam();
  const auto events = play_status(p.status, {}, p.body);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].what, model_event::what::error);
  EXPECT_EQ(to_string(events[0].fault), to_string(p.fault));
  EXPECT_TRUE(events[0].why.is(p.code)) << events[0].why.describe();
}

INSTANTIATE_TEST_SUITE_P(
    statuses, openai_status_test,
    testing::Values(
        status_case{400, R"({"error":{"message":"no","type":"invalid_request_error"}})",
                    model_fault::fatal, errc::bad_request},
        status_case{401, R"({"error":{"message":"Incorrect API key","code":"invalid_api_key"}})",
                    model_fault::fatal, errc::unauthorized},
        status_case{402, "{}", model_fault::spent, errc::unauthorized},
        status_case{403, "", model_fault::fatal, errc::unauthorized},
        status_case{404, R"({"error":{"message":"no such model"}})", model_fault::fatal,
                    errc::bad_request},
        status_case{408, "", model_fault::transient, errc::unavailable},
        status_case{409, "", model_fault::transient, errc::unavailable},
        status_case{422, R"({"detail":"wrong"})", model_fault::fatal, errc::bad_request},
        status_case{429, R"({"error":{"message":"slow down","code":"rate_limit_exceeded"}})",
                    model_fault::limited, errc::rate_limited},
        status_case{429, R"({"error":{"message":"pay","code":"insufficient_quota"}})",
                    model_fault::spent, errc::unauthorized},
        status_case{429, R"({"error":{"message":"pay","type":"insufficient_quota"}})",
                    model_fault::spent, errc::unauthorized},
        status_case{500, "<html>oops</html>", model_fault::transient, errc::unavailable},
        status_case{503, R"({"error":"loading"})", model_fault::transient, errc::unavailable},
        status_case{529, "", model_fault::transient, errc::unavailable},
        status_case{301, "", model_fault::fatal, errc::bad_response}),
    [](const auto& info) {
      return std::to_string(info.param.status) + "_" + std::to_string(info.index);
    });

TEST_F(openai_test, an_error_says_who_answered_what) {
  EXPECT_EQ(play_status(401, {}, R"({"error":{"message":"Incorrect API key"}})")[0].why.message,
            "api.openai.com answered 401: Incorrect API key");
  EXPECT_EQ(play_status(503, {}, R"({"error":"loading"})")[0].why.message,
            "api.openai.com answered 503: loading");
  EXPECT_EQ(play_status(500, {}, "oops")[0].why.message, "api.openai.com answered 500: oops");
  EXPECT_EQ(play_status(500, {}, "")[0].why.message, "api.openai.com answered 500");
  EXPECT_LT(play_status(500, {}, std::string(1 << 20, 'x'))[0].why.message.size(), 2000u);
}

TEST_F(openai_test, reads_how_long_to_wait_in_each_form) {
  const auto wait = [&](std::vector<http_header> headers) {
    return play_status(429, headers, "{}")[0].why.retry_after;
  };
  EXPECT_DOUBLE_EQ(wait({}), 0);
  EXPECT_DOUBLE_EQ(wait({{"Retry-After", "7"}}), 7);
  EXPECT_DOUBLE_EQ(wait({{"retry-after", "1.5"}}), 1.5);
  EXPECT_DOUBLE_EQ(wait({{"retry-after-ms", "250"}, {"retry-after", "9"}}), 0.25);
  EXPECT_DOUBLE_EQ(wait({{"date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                         {"retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"}}),
                   30);
  EXPECT_DOUBLE_EQ(wait({{"x-ratelimit-remaining-requests", "0"},
                         {"x-ratelimit-reset-requests", "6m0s"},
                         {"x-ratelimit-remaining-tokens", "5"},
                         {"x-ratelimit-reset-tokens", "1h"}}),
                   360);
  EXPECT_DOUBLE_EQ(
      wait({{"x-ratelimit-remaining-tokens", "0"}, {"x-ratelimit-reset-tokens", "120ms"}}), 0.12);
  for (const char* nonsense : {"-1", "soon", "", "1x", "Sun, 06 Foo 1994 08:49:37 GMT", "s"})
    EXPECT_DOUBLE_EQ(wait({{"retry-after", nonsense}}), 0) << nonsense;
}

TEST_F(openai_test, an_endpoint_may_say_itself_whether_to_try_again) {
  EXPECT_EQ(play_status(500, {{"x-should-retry", "false"}}, "")[0].fault, model_fault::fatal);
  EXPECT_EQ(play_status(400, {{"x-should-retry", "true"}}, "")[0].fault, model_fault::transient);
}

TEST_F(openai_test, survives_random_bytes) {
  random_source random(1);
  for (int round = 0; round < 200; ++round) {
    std::string body;
    for (std::uint64_t n = random.below(200); n > 0; --n)
      body += random.below(4) == 0 ? static_cast<char>(random.next())
                                   : greeting[random.below(greeting.size())];
    const auto events = play(body, 1 + random.below(9));
    ASSERT_FALSE(events.empty());
    const auto last = events.back().what;
    EXPECT_TRUE(last == model_event::what::stop || last == model_event::what::error);
  }
}

}  // namespace
}  // namespace troupe::test
