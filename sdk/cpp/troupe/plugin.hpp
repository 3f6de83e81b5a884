// SPDX-License-Identifier: Apache-2.0
//
// A plugin in C++17: the C ABI behind classes and functions. What throws is caught at the line, so
// a plugin written with this never throws into the node. Header only; start here:
//
//   static void set_up(troupe::sdk::plugin& p) {
//     p.agent<greeter>("greeter", "Greets.");
//     p.tool("hello.greet", "Greets somebody.", schema, [](const troupe::sdk::tool_call& c) { ...
//     });
//   }
//   TROUPE_PLUGIN("hello_cpp", "0.1.0", set_up)
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "troupe/agent.hpp"
#include "troupe/codec.hpp"
#include "troupe/host.hpp"
#include "troupe/tool.hpp"

namespace troupe::sdk {

/// What a kind may do beyond handling one message at a time.
struct kind_options {
  std::uint32_t slots = 1;               ///< messages open at once; TROUPE_ANY_SLOTS
  std::vector<std::string> overlapping;  ///< verbs that may run while others are open
};

/// Filled by the plugin's set-up function; fixed afterwards.
class plugin {
 public:
  explicit plugin(const troupe_host_t* record) : host_(record) {}
  plugin(const plugin&) = delete;
  plugin& operator=(const plugin&) = delete;

  const sdk::host& host() const { return host_; }

  /// `Agent` is a sdk::agent with a constructor from (const value& options).
  template <class Agent>
  void agent(std::string name, std::string description, kind_options options = {}) {
    kinds_.emplace_back();
    kind_entry& k = kinds_.back();
    k.name = std::move(name);
    k.description = std::move(description);
    k.options = std::move(options);
    for (const std::string& verb : k.options.overlapping)
      k.overlapping.push_back(to_text(verb));
    k.record.size = sizeof k.record;
    k.record.slots = k.options.slots;
    k.record.name = to_text(k.name);
    k.record.description = to_text(k.description);
    k.record.overlapping = k.overlapping.data();
    k.record.overlapping_count = static_cast<std::uint32_t>(k.overlapping.size());
    k.record.create = [](void* self, const troupe_agent_kind_t*, troupe_turn_t*,
                         troupe_bytes_t given, void** out, const troupe_result_t* result) {
      return detail::guarded(result, [&] {
        auto made = std::make_unique<holder>(*static_cast<plugin*>(self));
        made->actions = std::make_unique<Agent>(unpack(given));
        *out = made.release();
      });
    };
    k.record.receive = [](void* held, troupe_turn_t* at, const troupe_envelope_t* e) {
      auto* h = static_cast<holder*>(held);
      return h->actions->receive(h->owner.host_, at, *e);
    };
    k.record.destroy = [](void* held) { delete static_cast<holder*>(held); };
    k.record.inspect = [](void* held, const troupe_result_t* result) {
      detail::guarded(result, [&] {
        const auto shown = pack(static_cast<holder*>(held)->actions->inspect());
        result->value(result->context, to_bytes(shown));
      });
    };
    kind_records_.push_back(&k.record);
  }

  /// `parameters` is a JSON Schema, as text, of type object.
  void tool(std::string name, std::string description, std::string parameters, tool_function f) {
    slow_tool(std::move(name), std::move(description), std::move(parameters),
              [f = std::move(f)](const tool_call& call, tool_answer answer) {
                try {
                  answer.finish(f(call));
                } catch (const failure& why) {
                  answer.fail(why);
                } catch (const std::exception& e) {
                  answer.fail(failure("crash", e.what()));
                }
              });
  }
  void slow_tool(std::string name, std::string description, std::string parameters,
                 slow_tool_function f) {
    tools_.emplace_back();
    tool_entry& t = tools_.back();
    t.name = std::move(name);
    t.description = std::move(description);
    t.parameters = std::move(parameters);
    t.function = std::move(f);
    t.record.size = sizeof t.record;
    t.record.name = to_text(t.name);
    t.record.description = to_text(t.description);
    t.record.parameters = to_text(t.parameters);
    t.record.data = &t;
    t.record.call = [](void* self, const troupe_tool_t* tool, const troupe_tool_call_t* call,
                       troupe_answer_t* handle) {
      return static_cast<plugin*>(self)->run(*static_cast<const tool_entry*>(tool->data), *call,
                                             handle);
    };
    tool_records_.push_back(&t.record);
  }

