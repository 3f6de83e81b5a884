// SPDX-License-Identifier: Apache-2.0
//
// What a node refuses to load, and with which sentence.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "fixture.hpp"
#include "plugin/elf_record.hpp"

namespace troupe::test {
namespace {

namespace fs = std::filesystem;

class load_test : public plugin_test {
 protected:
  void SetUp() override {
    // A parameterised test has a slash in its name.
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    std::replace(name.begin(), name.end(), '/', '-');
    folder_ = fs::path(testing::TempDir()) / ("troupe-" + std::to_string(getpid()) + "-" + name);
    fs::create_directories(folder_);
    unsetenv("TROUPE_TEST_CANARY");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  void write_manifest(const std::string& abi = "1.0") {
    write("plugin.json", R"({"name": "refused", "version": "1.0.0", "abi": ")" + abi +
                             R"(", "provides": {"tools": ["refused.tool"]}})");
  }
  static fs::path library_of(const std::string& how) {
    return fs::path(made_for_tests("refused")) / (how + ".so");
  }
  /// What adding and loading ends with; empty if it worked.
  std::string load_here() {
    if (auto added = plugins.add(folder_.string()); !added) return added.error().message;
    auto loaded = plugins.load("refused");
    return loaded ? "" : loaded.error().message;
  }
  std::string load(const std::string& how) {
    write_manifest();
    fs::copy_file(library_of(how), folder_ / "refused.so");
    return load_here();
  }

