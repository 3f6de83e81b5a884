// SPDX-License-Identifier: Apache-2.0
//
// An app file: any text ends within its budget, and what it returns is an app or a sentence.
#include "script/app_file.hpp"

#include "config/app.hpp"
#include "fuzz/target.hpp"

namespace troupe::test {
namespace {

class nothing_set final : public environment {
 public:
  std::optional<std::string> variable(std::string_view) const override { return std::nullopt; }
  result<std::string> file(const std::string& path) const override {
    return error(errc::not_found, path);
  }
};

void check_tree(const supervisor_spec& tree, const std::string& folder) {
  for (const auto& child : tree.children) {
    if (const auto* below = std::get_if<supervisor_spec>(&child.start)) check_tree(*below, folder);
    const auto shown = child.to_value();
    auto again = child_spec::from(shown, folder);
    must(static_cast<bool>(again), "a child spec that is shown can be read again");
    must(again->to_value() == shown, "and is the same");
  }
}

void check(std::string_view text) {
  static const scratch_folder folder;
  folder.write("app.lua", text);
  const script::app_world world{.env_is_set = [](std::string_view) { return false; }};
  const auto ran = script::run_app_file("app.lua", folder.path(), world);
  if (!ran) return must(!ran.error().message.empty(), "a refusal says why");
  if (ran->is_agent) return;
  const auto made = app_from(ran->content, folder.path(), {}, nothing_set());
  if (!made) return must(!made.error().message.empty(), "a refusal says why");
  check_tree(made->tree, folder.path());
}

}  // namespace
}  // namespace troupe::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  troupe::test::check(troupe::test::text_of(data, size));
  return 0;
}
