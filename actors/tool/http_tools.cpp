// SPDX-License-Identifier: Apache-2.0
#include "actors/tool/http_tools.hpp"

#include <algorithm>

#include "actors/tool/net_filter.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"
#include "http/rules.hpp"

namespace troupe {

namespace {

value property(std::string_view type, std::string_view description) {
  value v;
  v.set("type", type).set("description", description);
  return v;
}

value common_properties() {
  value headers = property("object", "Further request headers");
  headers.set("additionalProperties", property("string", "The header's value"));
  value timeout = property("number", "Seconds to wait at most");
  timeout.set("exclusiveMinimum", 0);
  value v;
  v.set("url", property("string", "An http or https URL"));
  v.set("headers", std::move(headers));
  v.set("timeout", std::move(timeout));
  return v;
}

value parameters(value properties) {
  value v;
  v.set("type", "object").set("properties", std::move(properties));
  v.set("required", value::array{"url"}).set("additionalProperties", false);
  return v;
}

constexpr std::string_view answers =
    " Answers { status, url, headers, body }; a status such as 404 is no failure.";

}  // namespace

std::vector<tool_info> http_tools() {
  auto post = common_properties();
  post.set("body", property("string", "What to send"));
  value json = value::map{};
  json.set("description", "Plain data to send as JSON, instead of body");
  post.set("json", std::move(json));
  return {{"http.get", "Fetches a URL." + std::string(answers), parameters(common_properties()),
           "troupe"},
          {"http.post", "Sends data to a URL." + std::string(answers), parameters(std::move(post)),
           "troupe"}};
}

result<http_request> http_tool_request(std::string_view tool, const value& args,
                                       const authority_ptr& rights,
                                       const http_tool_limits& limits) {
  http_request r;
  r.url = args["url"].as_string();
  bool has_type = false;
  for (const auto& [name, text] : args["headers"].as_map()) {
    r.headers.push_back({std::string(name.as_string()), std::string(text.as_string())});
    has_type |= to_lower(r.headers.back().name) == "content-type";
  }
  if (tool == "http.post") {
    r.method = "POST";
    r.body = args["body"].as_string();
    if (const auto* json = args.find("json")) {
      if (args.find("body") != nullptr)
        return {errc::bad_argument, "http.post: either body or json, not both"};
      TROUPE_TRY(text, to_json(*json));
      r.body = std::move(text);
      if (!has_type) r.headers.push_back({"Content-Type", "application/json"});
    }
  }
  r.total_timeout = limits.time;
  if (const auto* wanted = args.find("timeout"))
    r.total_timeout = std::min(limits.time, seconds(wanted->as_double()));
  r.max_body = limits.body;
  r.max_redirects = limits.redirects;
  r.filter = net_filter(rights);
  return r;
}

value http_tool_answer(const value& head, std::string body) {
  value v;
  v.set("status", head["status"]).set("url", head["url"]).set("headers", head["headers"]);
  if (is_utf8(body))
    v.set("body", std::move(body));
  else
    v.set("body", value::binary{std::move(body)});
  return v;
}

}  // namespace troupe