  fs::path folder_;
};

TEST_F(load_test, loads_a_plugin_that_is_as_it_should_be) {
  EXPECT_EQ(load("nothing_wrong"), "");
  EXPECT_STREQ(getenv("TROUPE_TEST_CANARY"), "dead") << "the canary is blind";
}

TEST_F(load_test, runs_no_code_of_a_plugin_that_was_only_added) {
  write_manifest();
  fs::copy_file(library_of("nothing_wrong"), folder_ / "refused.so");
  ASSERT_TRUE(plugins.add(folder_.string()));
  EXPECT_EQ(plugins.plugins().size(), 1u);
  EXPECT_EQ(plugins.providers().size(), 0u);
}

TEST_F(load_test, refuses_another_abi_major_before_any_code_runs) {
  EXPECT_EQ(load("major"), "plugin refused: needs ABI 2.0, this node has 1.0");
  EXPECT_EQ(getenv("TROUPE_TEST_CANARY"), nullptr);
}

TEST_F(load_test, refuses_a_later_abi_minor_before_any_code_runs) {
  EXPECT_EQ(load("minor"), "plugin refused: needs ABI 1.99, this node has 1.0");
  EXPECT_EQ(getenv("TROUPE_TEST_CANARY"), nullptr);
}

TEST_F(load_test, refuses_what_exports_nothing_before_any_code_runs) {
  EXPECT_EQ(load("no_symbol"), "plugin refused: refused.so exports no troupe_plugin");
  EXPECT_EQ(getenv("TROUPE_TEST_CANARY"), nullptr);
}

TEST_F(load_test, refuses_by_the_manifest_without_looking_at_the_library) {
  write_manifest("2.0");
  EXPECT_EQ(load_here(), "plugin refused: needs ABI 2.0, this node has 1.0");
}

TEST_F(load_test, refuses_a_folder_without_a_manifest) {
  EXPECT_EQ(load_here(), folder_.string() + " is no plugin: it has no plugin.json");
}

TEST_F(load_test, refuses_a_missing_library) {
  write_manifest();
  EXPECT_EQ(load_here(), "plugin refused: refused.so: No such file or directory");
}

TEST_F(load_test, refuses_what_is_no_shared_library) {
  write_manifest();
  for (const std::string content : {"", "\x7f",
                                    "\x7f"
                                    "ELF",
                                    "#!/bin/sh\n", "{}"}) {
    write("refused.so", content);
    auto version = read_abi("refused", (folder_ / "refused.so").string());
    ASSERT_FALSE(version);
    EXPECT_EQ(version.error().message, "plugin refused: refused.so is not a shared library");
  }
}

TEST_F(load_test, refuses_a_program_a_folder_and_a_fifo) {
  auto program = read_abi("refused", "/proc/self/exe");
  auto folder = read_abi("refused", folder_.string());
  ASSERT_EQ(mkfifo((folder_ / "fifo.so").c_str(), 0600), 0);
  auto fifo = read_abi("refused", (folder_ / "fifo.so").string());
  ASSERT_FALSE(program || folder || fifo);
  EXPECT_EQ(fifo.error().message, "plugin refused: fifo.so is not a regular file");
}

TEST_F(load_test, survives_a_library_cut_at_any_place) {
  std::ifstream in(library_of("nothing_wrong"), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  const auto file = folder_ / "cut.so";
  fs::copy_file(library_of("nothing_wrong"), file);
  ASSERT_TRUE(read_abi("refused", file.string()));
  // The section table stands at the end, so every cut is seen.
  for (std::size_t keep = whole.size() - 1; keep > 0;
       keep = keep > 1000 ? keep * 9 / 10 : keep - 1) {
    fs::resize_file(file, keep);
    ASSERT_FALSE(read_abi("refused", file.string())) << "cut at " << keep;
  }
}

TEST_F(load_test, survives_a_library_with_any_header_byte_changed) {
  std::ifstream in(library_of("nothing_wrong"), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  for (std::size_t at = 4; at < 64; ++at)
    for (const char flip : {'\x01', '\xff'}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      write("changed.so", changed);
      (void)read_abi("refused", (folder_ / "changed.so").string());
    }
}

struct refusal {
  const char* how;
  const char* sentence;
};
void PrintTo(const refusal& m, std::ostream* out) {
  *out << m.how;
}
class refusal_test : public load_test, public testing::WithParamInterface<refusal> {};

TEST_P(refusal_test, says_what_is_wrong) {
  EXPECT_EQ(load(GetParam().how), std::string("plugin refused: ") + GetParam().sentence);
}

INSTANTIATE_TEST_SUITE_P(
    plugins, refusal_test,
    testing::Values(
        refusal{"size", "its troupe_plugin record is garbage"},
        refusal{"no_function", "its troupe_plugin record is garbage"},
        refusal{"name_text", "its troupe_plugin record is garbage"},
        refusal{"name_null", "its troupe_plugin record is garbage"},
        refusal{"name", "its library calls itself somebody"},
        refusal{"version", "its plugin.json says version 1.0.0, its library says 9.9.9"},
        refusal{"open_throws", "open threw: no luck"},
        refusal{"open_is_silent", "open: failed without saying why"},
        refusal{"open_garbage", "open returned 77, which means nothing"},
        refusal{"extension_throws", "get_extension threw something that is no std::exception"},
        refusal{"offers_nothing", "its plugin.json names tools, its library offers none"},
        refusal{"list_small", "its list of tools is garbage"},
        refusal{"list_huge", "its list of tools is garbage"},
        refusal{"list_null", "its list of tools is garbage"},
        refusal{"record_null", "its tool 1 is garbage"},
        refusal{"record_small", "its tool 1 is garbage"},
        refusal{"record_text", "its tool 1 is garbage"},
        refusal{"record_function", "its tool 1 is garbage"},
        refusal{"tool_twice", "its library offers tool refused.tool twice"},
        refusal{"other_tool",
                "its library offers tool refused.other, which its plugin.json does not name"}),
    [](const auto& info) { return std::string(info.param.how); });

TEST_F(load_test, hands_on_what_a_plugin_says_when_it_can_not_open) {
  write_manifest();
  fs::copy_file(library_of("open_fails"), folder_ / "refused.so");
  ASSERT_TRUE(plugins.add(folder_.string()));
  auto loaded = plugins.load("refused");
  ASSERT_FALSE(loaded);
  EXPECT_TRUE(loaded.error().is(errc::not_found));
  EXPECT_EQ(loaded.error().message, "the licence server is closed");
}

TEST_F(load_test, names_the_tool_that_a_library_owes) {
  write("plugin.json", R"({"name": "refused", "version": "1.0.0", "abi": "1.0",
        "provides": {"tools": ["refused.tool", "refused.more"]}})");
  fs::copy_file(library_of("nothing_wrong"), folder_ / "refused.so");
  EXPECT_EQ(
      load_here(),
      "plugin refused: its plugin.json names tool refused.more, which its library does not offer");
}

TEST_F(load_test, leaves_a_plugin_that_can_not_be_loaded_out_of_the_tools_and_says_so) {
  EXPECT_NE(load("no_symbol"), "");
  EXPECT_TRUE(plugins.tools().empty());
  EXPECT_EQ(lines.lines().size(), 1u);
}

TEST_F(load_test, keeps_a_tool_for_its_first_owner) {
  ASSERT_EQ(load("nothing_wrong"), "");
  fs::create_directory(folder_ / "other");
  write("other/plugin.json", R"({"name": "other", "version": "1.0.0", "abi": "1.0",
        "provides": {"tools": ["refused.tool"]}})");
  auto added = plugins.add((folder_ / "other").string());
  ASSERT_FALSE(added);
  EXPECT_TRUE(added.error().is(errc::exists));
  auto again = plugins.add(folder_.string());
  ASSERT_FALSE(again);
  EXPECT_TRUE(again.error().is(errc::exists));
}

TEST_F(load_test, adds_all_folders_of_a_folder_and_reports_the_bad_ones) {
  fs::create_directories(folder_ / "b_bad");
  fs::create_directories(folder_ / "c_none");
  fs::copy(shipped("hello_c"), folder_ / "a_good");
  write("b_bad/plugin.json", "{");
  auto errors = plugins.add_all(folder_.string());
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_TRUE(errors[0].is(errc::syntax));
  EXPECT_EQ(plugins.plugins().size(), 1u);
  EXPECT_TRUE(plugins.add_all((folder_ / "missing").string()).empty());
}

TEST_F(load_test, reload_uses_a_copy_and_leaves_what_runs_alone) {
  fs::copy(shipped("hello_cpp"), folder_ / "p");
  add((folder_ / "p").string());
  ASSERT_TRUE(start("hello_cpp", "greeter"));
  auto first = world.call("x", "greet", {"Ann"});
  ASSERT_TRUE(first) << first.error().describe();
  // As linkers and install(1) do it: a new file in the place of the old one.
  fs::remove(folder_ / "p" / "hello_cpp.so");
  fs::copy_file(shipped("hello_cpp") + "/hello_cpp.so", folder_ / "p" / "hello_cpp.so");
  auto reloaded = plugins.reload("hello_cpp");
  ASSERT_TRUE(reloaded) << reloaded.error().describe();
  fs::resize_file(folder_ / "p" / "hello_cpp.so", 0);
  auto actions = plugins.make_agent("hello_cpp", "greeter", value::map{});
  ASSERT_TRUE(actions);
  ASSERT_TRUE(world.add("y", std::move(*actions)));
  auto fresh = world.call("y", "greet", {"Bob"});
  ASSERT_TRUE(fresh) << fresh.error().describe();
  EXPECT_EQ(*fresh, value("Hello, Bob!"));
  auto old = world.call("x", "count");
  ASSERT_TRUE(old) << old.error().describe();
  EXPECT_EQ(*old, value(1));
}

TEST_F(load_test, a_failed_reload_changes_nothing) {
  fs::copy(shipped("hello_c"), folder_ / "p");
  add((folder_ / "p").string());
  ASSERT_TRUE(plugins.load("hello_c"));
  const auto broken = folder_ / "p" / "hello_c.so";
  fs::remove(broken);
  std::ofstream(broken) << "not a library";
  EXPECT_FALSE(plugins.reload("hello_c"));
  auto answer = call_tool("hello_c.greet", value::map{{"name", "Ann"}});
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(*answer, value("Hello, Ann!"));
}

TEST_F(load_test, offers_the_nearest_name) {
  add(shipped("hello_c"));
  EXPECT_EQ(plugins.load("helo_c").error().message,
            "unknown plugin \"helo_c\": did you mean \"hello_c\"?");
  EXPECT_NE(plugins.make_agent("hello_c", "greter", value::map{}).error().message.find("greeter"),
            std::string::npos);
  EXPECT_TRUE(plugins.make_codec("opnai", value::map{}, "/").error().is(errc::not_found));
  EXPECT_TRUE(call_tool("hello_c.gret", value::map{}).error().is(errc::not_found));
}

}  // namespace
}  // namespace troupe::test
