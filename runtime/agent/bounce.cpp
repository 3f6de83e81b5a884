// SPDX-License-Identifier: Apache-2.0
#include "agent/bounce.hpp"

namespace troupe {

namespace {

envelope_ptr answer(const envelope& e, kind k, const error& why) {
  auto a = std::make_unique<envelope>();
  a->kind = k;
  a->from = e.to;
  a->to = e.from;
  a->id = e.id;
  a->body = pack_error(why);
  a->trace = e.trace;
  return a;
}

}  // namespace

void bounce(carrier& c, envelope_ptr e, const error& why) {
  switch (e->kind) {
    case kind::call:
    case kind::start:
      return c.post(answer(*e, kind::error, why));
    case kind::monitor:
      return c.post(answer(*e, kind::down, why));
    case kind::link: {
      auto signal = answer(*e, kind::exit_signal, why);
      signal->linked = true;
      return c.post(std::move(signal));
    }
    case kind::send:
    case kind::event: {
      runtime_event report{runtime_event::what::dead_letter, e->to, c.path_of(e->to), why};
      report.reason.data = value::map{};
      report.reason.data.set("verb", e->verb.substr(0, 100)).set("from", c.path_of(e->from));
      return c.report(report);
    }
    default:
      return;  // it only ends or answers something that is over
  }
}

error no_such_agent(const address& a) {
  return {errc::no_such_agent, "no agent lives at " + a.to_string()};
}

}  // namespace troupe
