// SPDX-License-Identifier: Apache-2.0
//
// The model provider `openai`: chat completions over HTTP, as a stream or whole.
#include <algorithm>
#include <troupe/plugin.hpp>

#include "fault.hpp"
#include "request.hpp"
#include "response.hpp"
#include "sse.hpp"

namespace {

namespace sdk = troupe::sdk;

/// What one event, or an answer that does not stream, may have.
constexpr std::size_t max_answer = 16u << 20;
/// What is kept of an error's body.
constexpr std::size_t max_error = 64u << 10;

class exchange final : public sdk::exchange {
 public:
  exchange(const sdk::host& node, const std::string& endpoint, tool_names names)
      : node_(node), endpoint_(endpoint), reader_(node, endpoint, std::move(names)) {}

  void response(std::uint32_t status, const std::vector<sdk::header>& headers,
                const sdk::events&) override {
    status_ = status;
    headers_ = headers;
    if (status < 200 || status > 299) form_ = form::error;
  }

  void feed(std::string_view piece, const sdk::events& out) override {
    if (is_over_) return;
    if (form_ == form::unknown) {
      // By its first character and not by its content type: that is wrong too often.
      const auto first = piece.find_first_not_of(" \t\r\n");
      if (first == std::string_view::npos) return;
      form_ = piece[first] == '{' ? form::whole : form::stream;
    }
    switch (form_) {
      case form::error:
        body_ += piece.substr(0, max_error - std::min(max_error, body_.size()));
        return;
      case form::whole:
        if (body_.size() + piece.size() > max_answer) return fail_as_too_big(out);
        body_ += piece;
        return;
      default:
        if (!sse_.feed(piece, [&](std::string_view data) { take_event(data, out); }))
          fail_as_too_big(out);
    }
  }

  void finish(const sdk::events& out) override {
    if (is_over_) return;
    if (form_ == form::error) {
      const sdk::value body = parsed(body_);
      const auto d = diagnose_status(endpoint_, status_, headers_, body, body_);
      return end_with(out, d);
    }
    if (form_ == form::whole) {
      const sdk::value answer = parsed(body_);
      if (answer.is_nil()) return fail_as_garbage(out);
      is_over_ = true;
      return reader_.take_whole(answer, out);
    }
    if (form_ == form::stream) sse_.finish([&](std::string_view data) { take_event(data, out); });
    if (is_over_) return;
    is_over_ = true;
    reader_.end(false, out);
  }

 private:
  enum class form { unknown, stream, whole, error };

  void take_event(std::string_view data, const sdk::events& out) {
    if (is_over_) return;
    if (data == "[DONE]") {
      is_over_ = true;
      return reader_.end(true, out);
    }
    const sdk::value chunk = parsed(data);
    if (!chunk.is_map()) return fail_as_garbage(out);
    is_over_ = reader_.take_chunk(chunk, out);
  }

  /// Nil for what is no JSON.
  sdk::value parsed(std::string_view json) const {
    try {
      return node_.parse_json(json);
    } catch (const sdk::failure&) {
      return {};
    }
  }

  void fail_as_garbage(const sdk::events& out) {
    end_with(out, {sdk::fault::transient, "bad_response",
                   endpoint_ + " answered something that is no JSON"});
  }
  void fail_as_too_big(const sdk::events& out) {
    end_with(out, {sdk::fault::fatal, "bad_response", endpoint_ + " answered more than 16 MiB"});
  }
  void end_with(const sdk::events& out, const diagnosis& d) {
    is_over_ = true;
    out.error(d.fault, d.code, d.message, d.retry_after);
  }

  const sdk::host& node_;
  std::string endpoint_;
  answer_reader reader_;
  sse_parser sse_{max_answer};
  form form_ = form::unknown;
  std::uint32_t status_ = 0;
  std::vector<sdk::header> headers_;
  std::string body_;
  bool is_over_ = false;
};

class codec final : public sdk::codec {
 public:
  codec(const sdk::host& node, const sdk::value& options, const std::string& /*folder*/)
      : node_(node), with_(options) {}

  sdk::begun begin(const sdk::value& chat, const sdk::events&) override {
    tool_names names;
    sdk::begun b;
    b.http.url = with_.base_url + "/chat/completions";
    b.http.body = node_.print_json(make_body(node_, with_, chat, names));
    b.http.headers = {
        {"content-type", "application/json"},
        {"accept", chat["stream"].as_bool(true) ? "text/event-stream" : "application/json"}};
    for (const auto& [name, content] : with_.headers)
      b.http.headers.push_back({name, content});
    b.http.key_header = with_.key_header;
    if (with_.key_header == "authorization") b.http.key_prefix = "Bearer ";
    b.exchange = std::make_unique<exchange>(node_, with_.endpoint, std::move(names));
    return b;
  }

 private:
  const sdk::host& node_;
  settings with_;
};

void set_up(sdk::plugin& plugin) {
  plugin.provider<codec>("openai", "Chat completions as OpenAI and many servers speak them.");
}

}  // namespace

TROUPE_PLUGIN("llm_openai", "0.1.0", set_up)
