// SPDX-License-Identifier: Apache-2.0
#include "script.hpp"

#include <algorithm>
#include <initializer_list>

using troupe::sdk::failure;
using troupe::sdk::value;

namespace {

/// A place in the file and what stands there, for sentences about it.
class place {
 public:
  place(const value& v, std::string where) : v_(v), where_(std::move(where)) {
    if (!v.is_map()) wrong("expected an object");
  }

  void only(std::initializer_list<std::string_view> known) const {
    for (const auto& [key, member] : v_.as_map())
      if (std::find(known.begin(), known.end(), key.as_string()) == known.end())
        wrong("unknown key \"" + std::string(key.as_string()) + "\"");
  }
  std::string text(std::string_view key) const {
    const value& member = v_[key];
    if (!member.is_nil() && !member.is_string()) wrong(key, "expected text");
    return std::string(member.as_string());
  }
  double number(std::string_view key) const {
    const value& member = v_[key];
    if (member.is_nil()) return 0;
    if (!member.is_number() || !(member.as_double() >= 0))
      wrong(key, "expected a number from 0 on");
    return member.as_double();
  }
  std::optional<std::uint64_t> count(std::string_view key) const {
    const value& member = v_[key];
    if (member.is_nil()) return std::nullopt;
    if (member.as_int(-1) < 0) wrong(key, "expected an integer from 0 on");
    return static_cast<std::uint64_t>(member.as_int());
  }
  const value::list& list(std::string_view key) const {
    const value& member = v_[key];
    if (!member.is_nil() && !member.is_list()) wrong(key, "expected a list");
    return member.as_list();
  }
  bool has(std::string_view key) const { return v_.find(key) != nullptr; }
  const value& at(std::string_view key) const { return v_[key]; }
  std::string inside(std::string_view key) const { return where_ + "." + std::string(key); }

  [[noreturn]] void wrong(const std::string& what) const {
    throw failure("config", where_ + ": " + what);
  }
  [[noreturn]] void wrong(std::string_view key, const std::string& what) const {
    throw failure("config", inside(key) + ": " + what);
  }

 private:
  const value& v_;
  std::string where_;
};

std::vector<scripted_call> read_calls(const place& in) {
  std::vector<scripted_call> calls;
  for (const value& v : in.list("calls")) {
    const place at(v, in.inside("calls") + "[" + std::to_string(calls.size() + 1) + "]");
    at.only({"id", "name", "args"});
    scripted_call c;
    c.name = at.text("name");
    if (c.name.empty()) at.wrong("name", "is missing");
    c.id = at.text("id");
    c.args = at.has("args") ? at.at("args") : value(value::map{});
    // A script's empty table arrives as a list.
    if (c.args.is_list() && c.args.as_list().empty()) c.args = value::map{};
    if (!c.args.is_map()) at.wrong("args", "expected an object");
    calls.push_back(std::move(c));
  }
  return calls;
}

scripted_failure read_failure(const place& in) {
  const place at(in.at("fail"), in.inside("fail"));
  at.only({"status", "message", "retry_after", "after"});
  scripted_failure f;
  f.status = static_cast<std::uint32_t>(at.count("status").value_or(500));
  if (f.status != 0 && (f.status < 300 || f.status > 599))
    at.wrong("status", "expected 300 to 599, or 0 for a broken connection");
  f.message = at.text("message");
  f.retry_after = at.number("retry_after");
  f.after = at.count("after").value_or(0);
  return f;
}

scripted_reply read_reply(const value& v, const std::string& where) {
  const place at(v, where);
  at.only(
      {"match", "role", "times", "text", "calls", "delay_ms", "pause_ms", "fail", "stop", "usage"});
  scripted_reply r;
  r.match = at.text("match");
  r.role = at.text("role");
  r.left = at.count("times");
  if (!r.left && r.match.empty() && r.role.empty()) r.left = 1;
  r.text = at.text("text");
  r.calls = read_calls(at);
  r.delay = at.number("delay_ms") / 1000;
  r.pause = at.number("pause_ms") / 1000;
  r.stop = at.text("stop");
  if (at.has("fail")) r.failure = read_failure(at);
  if (!at.has("text") && r.calls.empty() && !r.failure)
    at.wrong("says nothing: it has no text, calls or fail");
  for (std::string_view known : {"", "stop", "length", "calls", "filter"})
    if (r.stop == known) {
      if (!at.has("usage")) return r;
      const place usage(at.at("usage"), at.inside("usage"));
      usage.only({"input", "output", "cached"});
      r.input = usage.count("input");
      r.output = usage.count("output");
      r.cached = usage.count("cached");
      return r;
    }
  at.wrong("stop", "expected stop, length, calls or filter");
}

/// One alternative: its texts between the stars have to be found one after another.
bool is_one_found(const std::vector<std::string>& texts, std::string_view in) {
  for (const std::string& text : texts) {
    const std::size_t at = in.find(text);
    if (at == std::string_view::npos) return false;
    in.remove_prefix(at + text.size());
  }
  return true;
}

}  // namespace

bool is_found(std::string_view pattern, std::string_view text) {
  std::vector<std::string> texts(1);
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      texts.back() += pattern[++i];
    } else if (pattern[i] == '*') {
      texts.emplace_back();
    } else if (pattern[i] == '|') {
      if (is_one_found(texts, text)) return true;
      texts.assign(1, "");
    } else {
      texts.back() += pattern[i];
    }
  }
  return is_one_found(texts, text);
}

std::string text_of(const value& message) {
  const value& content = message["content"];
  std::string text(content.as_string());
  for (const value& part : content.as_list())
    text += part["text"].as_string();
  return text;
}

script::script(const value& document, const std::string& source) {
  const place at(document, source);
  at.only({"replies"});
  for (const value& v : at.list("replies"))
    replies_.push_back(
        read_reply(v, source + ": replies[" + std::to_string(replies_.size() + 1) + "]"));
  if (replies_.empty()) at.wrong("has no replies");
}

const scripted_reply* script::choose(const value& messages) {
  const value::list& all = messages.as_list();
  const std::string text = all.empty() ? "" : text_of(all.back());
  const std::string_view role = all.empty() ? "" : all.back()["role"].as_string();
  for (scripted_reply& r : replies_) {
    if (r.left == 0u) continue;
    if (!r.role.empty() && r.role != role) continue;
    if (!r.match.empty() && !is_found(r.match, text)) continue;
    if (r.left) --*r.left;
    return &r;
  }
  return nullptr;
}
