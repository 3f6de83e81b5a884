// SPDX-License-Identifier: Apache-2.0
//
// What a plugin.json may say, and what is said of one that is wrong.
#include "plugin/manifest.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace troupe {
namespace {

namespace fs = std::filesystem;

class manifest_test : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("troupe-manifest-" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  result<manifest> read(const std::string& text) {
    std::ofstream(folder_ / "plugin.json", std::ios::binary) << text;
    return manifest::read(folder_.string());
  }
  /// The sentence behind the file's name, or the code if it does not begin so.
  std::string refused(const std::string& text) {
    auto m = read(text);
    if (m) return "";
    const std::string file = (folder_ / "plugin.json").string() + ": ";
    return m.error().message.starts_with(file) ? m.error().message.substr(file.size())
                                               : m.error().code + ": " + m.error().message;
  }
  static std::string with(const std::string& more) {
    return R"({"name": "clock", "version": "1.0.0", "abi": "1.0")" + more + "}";
  }
  static std::string providing(const std::string& what) { return with(R"(, "provides": )" + what); }

  fs::path folder_;
};

TEST_F(manifest_test, reads_all_that_a_plugin_says) {
  auto m = read(with(R"(, "description": "Ticks.", "library": "ticker.so",
      "provides": {"agents": ["ticker"], "tools": ["clock.now"], "models": ["tick"]},
      "needs": {"net": ["time.example:123"]})"));
  ASSERT_TRUE(m) << m.error().describe();
  EXPECT_EQ(m->name, "clock");
  EXPECT_EQ(m->abi, (abi_version{1, 0}));
  EXPECT_EQ(m->library, (folder_ / "ticker.so").lexically_normal().string());
  EXPECT_EQ(m->agents, std::vector<std::string>{"ticker"});
  EXPECT_TRUE(m->needs.allows("net", "time.example:123"));
  EXPECT_EQ(m->to_value()["tools"], (value(value::array{"clock.now"})));
}

TEST_F(manifest_test, finds_the_library_beside_itself_by_the_name) {
  auto m = read(providing(R"({"tools": ["clock.now"]})"));
  ASSERT_TRUE(m) << m.error().describe();
  EXPECT_EQ(fs::path(m->library).filename(), "clock.so");
}

TEST_F(manifest_test, says_what_is_wrong) {
  EXPECT_EQ(refused("[]"), "expected an object");
  EXPECT_EQ(refused("{}"), "name: expected text, got nil");
  EXPECT_EQ(refused(R"({"name": "../x"})"), "name: only letters, digits, _ - and . are allowed");
  EXPECT_EQ(refused(R"({"name": ".."})"), "name: only letters, digits, _ - and . are allowed");
  EXPECT_EQ(refused(R"({"name": "x", "abi": 1.0})"), "abi: expected text, got number");
  for (const char* abi : {"1", "1.", ".0", "1.0.0", "a.b", "-1.0", "1.0 ", "99999999999.0"})
    EXPECT_EQ(refused(R"({"name": "x", "abi": ")" + std::string(abi) + "\"}"),
              "abi: expected MAJOR.MINOR, got \"" + std::string(abi) + "\"");
  EXPECT_EQ(refused(R"({"name": "x", "abi": "1.0"})"), "version: expected text, got nil");
  EXPECT_EQ(refused(with("")), "provides: expected an object");
  EXPECT_EQ(refused(providing("{}")), "provides nothing");
  EXPECT_EQ(refused(providing(R"({"tools": "x"})")), "provides.tools: expected a list");
  EXPECT_EQ(refused(providing(R"({"tools": [1]})")), "provides.tools: expected names");
  EXPECT_EQ(refused(providing(R"({"tools": ["a", "a"]})")), "provides.tools: a stands there twice");
  EXPECT_EQ(refused(providing(R"({"tools": ["a"]}, "library": "../../tmp/x.so")")),
            "library: expected a file name beside plugin.json");
}

TEST_F(manifest_test, offers_the_nearest_key) {
  EXPECT_EQ(refused(providing(R"({"tool": ["a"]})")),
            "unknown key \"tool\": did you mean \"tools\"?");
  EXPECT_EQ(refused(with(R"(, "provide": {})")),
            "unknown key \"provide\": did you mean \"provides\"?");
  auto m = read(providing(R"({"tools": ["a"]}, "needs": {"nett": []})"));
  ASSERT_FALSE(m);
  EXPECT_TRUE(m.error().is(errc::config));
}

TEST_F(manifest_test, judges_the_abi_before_keys_that_a_later_one_may_know) {
  EXPECT_EQ(refused(R"({"name": "clock", "abi": "2.0", "new_in_two": true})"),
            "abi: plugin clock: needs ABI 2.0, this node has 1.0");
  EXPECT_EQ(refused(R"({"name": "clock", "abi": "1.3"})"),
            "abi: plugin clock: needs ABI 1.3, this node has 1.0");
}

TEST_F(manifest_test, refuses_what_is_no_json_too_long_or_not_there) {
  EXPECT_FALSE(read("{").error().message.empty());
  EXPECT_TRUE(read("{").error().is(errc::syntax));
  EXPECT_EQ(refused(std::string(100'000, ' ')), "larger than 64 KiB");
  fs::remove(folder_ / "plugin.json");
  fs::create_directory(folder_ / "plugin.json");
  auto m = manifest::read(folder_.string());
  ASSERT_FALSE(m);
  EXPECT_TRUE(m.error().is(errc::not_found));
}

}  // namespace
}  // namespace troupe
