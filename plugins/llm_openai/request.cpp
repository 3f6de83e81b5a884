// SPDX-License-Identifier: Apache-2.0
#include "request.hpp"

#include <algorithm>
#include <cstdint>

namespace {

using troupe::sdk::failure;
using troupe::sdk::host;
using troupe::sdk::object;
using troupe::sdk::value;

constexpr std::string_view default_url = "https://api.openai.com/v1";
constexpr std::size_t max_name = 64;

failure wrong_option(const std::string& what) {
  return {"config", "openai: " + what};
}
failure wrong_request(const std::string& what) {
  return {"bad_request", "openai: " + what};
}

std::string text_option(const value& options, const char* key, std::string_view fallback) {
  const value* v = options.find(key);
  if (v == nullptr || v->is_nil()) return std::string(fallback);
  if (!v->is_string()) throw wrong_option(std::string(key) + ": expected text");
  return std::string(v->as_string());
}

bool flag_option(const value& options, const char* key, bool fallback) {
  const value* v = options.find(key);
  if (v == nullptr || v->is_nil()) return fallback;
  if (!v->is_bool()) throw wrong_option(std::string(key) + ": expected true or false");
  return v->as_bool();
}

std::string base64(std::string_view data) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((data.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < data.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, data.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < n ? static_cast<unsigned char>(data[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

value content_part(const value& part) {
  const auto type = part["type"].as_string();
  if (type == "text") return object({{"type", "text"}, {"text", part["text"]}});
  if (type != "image") throw wrong_request("a content part must be of type text or image");
  std::string url(part["url"].as_string());
  if (url.empty())
    url = "data:" + std::string(part["mime"].as_string("image/png")) + ";base64," +
          base64(part["data"].as_string());
  return object({{"type", "image_url"}, {"image_url", object({{"url", url}})}});
}

value content_of(const host& node, const value& content) {
  if (content.is_nil() || content.is_string()) return content;
  if (!content.is_list()) return node.print_json(content);
  value parts = value::list{};
  for (const value& part : content.as_list())
    parts.push(content_part(part));
  return parts;
}

value calls_of(const host& node, const value& calls, tool_names& names) {
  value out = value::list{};
  for (const value& call : calls.as_list()) {
    // What the model wrote goes back as it was, also where it is no JSON.
    std::string args(call["raw"].as_string());
    if (!call["args"].is_nil()) {
      const value& given = call["args"];
      // An empty table of a script is a list; arguments are an object.
      args = given.is_list() && given.as_list().empty() ? "{}" : node.print_json(given);
    }
    if (args.empty()) args = "{}";
    out.push(object({{"id", call["id"]},
                     {"type", "function"},
                     {"function", object({{"name", names.outer(call["name"].as_string())},
                                          {"arguments", args}})}}));
  }
  return out;
}

value message_of(const host& node, const value& message, tool_names& names) {
  const auto role = message["role"].as_string();
  value out = object({{"role", role}});
  if (role == "tool") {
    const value& content = message["content"];
    out.set("tool_call_id", message["call_id"]);
    return out.set("content", content.is_string() ? content : value(node.print_json(content)));
  }
  if (role != "system" && role != "user" && role != "assistant")
    throw wrong_request("unknown role \"" + std::string(role) + "\"");
  out.set("content", content_of(node, message["content"]));
  if (role == "assistant" && !message["calls"].as_list().empty()) {
    out.set("tool_calls", calls_of(node, message["calls"], names));
    if (message["content"].as_string().empty() && !message["content"].is_list())
      out.set("content", nullptr);
  }
  return out;
}

/// A script's empty table arrives as a list; where a schema wants an object it becomes one.
value with_objects(const value& schema) {
  if (schema.is_list()) {
    value out = value::list{};
    for (const value& element : schema.as_list())
      out.push(with_objects(element));
    return out;
  }
  if (!schema.is_map()) return schema;
  static constexpr std::string_view object_keys[] = {
      "properties", "$defs", "definitions", "patternProperties", "items", "additionalProperties"};
  value out = value::map{};
  for (const auto& [key, member] : schema.as_map()) {
    const bool wants_object = std::find(std::begin(object_keys), std::end(object_keys),
                                        key.as_string()) != std::end(object_keys);
    out.set(key, wants_object && member.is_list() && member.as_list().empty()
                     ? value(value::map{})
                     : with_objects(member));
  }
  return out;
}

value tools_of(const value& tools, tool_names& names) {
  value out = value::list{};
  for (const value& tool : tools.as_list()) {
    value function = object({{"name", names.outer(tool["name"].as_string())}});
    if (!tool["description"].is_nil()) function.set("description", tool["description"]);
    if (tool["parameters"].is_map()) function.set("parameters", with_objects(tool["parameters"]));
    out.push(object({{"type", "function"}, {"function", function}}));
  }
  return out;
}

value choice_of(const value& choice, tool_names& names) {
  if (choice.is_string()) return choice;
  return object({{"type", "function"},
                 {"function", object({{"name", names.outer(choice["name"].as_string())}})}});
}

}  // namespace

settings::settings(const value& options)
    : base_url(text_option(options, "base_url", default_url)),
      model(text_option(options, "model", "")),
      usage(flag_option(options, "usage", true)),
      strict_schema(flag_option(options, "strict_schema", false)),
      key_header(text_option(options, "key_header", "authorization")) {
  troupe::sdk::check_keys(options, "openai",
                          {"base_url", "headers", "key_header", "max_tokens", "max_tokens_field",
                           "model", "organization", "project", "strict_schema", "usage"});
  while (!base_url.empty() && base_url.back() == '/')
    base_url.pop_back();
  const std::size_t scheme = base_url.find("://");
  const std::string before = base_url.substr(0, scheme);
  if (scheme == std::string::npos || (before != "http" && before != "https"))
    throw wrong_option("base_url: expected an http or https URL, got \"" + base_url + "\"");
  endpoint = base_url.substr(scheme + 3);
  endpoint = endpoint.substr(0, endpoint.find('/'));
  if (endpoint.empty()) throw wrong_option("base_url: names no host");

  max_tokens_field =
      text_option(options, "max_tokens_field",
                  endpoint == "api.openai.com" ? "max_completion_tokens" : "max_tokens");
  max_tokens = options["max_tokens"].as_int();
  if (const auto id = text_option(options, "organization", ""); !id.empty())
    headers["openai-organization"] = id;
  if (const auto id = text_option(options, "project", ""); !id.empty())
    headers["openai-project"] = id;
  for (const auto& [name, content] : options["headers"].as_map()) {
    if (!name.is_string() || !content.is_string())
      throw wrong_option("headers: expected names and texts");
    headers[std::string(name.as_string())] = content.as_string();
  }
}

std::string tool_names::outer(std::string_view name) {
  if (const auto known = outer_.find(name); known != outer_.end()) return known->second;
  std::string allowed(name.substr(0, max_name));
  for (char& c : allowed)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'))
      c = '_';
  if (allowed.empty()) allowed = "_";
  std::string unique = allowed;
  for (int n = 2; inner_.count(unique) != 0; ++n) {
    const std::string suffix = "_" + std::to_string(n);
    unique = allowed.substr(0, max_name - suffix.size()) + suffix;
  }
  outer_.emplace(name, unique);
  inner_.emplace(unique, name);
  return unique;
}

std::string tool_names::inner(std::string_view name) const {
  const auto known = inner_.find(name);
  return known != inner_.end() ? known->second : std::string(name);
}

value make_body(const host& node, const settings& with, const value& chat, tool_names& names) {
  const bool streams = chat["stream"].as_bool(true);
  value body = value::map{};
  const auto model = chat["model"].as_string(with.model);
  if (model.empty()) throw wrong_request("no model is named");
  body.set("model", model);
  // First, so that the tools keep the simplest names.
  if (!chat["tools"].as_list().empty()) body.set("tools", tools_of(chat["tools"], names));
  value messages = value::list{};
  for (const value& message : chat["messages"].as_list())
    messages.push(message_of(node, message, names));
  if (messages.as_list().empty()) throw wrong_request("there are no messages");
  body.set("messages", std::move(messages));
  if (!chat["tool_choice"].is_nil() && !chat["tools"].as_list().empty())
    body.set("tool_choice", choice_of(chat["tool_choice"], names));

  body.set("stream", streams);
  if (streams && with.usage) body.set("stream_options", object({{"include_usage", true}}));
  if (const auto most = chat["max_tokens"].as_int(with.max_tokens); most > 0)
    body.set(with.max_tokens_field, most);
  for (const char* key : {"temperature", "top_p", "stop", "seed"})
    if (!chat[key].is_nil()) body.set(key, chat[key]);
  if (!chat["schema"].is_nil()) {
    value format = object({{"name", chat["schema_name"].as_string("answer")},
                           {"schema", with_objects(chat["schema"])}});
    if (with.strict_schema) format.set("strict", true);
    body.set("response_format", object({{"type", "json_schema"}, {"json_schema", format}}));
  }
  for (const auto& [key, extra] : chat["extra"].as_map())
    body.set(key, extra);
  return body;
}