  /// `Codec` is a sdk::codec with a constructor from (const host&, const value& options,
  /// std::string folder), which throws failure where the options are wrong.
  template <class Codec>
  void provider(std::string name, std::string description) {
    providers_.emplace_back();
    provider_entry& p = providers_.back();
    p.name = std::move(name);
    p.description = std::move(description);
    p.record.size = sizeof p.record;
    p.record.name = to_text(p.name);
    p.record.description = to_text(p.description);
    p.record.create = [](void* self, const troupe_model_provider_t*, troupe_bytes_t options,
                         troupe_text_t folder, void** out, const troupe_result_t* result) {
      return detail::guarded(result, [&] {
        std::unique_ptr<codec> made = std::make_unique<Codec>(
            static_cast<plugin*>(self)->host_, unpack(options), std::string(to_view(folder)));
        *out = made.release();
      });
    };
    p.record.destroy = [](void* made) { delete static_cast<codec*>(made); };
    p.record.begin = begin;
    p.record.response = [](void* open, std::uint32_t status, const troupe_header_t* headers,
                           std::uint32_t count, const troupe_model_events_t* out) {
      drive(out, [&](const events& to) {
        std::vector<header> list;
        for (std::uint32_t i = 0; i < count; ++i)
          list.push_back(
              {std::string(to_view(headers[i].name)), std::string(to_view(headers[i].value))});
        static_cast<exchange*>(open)->response(status, list, to);
      });
    };
    p.record.feed = [](void* open, troupe_bytes_t piece, const troupe_model_events_t* out) {
      drive(out, [&](const events& to) { static_cast<exchange*>(open)->feed(to_view(piece), to); });
    };
    p.record.finish = [](void* open, const troupe_model_events_t* out) {
      drive(out, [&](const events& to) { static_cast<exchange*>(open)->finish(to); });
    };
    p.record.end = [](void* open) { delete static_cast<exchange*>(open); };
    provider_records_.push_back(&p.record);
  }

  // What TROUPE_PLUGIN exports.
  template <void (*SetUp)(plugin&)>
  static std::int32_t open(const troupe_host_t* record, void** self,
                           const troupe_result_t* result) noexcept {
    return detail::guarded(result, [&] {
      auto made = std::make_unique<plugin>(record);
      SetUp(*made);
      made->fix();
      *self = made.release();
    });
  }
  static void close(void* self) noexcept { delete static_cast<plugin*>(self); }
  static const void* get_extension(void* self, troupe_text_t id) noexcept {
    const auto* p = static_cast<plugin*>(self);
    if (troupe_text_is(id, TROUPE_AGENTS) && p->agents_list_.count > 0) return &p->agents_list_;
    if (troupe_text_is(id, TROUPE_TOOLS) && p->tools_list_.count > 0) return &p->tools_list_;
    if (troupe_text_is(id, TROUPE_MODELS) && p->models_list_.count > 0) return &p->models_list_;
    return nullptr;
  }

 private:
  struct holder {
    explicit holder(plugin& p) : owner(p) {}
    plugin& owner;
    std::unique_ptr<sdk::agent> actions;
  };
  struct kind_entry {
    std::string name, description;
    kind_options options;
    std::vector<troupe_text_t> overlapping;
    troupe_agent_kind_t record{};
  };
  struct tool_entry {
    std::string name, description, parameters;
    slow_tool_function function;
    troupe_tool_t record{};
  };
  struct provider_entry {
    std::string name, description;
    troupe_model_provider_t record{};
  };

