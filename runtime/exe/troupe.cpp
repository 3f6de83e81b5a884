// SPDX-License-Identifier: Apache-2.0
//
// The program: reads the command line and hands over to the verb.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

#include "base/nearest.hpp"
#include "exe/cli.hpp"
#include "exe/load_app.hpp"
#include "exe/version.hpp"

namespace {

using namespace troupe;

void add_common(CLI::App& verb, cli::common_options& o) {
  verb.add_flag("--json", o.json, "write what a machine can read");
}

void add_node(CLI::App& verb, cli::common_options& o) {
  add_common(verb, o);
  verb.add_flag("-v,--verbose", o.verbose, "log more than warnings");
  verb.add_option("--threads", o.threads, "scheduler threads; default: as many as there are cores")
      ->check(CLI::Range(1, 1024));
}

void add_set(CLI::App& verb, std::vector<std::string>& settings) {
  verb.add_option("--set", settings,
                  "key=value: an option of the app, or of a child: desk/writer.options.model=x")
      ->allow_extra_args(false);
}

/// What stands behind the first `--` of `troupe run`: words for main, whatever they look like. (The
/// parser would take it for the end of ARGS once one of them has come.)
std::vector<std::string> cut_behind_dashes(int& argc, char** argv) {
  std::vector<std::string> behind;
  if (argc < 2 || std::string_view(argv[1]) != "run") return behind;
  auto** const end = argv + argc;
  auto** const dashes =
      std::find_if(argv, end, [](const char* word) { return std::string_view(word) == "--"; });
  if (dashes == end) return behind;
  behind.assign(dashes + 1, end);
  argc = static_cast<int>(dashes - argv);
  return behind;
}

CLI::Option* add_watch(CLI::App& verb, bool& watch) {
  return verb.add_flag(
      "--watch", watch,
      "when a script changes, give its agents the new code; they keep their state");
}

int main_of(int argc, char** argv) {
  auto behind = cut_behind_dashes(argc, argv);
  CLI::App program("Troupe runs AI agents that must not fall over.", "troupe");
  program.require_subcommand(1);
  program.set_version_flag("--version", std::string("troupe ") + version);
  program.failure_message([](const CLI::App* app, const CLI::Error& e) {
    return "troupe: " + CLI::FailureMessage::simple(app, e);
  });
  std::vector<std::string> settings;

  cli::run_options run;
  auto* run_verb = program.add_subcommand("run", "run an app, or a single agent's file");
  run_verb->add_option("FILE", run.file, "the app file")->required(behind.empty());
  run_verb->add_option("ARGS", run.arguments,
                       "arguments of its main verb, as text; those that begin with - behind --");
  run_verb->add_option("--timeout", run.timeout, "seconds main may take; exit code 124 after them")
      ->check(CLI::PositiveNumber);
  add_set(*run_verb, settings);
  add_watch(*run_verb, run.watch);
  add_node(*run_verb, run);

  cli::file_options shell;
  auto* shell_verb =
      program.add_subcommand("shell", "a Lua prompt in a fresh node; :help lists its commands");
  auto* shell_file = shell_verb->add_option("FILE", shell.file, "an app to start first");
  add_watch(*shell_verb, shell.watch)->needs(shell_file);
  add_set(*shell_verb, settings);
  add_node(*shell_verb, shell);

  cli::file_options check;
  auto* check_verb =
      program.add_subcommand("check", "look for mistakes in an app without running it");
  check_verb->add_option("FILE", check.file, "the app file")->required();
  add_set(*check_verb, settings);
  add_common(*check_verb, check);

  cli::file_options explain;
  auto* explain_verb =
      program.add_subcommand("explain", "show an app's tree: what runs where and may do what");
  explain_verb->add_option("FILE", explain.file, "the app file")->required();
  add_set(*explain_verb, settings);
  add_common(*explain_verb, explain);

  cli::file_options models;
  auto* models_verb =
      program.add_subcommand("models", "list the models of an app, and the providers there are");
  models_verb->add_option("FILE", models.file, "the app file");
  add_common(*models_verb, models);

  cli::test_options test;
  auto* test_verb =
      program.add_subcommand("test", "run test files on a virtual clock and without a network");
  test_verb->add_option("FILE", test.files, "files that use troupe.test")
      ->required()
      ->check(CLI::ExistingFile);
  test_verb->add_option("--seed", test.seed, "of the order in which agents run; default: 1");
  test_verb->add_option("--timeout", test.timeout,
                        "seconds of real time that a case may take; default: 60");
  test_verb->add_flag("-v,--verbose", test.verbose, "show what agents log, also where all is well");
  add_common(*test_verb, test);

  cli::new_options fresh;
  auto* new_verb =
      program.add_subcommand("new", "make a plugin or agent of your own from a template");
  new_verb->add_option("KIND", fresh.kind, "c, cpp or lua")->required();
  new_verb->add_option("NAME", fresh.name, "its name")->required();
  new_verb->add_option("FOLDER", fresh.folder, "where; default: ./NAME");

  cli::plugin_options plugin;
  auto* plugin_verb = program.add_subcommand("plugin", "look at plugins");
  plugin_verb->require_subcommand(1);
  auto* list_verb = plugin_verb->add_subcommand("list", "those that are installed");
  add_common(*list_verb, plugin);
  auto* info_verb = plugin_verb->add_subcommand("info", "what one offers; runs none of its code");
  info_verb->add_option("NAME", plugin.name, "its name, or its folder")->required();
  add_common(*info_verb, plugin);
  auto* plugin_check_verb = plugin_verb->add_subcommand("check", "load it as a node would");
  plugin_check_verb->add_option("NAME", plugin.name, "its name, or its folder")->required();
  add_common(*plugin_check_verb, plugin);

  cli::common_options about;
  auto* version_verb = program.add_subcommand("version", "print the version");
  add_common(*version_verb, about);

  if (argc > 1 && argv[1][0] != '-') {
    std::vector<std::string> names;
    for (const auto* verb : program.get_subcommands({}))
      names.push_back(verb->get_name());
    if (std::find(names.begin(), names.end(), argv[1]) == names.end()) {
      const auto why = unknown_name("verb", argv[1], {names.begin(), names.end()});
      cli::complain({errc::bad_argument, why + "; troupe --help tells of all"}, false);
      return cli::usage;
    }
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = program.exit(e);
    return code == 0 ? cli::done : cli::usage;
  }
  std::vector<setting> set;
  for (const auto& text : settings) {
    auto s = setting_from(text);
    if (!s) {
      cli::complain(s.error(), false);
      return cli::usage;
    }
    set.push_back(std::move(*s));
  }
  run.settings = shell.settings = check.settings = explain.settings = set;
  if (*run_verb) {
    if (run.file.empty()) {
      run.file = behind.front();
      behind.erase(behind.begin());
    }
    run.arguments.insert(run.arguments.end(), behind.begin(), behind.end());
    return cli::run(run);
  }
  if (*shell_verb) return cli::shell(shell);
  if (*check_verb) return cli::check(check);
  if (*explain_verb) return cli::explain(explain);
  if (*models_verb) return cli::models(models);
  if (*test_verb) return cli::test(test);
  if (*new_verb) return cli::make_new(fresh);
  if (*list_verb) return cli::plugin_list(plugin);
  if (*info_verb) return cli::plugin_info(plugin);
  if (*plugin_check_verb) return cli::plugin_check(plugin);
  return cli::print_version(about);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return main_of(argc, argv);
  } catch (const std::exception& e) {
    return cli::complain({errc::internal, e.what()}, false);
  }
}
