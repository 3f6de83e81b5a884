// SPDX-License-Identifier: Apache-2.0
#include "channel/greeting.hpp"

#include <memory>
#include <utility>

namespace troupe {

namespace {

value to_value(const authority& rights) {
  value v;
  v.set("grants", rights.grants.to_value());
  v.set("path", rights.path);
  return v;
}

result<authority_ptr> rights_from(const value& v) {
  auto rights = std::make_shared<authority>();
  TROUPE_TRY(granted, grants::from(v["grants"]));
  rights->grants = std::move(granted);
  rights->path = v["path"].as_string();
  return authority_ptr(std::move(rights));
}

}  // namespace

frame to_frame(const greeting& g) {
  frame f{"hello"};
  f.fields.set("protocol", g.protocol);
  f.fields.set("self", to_value(g.self));
  f.fields.set("path", g.path);
  if (g.rights) f.fields.set("authority", to_value(*g.rights));
  f.fields.set("spec", g.spec);
  f.fields.set("base_folder", g.base_folder);
  f.fields.set("extra", g.extra);
  f.fields.set("largest_body", static_cast<std::int64_t>(g.limits.body));
  return f;
}

result<greeting> greeting_from(const frame& f) {
  if (f.name != "hello")
    return {errc::bad_body, "the first frame is `" + f.name + "`, not `hello`"};
  greeting g;
  g.protocol = f.fields["protocol"].as_int();
  if (g.protocol != channel_protocol)
    return {errc::abi, "the node speaks protocol " + std::to_string(g.protocol) +
                           " of the channel, this worker " + std::to_string(channel_protocol)};
  field_reader fields(f);
  g.self = address_from(fields.data("self"));
  g.path = fields.text("path");
  g.base_folder = fields.text("base_folder");
  g.limits.body = fields.count("largest_body");
  TROUPE_CHECK(fields.finish());
  g.spec = fields.data("spec");
  g.extra = fields.data("extra");
  if (!fields.data("authority").is_nil()) {
    TROUPE_TRY(rights, rights_from(fields.data("authority")));
    g.rights = std::move(rights);
  }
  return g;
}

}  // namespace troupe
