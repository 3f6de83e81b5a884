// SPDX-License-Identifier: Apache-2.0
//
// A plugin.json: what is accepted stays in its folder, what is refused is refused with a sentence.
#include "plugin/manifest.hpp"

#include "fuzz/target.hpp"

namespace troupe::test {
namespace {

void check(std::string_view text) {
  static const scratch_folder folder;
  folder.write("plugin.json", text);
  const auto m = manifest::read(folder.path());
  if (!m) return must(!m.error().message.empty(), "a refusal says why");
  must(!m->name.empty() && !m->version.empty(), "a plugin has a name and a version");
  must(m->library.starts_with(m->folder + "/") &&
           m->library.find('/', m->folder.size() + 1) == std::string::npos,
       "its library lies in its folder");
  must(m->to_value().is_map(), "it can be shown");
}

}  // namespace
}  // namespace troupe::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  troupe::test::check(troupe::test::text_of(data, size));
  return 0;
}
