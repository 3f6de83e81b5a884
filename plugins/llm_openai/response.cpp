// SPDX-License-Identifier: Apache-2.0
#include "response.hpp"

#include <algorithm>
#include <optional>

#include "fault.hpp"

using troupe::sdk::events;
using troupe::sdk::failure;
using troupe::sdk::fault;
using troupe::sdk::value;

bool answer_reader::take_chunk(const value& chunk, const events& out) {
  if (const value* error = chunk.find("error"); error != nullptr && !error->is_nil()) {
    const diagnosis d = diagnose_error(endpoint_, *error);
    out.error(d.fault, d.code, d.message, d.retry_after);
    return true;
  }
  if (model_.empty()) model_ = chunk["model"].as_string();
  for (const value& choice : chunk["choices"].as_list()) {
    if (choice["index"].as_int() != 0) continue;
    take_text(choice["delta"], out);
    take_calls(choice["delta"]["tool_calls"], out);
    if (choice["finish_reason"].is_string()) finish_ = choice["finish_reason"].as_string();
  }
  take_usage(chunk["usage"], out);
  return false;
}

void answer_reader::take_whole(const value& answer, const events& out) {
  if (const value* error = answer.find("error"); error != nullptr && !error->is_nil()) {
    const diagnosis d = diagnose_error(endpoint_, *error);
    return out.error(d.fault, d.code, d.message, d.retry_after);
  }
  const value& choice = answer["choices"][0];
  if (!choice["message"].is_map())
    return out.error(fault::transient, "bad_response", endpoint_ + " answered without a message");
  model_ = answer["model"].as_string();
  take_text(choice["message"], out);
  take_calls(choice["message"]["tool_calls"], out);
  take_usage(answer["usage"], out);
  finish_ = choice["finish_reason"].as_string("stop");
  end(true, out);
}

void answer_reader::take_text(const value& message, const events& out) {
  // Two names for the same thing, by server.
  for (const char* key : {"reasoning_content", "reasoning"})
    if (const auto text = message[key].as_string(); !text.empty()) {
      out.reasoning(text);
      break;
    }
  if (const auto text = message["content"].as_string(); !text.empty()) out.text(text);
  if (const auto text = message["refusal"].as_string(); !text.empty()) {
    refused_ = true;
    out.text(text);
  }
}

/// A piece belongs to a call by its index and its id; servers leave out the one or the other, or
/// repeat index 0 for calls with ids of their own.
answer_reader::call& answer_reader::call_for(const value& piece) {
  const auto index = piece["index"].as_int(-1);
  const auto id = piece["id"].as_string();
  const auto fits = [&](const call& c) {
    if (!id.empty() && !c.id.empty() && c.id != id) return false;
    if (index >= 0 && c.index >= 0) return c.index == index;
    return !id.empty() && c.id == id;
  };
  const auto found = std::find_if(calls_.rbegin(), calls_.rend(), fits);
  if (found != calls_.rend()) return *found;
  if (index < 0 && id.empty() && !calls_.empty()) return calls_.back();
  calls_.push_back({index, {}, {}, {}});
  return calls_.back();
}

void answer_reader::take_calls(const value& calls, const events& out) {
  for (const value& piece : calls.as_list()) {
    call& c = call_for(piece);
    const value& function = piece["function"];
    if (c.id.empty()) c.id = piece["id"].as_string();
    if (c.name.empty() && !function["name"].as_string().empty())
      c.name = names_.inner(function["name"].as_string());
    // Some servers send the arguments as an object instead of its text.
    const std::string more = function["arguments"].is_map()
                                 ? node_.print_json(function["arguments"])
                                 : std::string(function["arguments"].as_string());
    c.args += more;
    if (c.name.empty()) continue;
    const auto index = static_cast<std::uint32_t>(&c - calls_.data());
    if (c.is_announced)
      out.call_delta(index, "", "", more);
    else
      out.call_delta(index, c.id, c.name, c.args);
    c.is_announced = true;
  }
}

void answer_reader::take_usage(const value& usage, const events& out) {
  if (!usage.is_map()) return;
  const auto count = [](const value& n) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, n.as_int()));
  };
  out.usage(count(usage["prompt_tokens"]), count(usage["completion_tokens"]),
            count(usage["prompt_tokens_details"]["cached_tokens"]));
}

void answer_reader::put_calls(const events& out) {
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    call& c = calls_[i];
    if (c.id.empty()) c.id = "call_" + std::to_string(i + 1);
    if (c.args.find_first_not_of(" \t\r\n") == std::string::npos) c.args = "{}";
    std::optional<value> args;
    try {
      args = node_.parse_json(c.args);
      if (!args->is_map()) args.reset();
    } catch (const failure&) {
      // Models write broken JSON at times; who asked decides what to do about it.
    }
    out.call(static_cast<std::uint32_t>(i), c.id, c.name, c.args, args);
  }
}

void answer_reader::end(bool was_closed, const events& out) {
  // A connection that ends in order may still have lost the rest of the answer.
  if (finish_.empty() && !was_closed)
    return out.error(fault::transient, "bad_response",
                     endpoint_ + " broke off in the middle of an answer");
  put_calls(out);
  std::string_view reason = "stop";
  if (finish_ == "length")
    reason = "length";
  else if (finish_ == "content_filter" || refused_)
    reason = "filter";
  else if (!calls_.empty())
    reason = "calls";
  out.stop(reason, model_);
}