  std::int32_t run(const tool_entry& tool, const troupe_tool_call_t& call,
                   troupe_answer_t* handle) noexcept {
    const auto* api = host_.extension<troupe_tools_host_t>(TROUPE_TOOLS);
    tool_answer answer(api, handle);
    try {
      tool_call c;
      c.id = call.id;
      c.args = unpack(call.args);
      c.caller = to_view(call.caller);
      c.grants = unpack(call.grants);
      c.folder = to_view(call.folder);
      c.time_left = call.time_left;
      c.max_result = call.max_result;
      tool.function(c, std::move(answer));
    } catch (...) {
      // The answer, wherever it was, has been dropped on the way here, and with that the call
      // failed.
    }
    // The node finds out by itself whether the answer was used already.
    return TROUPE_OPEN;
  }

  static std::int32_t begin(void* made, troupe_bytes_t chat, const troupe_model_request_t* request,
                            const troupe_model_events_t* out, void** open,
                            const troupe_result_t* result) {
    return detail::guarded(result, [&] {
      begun b = static_cast<codec*>(made)->begin(unpack(chat), events(out));
      if (b.local) {
        request->local(request->context);
      } else {
        std::vector<troupe_header_t> headers;
        for (const header& h : b.http.headers)
          headers.push_back({to_text(h.name), to_text(h.value)});
        troupe_http_request_t r{};
        r.size = sizeof r;
        r.header_count = static_cast<std::uint32_t>(headers.size());
        r.method = to_text(b.http.method);
        r.url = to_text(b.http.url);
        r.headers = headers.data();
        r.body = to_bytes(b.http.body);
        r.key_header = to_text(b.http.key_header);
        r.key_prefix = to_text(b.http.key_prefix);
        request->http(request->context, &r);
      }
      *open = b.exchange.release();
    });
  }

  template <class F>
  static void drive(const troupe_model_events_t* out, F&& f) noexcept {
    const events to(out);
    try {
      f(to);
    } catch (const failure& why) {
      to.error(fault::fatal, why.code, why.what());
    } catch (const std::exception& e) {
      to.error(fault::fatal, "crash", e.what());
    } catch (...) {
      to.error(fault::fatal, "crash", "threw something that is no std::exception");
    }
  }

  void fix() {
    agents_list_ = {sizeof agents_list_, static_cast<std::uint32_t>(kind_records_.size()),
                    kind_records_.data()};
    tools_list_ = {sizeof tools_list_, static_cast<std::uint32_t>(tool_records_.size()),
                   tool_records_.data()};
    models_list_ = {sizeof models_list_, static_cast<std::uint32_t>(provider_records_.size()),
                    provider_records_.data()};
  }

  sdk::host host_;
  // Deques: their elements stay where they are, so records may point at them.
  std::deque<kind_entry> kinds_;
  std::deque<tool_entry> tools_;
  std::deque<provider_entry> providers_;
  std::vector<const troupe_agent_kind_t*> kind_records_;
  std::vector<const troupe_tool_t*> tool_records_;
  std::vector<const troupe_model_provider_t*> provider_records_;
  troupe_agents_t agents_list_{};
  troupe_tools_t tools_list_{};
  troupe_models_t models_list_{};
};

}  // namespace troupe::sdk

/// The plugin's exported record. `set_up` is a function from troupe::sdk::plugin&; what it throws
/// refuses the plugin.
#define TROUPE_PLUGIN(name, version, set_up)                                 \
  const troupe_plugin_t troupe_plugin = {TROUPE_ABI_MAJOR,                   \
                                         TROUPE_ABI_MINOR,                   \
                                         sizeof(troupe_plugin_t),            \
                                         0,                                  \
                                         TROUPE_LITERAL(name),               \
                                         TROUPE_LITERAL(version),            \
                                         &troupe::sdk::plugin::open<set_up>, \
                                         &troupe::sdk::plugin::close,        \
                                         &troupe::sdk::plugin::get_extension};
