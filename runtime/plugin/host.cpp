// SPDX-License-Identifier: Apache-2.0
#include "plugin/host.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "base/msgpack.hpp"
#include "plugin/foreign.hpp"

namespace troupe {
namespace {

std::int32_t hand_over(const troupe_result_t* to, const result<std::string_view>& what) {
  if (!is_record(to) || to->value == nullptr || to->error == nullptr) return TROUPE_FAILED;
  if (what) {
    to->value(to->context, to_bytes(*what));
    return TROUPE_OK;
  }
  const troupe_error_t e = to_record(what.error(), bytes());
  to->error(to->context, &e);
  return TROUPE_FAILED;
}

std::int32_t parse(const troupe_host_t*, troupe_text_t json, const troupe_result_t* to) noexcept {
  // Not text_of: the parser itself says where text is not UTF-8.
  auto text = view_of({json.data, json.size});
  if (!text) return hand_over(to, error(errc::bad_argument, "parse: no text"));
  auto v = parse_json(*text);
  if (!v) return hand_over(to, v.error());
  auto packed = pack(*v);
  if (!packed) return hand_over(to, packed.error());
  return hand_over(to, packed->view());
}

std::int32_t print(const troupe_host_t*, troupe_bytes_t body, const troupe_result_t* to) noexcept {
  auto view = view_of(body);
  if (!view) return hand_over(to, error(errc::bad_argument, "print: no value"));
  auto v = unpack(*view);
  if (!v) return hand_over(to, v.error());
  auto text = to_json(*v);
  if (!text) return hand_over(to, text.error());
  return hand_over(to, std::string_view(*text));
}

void write_log(const troupe_host_t* host, std::uint32_t level, troupe_text_t message,
               troupe_bytes_t fields) noexcept {
  value::map map;
  if (auto view = view_of(fields); view && !view->empty())
    if (auto v = unpack(*view)) map = v->as_map();
  plugin_host::of(host).write(level, sentence_of(message), std::move(map));
}

const troupe_json_host_t json_host_table{sizeof(troupe_json_host_t), 0, parse, print};
const troupe_log_host_t log_host_table{sizeof(troupe_log_host_t), 0, write_log};

const void* get_extension(const troupe_host_t*, troupe_text_t id) noexcept {
  const auto text = text_of(id);
  if (!text) return nullptr;
  if (*text == TROUPE_JSON) return &json_host_table;
  if (*text == TROUPE_LOG) return &log_host_table;
  if (*text == TROUPE_AGENTS) return &agents_host_table;
  if (*text == TROUPE_OUTLET) return &outlet_host_table;
  if (*text == TROUPE_TOOLS) return &tools_host_table;
  return nullptr;
}

}  // namespace

plugin_host::plugin_host(logger& log, std::string plugin, std::string node_version)
    : log_(log), plugin_(std::move(plugin)), node_version_(std::move(node_version)) {
  record_.host = {sizeof(troupe_host_t),  TROUPE_ABI_MAJOR,     TROUPE_ABI_MINOR, 0,
                  to_text(node_version_), troupe::get_extension};
  record_.owner = this;
}

const plugin_host& plugin_host::of(const troupe_host_t* host) {
  return *reinterpret_cast<const backed_record*>(host)->owner;
}

void plugin_host::write(std::uint32_t level, std::string_view message, value::map fields) const {
  const auto known = static_cast<log_level>(std::min(level, TROUPE_LOG_ERROR));
  if (log_.enabled(known)) log_.write(known, "plugin " + plugin_, message, std::move(fields));
}

}  // namespace troupe
