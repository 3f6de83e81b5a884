// SPDX-License-Identifier: Apache-2.0
#include "http/outlet_events.hpp"

#include <optional>

#include "base/msgpack.hpp"

namespace troupe {

namespace {

class outlet_sink final : public http_sink {
 public:
  explicit outlet_sink(outlet to) : to_(std::move(to)) {}

  bool on_head(request_id id, const http_head& head) override {
    value headers = value::map{};
    for (const auto& h : head.headers) {
      const auto* known = headers.find(h.name);
      headers.set(h.name,
                  known != nullptr ? std::string(known->as_string()) + ", " + h.value : h.value);
    }
    value body;
    body.set("id", id).set("status", head.status).set("url", head.url);
    body.set("headers", std::move(headers));
    return post("http.head", body);
  }

  bool on_data(request_id id, std::string_view data) override {
    value body;
    body.set("id", id).set("data", value::binary{std::string(data)});
    return post("http.data", body);
  }

  void on_end(request_id id, const result<void>& outcome) override {
    value body;
    body.set("id", id);
    if (lost_)
      body.set("error", to_value(*lost_));
    else if (!outcome)
      body.set("error", to_value(outcome.error()));
    post("http.end", body);
  }

 private:
  bool post(std::string_view verb, const value& body) {
    auto packed = pack(body);
    if (packed) return to_.post(verb, std::move(*packed));
    // A body above the limit of a message: the request ends, and its end says why.
    lost_ = std::move(packed.error());
    return false;
  }

  outlet to_;
  std::optional<error> lost_;
};

}  // namespace

std::unique_ptr<http_sink> outlet_events(outlet to) {
  return std::make_unique<outlet_sink>(std::move(to));
}

}  // namespace troupe
