// SPDX-License-Identifier: Apache-2.0
#include "exe/load_app.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "base/json.hpp"
#include "script/app_file.hpp"
#include "script/declaration.hpp"

extern char** environ;  // NOLINT

namespace troupe {

namespace {

namespace fs = std::filesystem;

class process_environment final : public environment {
 public:
  std::optional<std::string> variable(std::string_view name) const override {
    const char* found = std::getenv(std::string(name).c_str());
    if (found == nullptr) return std::nullopt;
    return std::string(found);
  }
  result<std::string> file(const std::string& path) const override {
    std::ifstream in(path, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(in), {});
    if (!in && !in.eof()) return error(errc::io, path + " can't be read");
    if (in.fail() && text.empty() && !fs::exists(path))
      return error(errc::io, path + ": there is no such file");
    return text;
  }
};

/// TROUPE_OPTION_size=16 is `size=16`, below --set and above the file.
std::vector<setting> settings_of_environment() {
  constexpr std::string_view prefix = "TROUPE_OPTION_";
  std::vector<setting> found;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view entry(*at);
    const auto equals = entry.find('=');
    if (!entry.starts_with(prefix) || equals == std::string_view::npos) continue;
    found.push_back({std::string(entry.substr(prefix.size(), equals - prefix.size())),
                     std::string(entry.substr(equals + 1))});
  }
  return found;
}

bool is_set(std::string_view name) {
  const char* found = std::getenv(std::string(name).c_str());
  return found != nullptr && *found != '\0';
}

std::string variable(const char* name, std::string fallback) {
  const char* found = std::getenv(name);
  return found != nullptr && *found != '\0' ? found : std::move(fallback);
}

value default_models(const std::string& folder) {
  value models = value::map{};
  value model;
  if (is_set("OPENAI_API_KEY") || is_set("OPENAI_BASE_URL")) {
    model.set("provider", "openai");
    model.set("model", variable("OPENAI_MODEL", "gpt-4o-mini"));
    model.set("base_url", variable("OPENAI_BASE_URL", "https://api.openai.com/v1"));
    model.set("api_key", variable("OPENAI_API_KEY", ""));
  } else if (fs::exists(folder + "/replies.json")) {
    model.set("provider", "scripted").set("file", "replies.json");
  } else {
    return models;
  }
  models.set("default", std::move(model));
  return models;
}

/// `--set model=x` of an agent's own file means its option, in the type that it declares.
result<void> name_options(std::vector<setting>& settings, const std::string& id,
                          const value& declared) {
  for (auto& s : settings) {
    if (s.key.find('.') != std::string::npos) continue;
    // Without a default there is nothing that shows the type.
    if (declared[s.key]["required"].as_string() == "string") {
      TROUPE_TRY(text, to_json(value(s.text)));
      s.text = std::move(text);
    }
    s.key = id + ".options." + s.key;
  }
  return ok();
}

/// An agent's own file as an app's content; its settings are made those of its one child.
result<value> around_agent(const std::string& file, const std::string& folder,
                           std::vector<setting>& settings) {
  TROUPE_TRY(program, script::read_program(file, folder));
  script::environment shared;
  TROUPE_TRY(said, script::declare(shared, program));
  auto id = fs::path(file).stem().string();
  const auto& taken = reserved_names();
  if (!child_id_from(value(id)) || std::find(taken.begin(), taken.end(), id) != taken.end())
    id = "agent";
  value child;
  value options = value::map{};
  for (const auto& [name, option] : said.options.as_map())
    if (const auto* fallback = option.find("default")) options.set(name, *fallback);
  child.set("id", id).set("start", file).set("restart", "temporary");
  child.set("options", std::move(options));
  TROUPE_CHECK(name_options(settings, id, said.options));
  value app;
  app.set("name", id);
  app.set("models", default_models(folder));
  app.set("grants", said.needs.joined(said.optional).to_value());
  app.set("tree", value::map{{"children", value::array{child}}});
  if (said.has_verb("main")) app.set("main", id + ".main");
  return app;
}

}  // namespace

result<setting> setting_from(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return error(errc::config, "--set " + text + ": expected key=value");
  return setting{text.substr(0, equals), text.substr(equals + 1)};
}

std::string absolute_file(const std::string& file) {
  std::error_code failed;
  return fs::absolute(file, failed).lexically_normal().string();
}

result<app> load_app(const std::string& file, const std::vector<std::string>& arguments,
                     const std::vector<setting>& settings) {
  std::error_code failed;
  const fs::path path = absolute_file(file);
  const auto folder = path.parent_path().string();
  const auto name = path.filename().string();
  if (name.empty()) return error(errc::io, file + ": not a regular file");
  script::app_world world;
  world.env_is_set = is_set;
  world.arguments = arguments;
  world.working_folder = fs::current_path(failed).string();
  TROUPE_TRY(ran, script::run_app_file(name, folder, world));
  auto all = settings_of_environment();
  all.insert(all.end(), settings.begin(), settings.end());
  if (ran.is_agent) {
    TROUPE_TRY(content, around_agent(name, folder, all));
    ran.content = std::move(content);
  }
  auto read = app_from(ran.content, folder, all, process_environment());
  if (!read) {
    error why = read.error();
    why.message = name + ": " + why.message;
    return why;
  }
  return read;
}

app empty_app() {
  app a;
  std::error_code failed;
  a.name = "shell";
  a.folder = fs::current_path(failed).string();
  const auto models = default_models(a.folder);
  for (const auto& [name, model] : models.as_map())
    a.models[std::string(name.as_string())] = model;
  a.grants = grants::all();
  return a;
}

}  // namespace troupe
