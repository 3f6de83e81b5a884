// SPDX-License-Identifier: Apache-2.0
//
// The model provider `scripted`: answers from a file, without a network.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <troupe/plugin.hpp>

#include "script.hpp"

namespace {

namespace sdk = troupe::sdk;

constexpr std::uintmax_t max_file = 16u << 20;

std::string read_file(const std::filesystem::path& path) {
  std::error_code why;
  if (!std::filesystem::is_regular_file(path, why))
    throw sdk::failure("not_found", "scripted: " + path.string() + " is no file");
  if (std::filesystem::file_size(path, why) > max_file)
    throw sdk::failure("too_big", "scripted: " + path.string() + " is larger than 16 MiB");
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw sdk::failure("io", "scripted: " + path.string() + " can't be read");
  return std::move(text).str();
}

script load(const sdk::host& node, const sdk::value& options, const std::string& folder) {
  sdk::check_keys(options, "scripted", {"file", "max_tokens", "model", "replies"});
  if (!options["replies"].is_nil())
    return {sdk::object({{"replies", options["replies"]}}), "scripted"};
  if (options["file"].as_string().empty())
    throw sdk::failure("config", "scripted: expected file, the replies' JSON file");
  const auto path = std::filesystem::path(folder) / options["file"].as_string();
  const std::string text = read_file(path);
  sdk::value document;
  try {
    document = node.parse_json(text);
  } catch (const sdk::failure& why) {
    throw sdk::failure("syntax", path.string() + ": " + why.what());
  }
  return {document, path.string()};
}

/// Four characters are about a token.
std::uint64_t tokens_of(std::uint64_t characters) {
  return (characters + 3) / 4;
}

void put_failure(const scripted_failure& f, double delay, const sdk::events& out) {
  std::string message = f.message;
  if (f.status == 0)
    return out.error(sdk::fault::transient, "bad_response",
                     "scripted broke off" + (message.empty() ? "" : ": " + message), 0, delay);
  sdk::fault fault = sdk::fault::fatal;
  const char* code = "bad_request";
  if (f.status == 429) {
    fault = sdk::fault::limited;
    code = "rate_limited";
  } else if (f.status == 402) {
    fault = sdk::fault::spent;
    code = "unauthorized";
  } else if (f.status == 401 || f.status == 403) {
    code = "unauthorized";
  } else if (f.status >= 500 || f.status == 408 || f.status == 409) {
    fault = sdk::fault::transient;
    code = "unavailable";
  } else if (f.status < 400) {
    code = "bad_response";
  }
  message =
      "scripted answered " + std::to_string(f.status) + (message.empty() ? "" : ": " + message);
  out.error(fault, code, message, f.retry_after, delay);
}

class codec final : public sdk::codec {
 public:
  codec(const sdk::host& node, const sdk::value& options, const std::string& folder)
      : node_(node),
        model_(options["model"].as_string("scripted")),
        script_(load(node, options, folder)) {}

  sdk::begun begin(const sdk::value& chat, const sdk::events& out) override {
    const scripted_reply* r = script_.choose(chat["messages"]);
    if (r == nullptr) {
      const auto& messages = chat["messages"].as_list();
      throw sdk::failure("bad_request",
                         "scripted: no reply is left for \"" +
                             shorten(messages.empty() ? "" : text_of(messages.back())) + "\"");
    }
    sdk::begun b;
    b.local = true;
    double delay = r->delay;
    const auto pieces = cut(r->text, chat["stream"].as_bool(true));
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (r->failure && i == r->failure->after) break;
      out.text(pieces[i], delay);
      delay = r->pause;
    }
    if (r->failure) {
      put_failure(*r->failure, delay, out);
      return b;
    }
    std::uint64_t answer = characters(r->text);
    for (std::size_t i = 0; i < r->calls.size(); ++i) {
      const auto& c = r->calls[i];
      const std::string json = node_.print_json(c.args);
      answer += characters(c.name) + characters(json);
      const std::string id = c.id.empty() ? "call_" + std::to_string(++calls_) : c.id;
      out.call(static_cast<std::uint32_t>(i), id, c.name, json, c.args, delay);
      delay = r->pause;
    }
    out.usage(r->input.value_or(tokens_of(characters_of(chat["messages"]))),
              r->output.value_or(tokens_of(answer)), r->cached.value_or(0));
    // A reply without any text or call still takes its time.
    const bool was_silent = pieces.empty() && r->calls.empty();
    const std::string fitting = r->calls.empty() ? "stop" : "calls";
    out.stop(r->stop.empty() ? fitting : r->stop, model_, was_silent ? delay : 0);
    return b;
  }

 private:
  /// The text word by word, each with the white space behind it.
  static std::vector<std::string_view> cut(std::string_view text, bool streams) {
    std::vector<std::string_view> pieces;
    while (!text.empty()) {
      std::size_t end = streams ? text.find_first_of(" \n") : std::string_view::npos;
      if (end != std::string_view::npos) end = text.find_first_not_of(" \n", end);
      pieces.push_back(text.substr(0, end));
      text.remove_prefix(pieces.back().size());
    }
    return pieces;
  }

  static std::uint64_t characters(std::string_view text) {
    std::uint64_t n = 0;
    for (char c : text)
      n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    return n;
  }
  std::uint64_t characters_of(const sdk::value& messages) const {
    std::uint64_t n = 0;
    for (const sdk::value& message : messages.as_list()) {
      n += characters(text_of(message));
      for (const sdk::value& call : message["calls"].as_list())
        n += characters(call["name"].as_string()) + characters(node_.print_json(call["args"]));
    }
    return n;
  }
  static std::string shorten(std::string text) {
    constexpr std::size_t most = 80;
    if (text.size() <= most) return text;
    std::size_t end = most;
    while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
      --end;
    return text.substr(0, end) + "...";
  }

  const sdk::host& node_;
  std::string model_;
  script script_;
  std::uint64_t calls_ = 0;
};

void set_up(sdk::plugin& plugin) {
  plugin.provider<codec>("scripted", "Replies from a file, for tests and without a network.");
}

}  // namespace

TROUPE_PLUGIN("llm_scripted", "0.1.0", set_up)
