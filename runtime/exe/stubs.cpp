// SPDX-License-Identifier: Apache-2.0
#include "exe/stubs.hpp"

#include <filesystem>
#include <fstream>
#include <string_view>

#include "exe/prefix.hpp"

namespace troupe::cli {

namespace {

/// A stub's functions hang on a local that stands for its module: the file's own name.
std::string full_name(const std::string& module, const std::string& name) {
  const auto dot = name.find_first_of(".:");
  if (dot == std::string::npos) return name;
  return (module == "troupe" ? "troupe" : "troupe." + module) + name.substr(dot);
}

/// `---@return any value, troupe.failure? err`
bool returns_error(std::string_view comment) {
  for (auto at = comment.find("@return"); at != comment.npos;
       at = comment.find("@return", at + 1)) {
    const auto line = comment.substr(at, comment.find('\n', at) - at);
    for (const std::string_view type : {"troupe.failure? err", "any err"})
      if (line.find(type) != line.npos) return true;
  }
  return false;
}

}  // namespace

std::map<std::string, stub> read_stubs() {
  std::map<std::string, stub> found;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(stub_folder(), failed)) {
    if (entry.path().extension() != ".lua") continue;
    std::ifstream in(entry.path());
    const auto module = entry.path().stem().string();
    std::string line, comment;
    while (std::getline(in, line)) {
      if (line.starts_with("---")) {
        if (!line.starts_with("---@meta")) comment += line.substr(3) + "\n";
        continue;
      }
      constexpr std::string_view function = "function ";
      if (line.starts_with(function)) {
        const auto open = line.find('(');
        const auto name = full_name(module, line.substr(function.size(), open - function.size()));
        found[name] = {name + line.substr(open, line.find(')') + 1 - open), comment};
      }
      comment.clear();
    }
  }
  return found;
}

std::set<std::string, std::less<>> fallible_functions(const std::map<std::string, stub>& stubs) {
  std::set<std::string, std::less<>> found;
  for (const auto& [name, s] : stubs)
    if (name.find(':') == name.npos && s.comment.find("@async") != std::string::npos &&
        returns_error(s.comment))
      found.insert(name);
  return found;
}

}  // namespace troupe::cli
