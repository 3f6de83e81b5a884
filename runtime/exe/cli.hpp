// SPDX-License-Identifier: Apache-2.0
//
// The command line: its verbs, and what all of them share. Results go to stdout, everything else to
// stderr. Exit codes: 0 done, 1 failed, 2 usage, 124 timed out, 130 interrupted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/app.hpp"

namespace troupe::cli {

inline constexpr int done = 0;
inline constexpr int failed = 1;
inline constexpr int usage = 2;
inline constexpr int timed_out = 124;
inline constexpr int interrupted = 130;

struct common_options {
  bool json = false;
  bool verbose = false;
  std::size_t threads = 0;
};

struct run_options : common_options {
  std::string file;
  std::vector<std::string> arguments;
  std::vector<setting> settings;
  double timeout = 0;  ///< seconds; 0: none
  bool watch = false;
};
int run(const run_options& o);

struct file_options : common_options {
  std::string file;
  std::vector<setting> settings;
  bool watch = false;  ///< of the shell
};
int shell(const file_options& o);
int check(const file_options& o);
int explain(const file_options& o);
int models(const file_options& o);

struct test_options : common_options {
  std::vector<std::string> files;
  std::uint64_t seed = 1;  ///< of the order in which agents run
  double timeout = 60;     ///< seconds of real time that a case may take
};
/// 0: all cases passed, 1: one failed, or a file could not be run.
int test(const test_options& o);

struct new_options {
  std::string kind;  ///< a folder of the templates: c, cpp, lua
  std::string name;
  std::string folder;  ///< default: ./name
};
int make_new(const new_options& o);

struct plugin_options : common_options {
  std::string name;  ///< or a folder with a plugin.json
};
int plugin_list(const plugin_options& o);
int plugin_info(const plugin_options& o);
int plugin_check(const plugin_options& o);

int print_version(const common_options& o);

/// What there is to say of a failure: a sentence, with a crash its traceback below; or JSON.
std::string complaint(const error& why, bool json);
/// A complaint on stderr; returns `failed`.
int complain(const error& why, bool json);
/// A value on stdout: text as it is, everything else as JSON; nil is nothing.
result<void> print_result(const value& v, bool json);

}  // namespace troupe::cli
