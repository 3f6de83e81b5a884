// SPDX-License-Identifier: Apache-2.0
//
// `troupe new`: a folder of one's own from a template. In names and contents of files, `@name@`
// becomes the name.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/nearest.hpp"
#include "config/app.hpp"
#include "exe/cli.hpp"
#include "exe/prefix.hpp"

namespace troupe::cli {

namespace {

namespace fs = std::filesystem;

std::string with_name(std::string text, const std::string& name) {
  constexpr std::string_view mark = "@name@";
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + name.size()))
    text.replace(at, mark.size(), name);
  return text;
}

result<void> copy(const fs::path& from, const fs::path& to, const std::string& name) {
  std::error_code failed;
  for (const auto& entry : fs::recursive_directory_iterator(from, failed)) {
    if (!entry.is_regular_file()) continue;
    const auto target = to / with_name(fs::relative(entry.path(), from).string(), name);
    fs::create_directories(target.parent_path(), failed);
    std::ifstream in(entry.path(), std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(in), {});
    std::ofstream out(target, std::ios::binary);
    out << with_name(std::move(text), name);
    out.flush();
    if (!in || !out) return error(errc::io, target.string() + " can't be written");
  }
  if (failed) return error(errc::io, from.string() + ": " + failed.message());
  return ok();
}

}  // namespace

int make_new(const new_options& o) {
  std::error_code failed;
  std::vector<std::string> kinds;
  for (const auto& entry : fs::directory_iterator(template_folder(), failed))
    if (entry.is_directory()) kinds.push_back(entry.path().filename().string());
  if (std::find(kinds.begin(), kinds.end(), o.kind) == kinds.end()) {
    std::sort(kinds.begin(), kinds.end());
    return complain(
        {errc::not_found, unknown_name("template", o.kind, {kinds.begin(), kinds.end()})}, false);
  }
  bool is_name = !o.name.empty() && std::isalpha(static_cast<unsigned char>(o.name[0])) != 0;
  for (unsigned char c : o.name)
    is_name = is_name && (std::isalnum(c) != 0 || c == '_');
  if (!is_name)
    return complain({errc::bad_argument,
                     "a name has letters, digits and _ and begins with a letter: " + o.name},
                    false);
  const auto& taken = reserved_names();
  if (std::find(taken.begin(), taken.end(), o.name) != taken.end())
    return complain({errc::bad_argument, "the node needs the name " + o.name + " for itself"},
                    false);
  const fs::path to = o.folder.empty() ? fs::path(o.name) : fs::path(o.folder);
  if (fs::exists(to, failed))
    return complain({errc::exists, to.string() + " is there already; nothing was changed"}, false);
  if (auto copied = copy(fs::path(template_folder()) / o.kind, to, o.name); !copied)
    return complain(copied.error(), false);
  std::printf("%s\n", to.string().c_str());
  return done;
}

}  // namespace troupe::cli
