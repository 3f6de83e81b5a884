// SPDX-License-Identifier: Apache-2.0
//
// The node's side of troupe.agents/1 and troupe.outlet/1: what a plugin's agent may ask of the
// runtime. Each function takes what it gets for garbage until it is checked; what is wrong ends the
// agent when its turn's function returns (see plugin_behaviour.cpp).
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/context.hpp"
#include "base/msgpack.hpp"
#include "plugin/foreign.hpp"
#include "plugin/host.hpp"
#include "plugin/plugin_behaviour.hpp"

struct troupe_outlet {
  troupe::outlet to;
};

namespace troupe {
namespace {

using turn = troupe_turn;

void note_fault(turn& t, std::string why) {
  if (t.fault.empty()) t.fault = std::move(why);
}

std::optional<target> target_of(turn& t, const troupe_target_t* to) {
  if (to != nullptr && to->address != nullptr) {
    const char* wire = reinterpret_cast<const char*>(to->address->wire);
    return address_from_wire({wire, address::wire_size});
  }
  if (to != nullptr)
    if (auto name = text_of(to->name); name && !name->empty()) return std::string(*name);
  note_fault(t, "gave a target that is neither an address nor a name");
  return std::nullopt;
}

std::optional<std::string_view> text_in(turn& t, troupe_text_t text, const char* what) {
  auto view = text_of(text);
  if (!view) note_fault(t, std::string("gave a ") + what + " that is not UTF-8");
  return view;
}

std::optional<bytes> body_in(turn& t, troupe_bytes_t body, const char* what) {
  auto checked = body_of(body);
  if (checked) return std::move(*checked);
  note_fault(t, std::string("gave ") + what + " that can't be sent: " + checked.error().message);
  return std::nullopt;
}

/// The arguments of a message are a list; nothing at all counts as an empty one.
std::optional<bytes> args_in(turn& t, troupe_bytes_t args) {
  static const bytes none("\x90");
  if (args.size == 0) return none;
  auto body = body_in(t, args, "arguments");
  if (!body) return std::nullopt;
  const auto first = static_cast<unsigned char>(*body->data());
  if ((first & 0xf0) == 0x90 || first == 0xdc || first == 0xdd) return body;
  note_fault(t, "gave arguments that are no list");
  return std::nullopt;
}

std::optional<value> value_in(turn& t, troupe_bytes_t body, const char* what) {
  auto view = view_of(body);
  if (view) {
    auto v = view->empty() ? result<value>(value()) : unpack(*view);
    if (v) return std::move(*v);
    note_fault(t, std::string("gave ") + what + " that can't be read: " + v.error().message);
  } else {
    note_fault(t, std::string("gave no bytes for ") + what);
  }
  return std::nullopt;
}

std::optional<call_id> call_id_in(turn& t, std::uint64_t id) {
  if (id != 0 && id < first_own_call) return id;
  note_fault(t, "gave a call the id " + std::to_string(id) + ": from 1 to 2^63 - 1 are its own");
  return std::nullopt;
}

error reason_of(const troupe_error_t* reason) {
  if (reason == nullptr) return {errc::normal, std::string(to_string(errc::normal))};
  return error_of(reason, "plugin");
}

// -- who and when

void self(turn* at, troupe_address_t* out) noexcept {
  std::array<char, address::wire_size> wire{};
  if (turn* t = turn::valid(at)) wire = to_wire(t->ctx->self());
  if (out != nullptr) std::copy(wire.begin(), wire.end(), reinterpret_cast<char*>(out->wire));
}

troupe_text_t path(turn* at) noexcept {
  turn* t = turn::valid(at);
  return t != nullptr ? to_text(t->ctx->path()) : to_text("");
}

double now(turn* at) noexcept {
  turn* t = turn::valid(at);
  return t != nullptr ? to_seconds(t->ctx->now().time_since_epoch()) : 0;
}

double wall(turn* at) noexcept {
  turn* t = turn::valid(at);
  return t != nullptr ? to_seconds(t->ctx->wall().time_since_epoch()) : 0;
}

std::uint64_t random(turn* at) noexcept {
  turn* t = turn::valid(at);
  return t != nullptr ? t->ctx->random() : 0;
}

// -- messages

void send(turn* at, std::uint64_t cause, const troupe_target_t* to, troupe_text_t verb,
          troupe_bytes_t args) noexcept {
  turn* t = turn::valid(at);
  if (t == nullptr) return;
  auto whom = target_of(*t, to);
  auto what = text_in(*t, verb, "verb");
  auto body = args_in(*t, args);
  if (whom && what && body) t->ctx->send(cause, *whom, *what, std::move(*body));
}

void call(turn* at, std::uint64_t cause, std::uint64_t id, const troupe_target_t* to,
          troupe_text_t verb, troupe_bytes_t args, const troupe_call_options_t* given) noexcept {
  turn* t = turn::valid(at);
  if (t == nullptr) return;
  call_options options;
  if (given != nullptr) {
    if (!is_record(given)) return note_fault(*t, "gave call options that are garbage");
    options.credit = given->credit;
    if (given->timeout != 0) options.timeout = seconds(given->timeout);
  }
  auto number = call_id_in(*t, id);
  auto whom = target_of(*t, to);
  auto what = text_in(*t, verb, "verb");
  auto body = args_in(*t, args);
  if (number && whom && what && body)
    t->ctx->call(cause, *number, *whom, *what, std::move(*body), options);
}

void sleep(turn* at, std::uint64_t cause, std::uint64_t id, double for_seconds) noexcept {
  if (turn* t = turn::valid(at))
    if (call_id_in(*t, id)) t->ctx->sleep(cause, id, seconds(for_seconds));
}

void cancel(turn* at, std::uint64_t id) noexcept {
  if (turn* t = turn::valid(at)) t->ctx->cancel(id);
}

void grant(turn* at, std::uint64_t id, std::uint32_t parts) noexcept {
  if (turn* t = turn::valid(at)) t->ctx->grant(id, parts);
}

std::int32_t part(turn* at, std::uint64_t cause, troupe_bytes_t body,
                  const troupe_result_t* to) noexcept {
  turn* t = turn::valid(at);
  if (t == nullptr) return TROUPE_FAILED;
  auto checked = body_in(*t, body, "a part");
  if (!checked) return TROUPE_FAILED;
  auto sent = t->ctx->part(cause, std::move(*checked));
  if (sent) return TROUPE_OK;
  if (is_record(to) && to->error != nullptr) {
    const troupe_error_t e = to_record(sent.error(), bytes());
    to->error(to->context, &e);
  }
  return TROUPE_FAILED;
}

void reply(turn* at, std::uint64_t cause, troupe_bytes_t body) noexcept {
  if (turn* t = turn::valid(at))
    if (auto checked = body_in(*t, body, "a reply")) t->ctx->reply(cause, std::move(*checked));
}

void fail(turn* at, std::uint64_t cause, const troupe_error_t* why) noexcept {
  if (turn* t = turn::valid(at)) t->ctx->fail(cause, error_of(why, t->ctx->path()));
}

void done(turn* at, std::uint64_t cause) noexcept {
  if (turn* t = turn::valid(at)) t->ctx->done(cause);
}

// -- agents

void spawn(turn* at, std::uint64_t cause, std::uint64_t id, troupe_bytes_t spec) noexcept {
  turn* t = turn::valid(at);
  if (t == nullptr || !call_id_in(*t, id)) return;
  if (auto v = value_in(*t, spec, "a child spec")) t->ctx->spawn(cause, id, *v);
}

void find(turn* at, std::uint64_t id, troupe_text_t name) noexcept {
  turn* t = turn::valid(at);
  if (t == nullptr || !call_id_in(*t, id)) return;
  if (auto text = text_in(*t, name, "name")) t->ctx->find(id, *text);
}

void bind(turn* at, std::uint64_t id, troupe_text_t name) noexcept {
  turn* t = turn::valid(at);
  if (t == nullptr || !call_id_in(*t, id)) return;
  if (auto text = text_in(*t, name, "name")) t->ctx->bind(id, *text);
}

void exit(turn* at, const troupe_error_t* reason) noexcept {
  turn* t = turn::valid(at);
  if (t == nullptr) return;
  t->is_ending = true;
  t->ctx->exit(reason_of(reason));
}

void signal(turn* at, const troupe_target_t* to, const troupe_error_t* reason) noexcept {
  if (turn* t = turn::valid(at))
    if (auto whom = target_of(*t, to)) t->ctx->exit(*whom, reason_of(reason));
}

void monitor(turn* at, std::uint64_t id, const troupe_target_t* to) noexcept {
  if (turn* t = turn::valid(at))
    if (auto whom = target_of(*t, to)) t->ctx->monitor(id, *whom);
}

void demonitor(turn* at, std::uint64_t id) noexcept {
  if (turn* t = turn::valid(at)) t->ctx->demonitor(id);
}

void link(turn* at, const troupe_target_t* to) noexcept {
  if (turn* t = turn::valid(at))
    if (auto whom = target_of(*t, to)) t->ctx->link(*whom);
}

void unlink(turn* at, const troupe_target_t* to) noexcept {
  if (turn* t = turn::valid(at))
    if (auto whom = target_of(*t, to)) t->ctx->unlink(*whom);
}

void trap_exits(turn* at, std::int32_t on) noexcept {
  if (turn* t = turn::valid(at)) t->ctx->trap_exits(on != 0);
}

// -- time and log

void set_timer(turn* at, std::uint64_t id, double after) noexcept {
  if (turn* t = turn::valid(at)) t->ctx->set_timer(id, seconds(after));
}

void cancel_timer(turn* at, std::uint64_t id) noexcept {
  if (turn* t = turn::valid(at)) t->ctx->cancel_timer(id);
}

void log(turn* at, std::uint32_t level, troupe_text_t message, troupe_bytes_t fields) noexcept {
  turn* t = turn::valid(at);
  if (t == nullptr) return;
  if (auto v = value_in(*t, fields, "log fields"))
    t->ctx->log(static_cast<log_level>(std::min(level, TROUPE_LOG_ERROR)), sentence_of(message),
                v->as_map());
}

// -- outlets

troupe_outlet_t* open_outlet(turn* at) noexcept {
  turn* t = turn::valid(at);
  // Owned by the plugin until close_outlet.
  return t != nullptr
             ? std::make_unique<troupe_outlet>(troupe_outlet{t->ctx->make_outlet()}).release()
             : nullptr;
}

std::int32_t post(troupe_outlet_t* to, troupe_text_t verb, troupe_bytes_t body) noexcept {
  auto text = text_of(verb);
  if (to == nullptr || !text) return 0;
  auto checked = body_of(body);
  return checked && to->to.post(*text, std::move(*checked)) ? 1 : 0;
}

void close_outlet(troupe_outlet_t* to) noexcept {
  std::unique_ptr<troupe_outlet>(to).reset();
}

}  // namespace

const troupe_agents_host_t agents_host_table{sizeof(troupe_agents_host_t),
                                             0,
                                             self,
                                             path,
                                             now,
                                             wall,
                                             random,
                                             send,
                                             call,
                                             sleep,
                                             cancel,
                                             grant,
                                             part,
                                             reply,
                                             fail,
                                             done,
                                             spawn,
                                             find,
                                             bind,
                                             exit,
                                             signal,
                                             monitor,
                                             demonitor,
                                             link,
                                             unlink,
                                             trap_exits,
                                             set_timer,
                                             cancel_timer,
                                             log};

const troupe_outlet_host_t outlet_host_table{sizeof(troupe_outlet_host_t), 0, open_outlet, post,
                                             close_outlet};

}  // namespace troupe
