// SPDX-License-Identifier: Apache-2.0
//
// `troupe test`: runs the cases of test files, each in a world of its own, and says which passed.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/log.hpp"
#include "exe/cli.hpp"
#include "exe/node.hpp"
#include "exe/test_world.hpp"
#include "exe/version.hpp"

namespace troupe::cli {

namespace {

namespace fs = std::filesystem;

/// Instructions of Lua after which others may run; signals know nothing of virtual time.
constexpr int instructions_per_turn = 10'000;

struct verdict {
  std::string file;  ///< as it was named on the command line
  std::string name;  ///< of the case; empty: the file as a whole
  bool passed = false;
  std::string message;
  std::int64_t line = 0;  ///< 0: unknown
  std::vector<std::string> crashes, log_lines;

  std::string where() const { return line > 0 ? file + ":" + std::to_string(line) : file; }
};

class tester {
 public:
  tester(const test_options& o, const test_bench& bench) : o_(o), bench_(bench) {}

  void run_file(const std::string& file) {
    const auto path = fs::path(file);
    auto read = script::read_program(path.filename().string(),
                                     fs::absolute(path).lexically_normal().parent_path().string());
    if (!read) return fail_file(file, read.error().describe());
    auto world = test_world::open(bench_, *read, o_.seed);
    if (!world) return fail_file(file, describe(world.error()));
    auto said = (*world)->call("cases", {}, seconds(o_.timeout));
    if (!said)
      return fail_file(file, said.error().is(errc::unknown_verb)
                                 ? "it is no test file: require(\"troupe.test\") makes it one"
                                 : describe(said.error()));
    world->reset();
    if (!(*said)["done"].as_bool()) return fail_file(file, "it does not reach test.done()");
    const auto& cases = (*said)["cases"].as_array();
    if (cases.empty()) return fail_file(file, "it has no cases");
    for (std::size_t i = 0; i < cases.size(); ++i)
      run_case(file, *read, i, std::string(cases[i].as_string()));
  }

  int finish() {
    const auto passed = std::count_if(all_.begin(), all_.end(), [](auto& v) { return v.passed; });
    const auto failed = static_cast<std::ptrdiff_t>(all_.size()) - passed;
    if (o_.json) {
      value list = value::array{};
      for (const auto& v : all_) {
        value one;
        one.set("file", v.file).set("name", v.name).set("passed", v.passed);
        if (!v.passed) one.set("message", v.message);
        if (v.line > 0) one.set("line", v.line);
        list.push(std::move(one));
      }
      auto printed = print_result(
          value::map{{"passed", passed}, {"failed", failed}, {"cases", std::move(list)}}, true);
      if (!printed) return complain(printed.error(), true);
    } else {
      std::printf("%td passed, %td failed\n", passed, failed);
    }
    return failed == 0 ? done : cli::failed;
  }

 private:
  static std::string describe(const error& why) {
    return why.is(errc::down) && why.cause ? why.cause->describe() : why.describe();
  }

  void run_case(const std::string& file, const script::program_ptr& text, std::size_t index,
                std::string name) {
    verdict v;
    v.file = file;
    v.name = std::move(name);
    auto world = test_world::open(bench_, text, o_.seed);
    if (!world) {
      v.message = describe(world.error());
      return add(std::move(v));
    }
    auto& w = **world;
    auto said =
        w.call("run", {static_cast<std::int64_t>(index + 1), text->file}, seconds(o_.timeout));
    if (!said) {
      v.message = describe(said.error());
    } else if (const auto* message = said->find("message")) {
      v.message = message->as_string();
      v.line = (*said)["line"].as_int();
    } else {
      v.passed = true;
    }
    v.crashes = w.crashes();
    v.log_lines = w.log_lines();
    add(std::move(v));
  }

  void fail_file(const std::string& file, std::string message) {
    verdict v;
    v.file = file;
    v.message = std::move(message);
    add(std::move(v));
  }

  void add(verdict v) {
    if (!o_.json) show(v);
    all_.push_back(std::move(v));
  }

  void show(const verdict& v) const {
    std::printf("%s %s%s%s\n", v.passed ? "passed" : "FAILED", v.file.c_str(),
                v.name.empty() ? "" : ": ", v.name.c_str());
    if (!v.passed) {
      std::printf("  %s: %s\n", v.where().c_str(), v.message.c_str());
      for (const auto& line : v.crashes)
        std::printf("  %s\n", line.c_str());
    }
    if (o_.verbose || !v.passed)
      for (const auto& line : v.log_lines)
        std::printf("  | %s\n", line.c_str());
    std::fflush(stdout);
  }

  const test_options& o_;
  const test_bench& bench_;
  std::vector<verdict> all_;
};

}  // namespace

int test(const test_options& o) {
  troupe::system_clock time;
  const auto sink = text_sink(2);
  logger log(*sink, time, log_level::warning);
  catalog plugins(log, version);
  add_installed_plugins(plugins, log);
  auto client = http_client::open();
  if (!client) return complain(client.error(), o.json);
  script::code_cache codes;
  script::environment scripts;
  scripts.cache = &codes;
  scripts.count = instructions_per_turn;
  const test_bench bench{&plugins, client->get(), &scripts};
  tester t(o, bench);
  for (const auto& file : o.files)
    t.run_file(file);
  return t.finish();
}

}  // namespace troupe::cli
