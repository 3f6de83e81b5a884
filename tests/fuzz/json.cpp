// SPDX-License-Identifier: Apache-2.0
//
// JSON from models, files and the command line: what was read can be written, and says the same.
#include "base/json.hpp"

#include "base/msgpack.hpp"
#include "base/schema.hpp"
#include "fuzz/target.hpp"

namespace troupe::test {
namespace {

void check(std::string_view text) {
  auto v = parse_json(text);
  must(v || v.error().is(errc::syntax) || v.error().is(errc::too_big), "JSON is refused by name");
  if (!v) return;
  for (const int indent : {-1, 2}) {
    auto written = to_json(*v, {indent});
    must(static_cast<bool>(written), "what was read can be written");
    auto again = parse_json(*written);
    must(static_cast<bool>(again), "what was written can be read");
    auto before = pack(*v), after = pack(*again);
    must(!before || (after && before->view() == after->view()), "and is the same");
  }
  // A schema from a tool or a model is such text too.
  if (auto made = schema::compile(*v)) static_cast<void>(made->check(*v));
}

}  // namespace
}  // namespace troupe::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  troupe::test::check(troupe::test::text_of(data, size));
  return 0;
}
