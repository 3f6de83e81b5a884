// SPDX-License-Identifier: Apache-2.0
#include "channel/message_frame.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <utility>

namespace troupe {

namespace {

/// W3C traceparent: 00-<trace>-<span>-<flags>.
std::string to_text(const trace_context& t) {
  std::array<char, 56> out;
  std::snprintf(out.data(), out.size(), "00-%016llx%016llx-%016llx-%02x",
                static_cast<unsigned long long>(t.trace[0]),
                static_cast<unsigned long long>(t.trace[1]),
                static_cast<unsigned long long>(t.span), t.sampled ? 1u : 0u);
  return std::string(out.data(), 55);
}

trace_context trace_from(std::string_view text) {
  trace_context t;
  if (text.size() != 55) return t;
  const auto number = [&](std::size_t at, std::size_t digits, std::uint64_t& to) {
    std::from_chars(text.data() + at, text.data() + at + digits, to, 16);
  };
  number(3, 16, t.trace[0]);
  number(19, 16, t.trace[1]);
  number(36, 16, t.span);
  std::uint64_t flags = 0;
  number(53, 2, flags);
  t.sampled = (flags & 1) != 0;
  return t;
}

/// The kinds that a behaviour sees.
constexpr std::array seen = {kind::send,   kind::call,  kind::part,  kind::credit,
                             kind::cancel, kind::reply, kind::error, kind::start,
                             kind::stop,   kind::down,  kind::exit,  kind::timer};

/// Those that answer something the agent asked for, under an id of its own.
bool has_id(kind k) {
  return k == kind::part || k == kind::reply || k == kind::error || k == kind::down ||
         k == kind::timer;
}

}  // namespace

frame to_frame(const envelope& e, instant now) {
  frame f{"deliver"};
  auto& fields = f.fields;
  fields.set("kind", to_string(e.kind));
  if (e.cause != no_cause) fields.set("cause", static_cast<std::int64_t>(e.cause));
  if (has_id(e.kind)) fields.set("id", static_cast<std::int64_t>(e.id));
  if (e.from) fields.set("from", to_value(e.from));
  if (!e.verb.empty()) fields.set("verb", e.verb);
  if (!e.body.empty()) fields.set("body", to_field(e.body));
  if (e.credit != 0) fields.set("credit", e.credit);
  if (e.deadline != never)
    fields.set("left", e.deadline > now ? to_seconds(e.deadline - now) : 0.0);
  if (e.linked) fields.set("linked", true);
  if (e.trace.span != 0) fields.set("trace", to_text(e.trace));
  return f;
}

result<envelope_ptr> message_from(const frame& f, instant now) {
  auto e = std::make_unique<envelope>();
  field_reader fields(f);
  const auto name = fields.text("kind");
  bool known = false;
  for (auto k : seen) {
    if (to_string(k) != name) continue;
    e->kind = k;
    known = true;
  }
  if (!known) fields.refuse("kind", "a kind of message");
  e->cause = fields.cause("cause");
  if (has_id(e->kind) || !fields.data("id").is_nil()) e->id = fields.id("id");
  e->from = address_from(fields.data("from"));
  if (!fields.data("verb").is_nil()) e->verb = fields.text("verb");
  if (!fields.data("body").is_nil()) e->body = fields.body("body");
  e->credit = fields.count("credit");
  if (!fields.data("left").is_nil()) e->deadline = add(now, fields.time("left", {}));
  if (!fields.data("linked").is_nil()) e->linked = fields.flag("linked");
  if (!fields.data("trace").is_nil()) e->trace = trace_from(fields.text("trace"));
  TROUPE_CHECK(fields.finish());
  return e;
}

}  // namespace troupe
