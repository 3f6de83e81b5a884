// SPDX-License-Identifier: Apache-2.0
//
// The file tools, from outside: what they do, and everything that they must not reach.
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "abi/fixture.hpp"
#include "base/json.hpp"
#include "base/schema.hpp"

namespace {

/// Names of the files whose data had to reach the disk.
std::vector<std::string> synced_files;

}  // namespace

/// Found by the plugin before the system's own.
extern "C" int fsync(int fd) {
  const auto link = "/proc/self/fd/" + std::to_string(fd);
  synced_files.push_back(std::filesystem::read_symlink(link).string());
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace troupe::test {
namespace {

namespace fs = std::filesystem;

class file_tools_test : public plugin_test {
 protected:
  void SetUp() override {
    add(shipped("file_tools"));
    top_ = fs::canonical(testing::TempDir()) / ("troupe-files-" + std::to_string(getpid()));
    fs::remove_all(top_);
    fs::create_directories(top_ / "in/sub");
    fs::create_directories(top_ / "out");
    put("in/a.txt", "hello");
    put("out/secret", "secret");
    rights_ = value::map{{"read", value::array{(top_ / "in").string()}},
                         {"write", value::array{(top_ / "in").string()}}};
  }
  void TearDown() override {
    std::error_code ignored;
    fs::permissions(top_ / "in", fs::perms::owner_all, ignored);
    fs::remove_all(top_, ignored);
  }

  void put(const std::string& name, const std::string& text) {
    std::ofstream(top_ / name, std::ios::binary) << text;
  }
  std::string get(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(top_ / name, std::ios::binary).rdbuf();
    return text.str();
  }
  result<value> call(const std::string& tool, const value& args) {
    auto r = request(tool, args);
    auto rights = std::make_shared<authority>();
    rights->grants = *grants::from(rights_, top_.string());
    r.rights = rights;
    r.folder = top_.string();
    auto answer = plugins.call_tool(r, outlet(posts));
    EXPECT_TRUE(answer) << "not answered at once";
    if (!*answer) return answer->error();
    return unpack((*answer)->view());
  }
  result<value> read(const std::string& path) {
    return call("file.read", value::map{{"path", path}});
  }
  result<value> write(const std::string& path, const std::string& data, bool append = false) {
    return call("file.write", value::map{{"path", path}, {"data", data}, {"append", append}});
  }
  static std::string code_of(const result<value>& r) { return r ? "none" : r.error().code; }

  fs::path top_;
  value rights_;
};

// -- what they do

TEST_F(file_tools_test, reads_a_file_in_pieces) {
  put("in/big", std::string(200'000, 'x') + "end");
  std::string all;
  for (bool is_over = false; !is_over;) {
    auto piece =
        call("file.read", value::map{{"path", "in/big"}, {"offset", std::int64_t(all.size())}});
    ASSERT_TRUE(piece) << piece.error().describe();
    EXPECT_LE((*piece)["data"].as_string().size(), 65536u);
    EXPECT_EQ((*piece)["size"], value(200'003));
    all += (*piece)["data"].as_string();
    is_over = (*piece)["eof"].as_bool();
  }
  EXPECT_EQ(all, get("in/big"));
}

TEST_F(file_tools_test, tells_an_empty_file_and_a_place_behind_its_end) {
  put("in/empty", "");
  auto empty = read("in/empty");
  ASSERT_TRUE(empty);
  EXPECT_EQ((*empty)["data"], value(""));
  EXPECT_EQ((*empty)["eof"], value(true));
  auto behind = call("file.read", value::map{{"path", "in/a.txt"}, {"offset", 100}});
  ASSERT_TRUE(behind);
  EXPECT_EQ((*behind)["data"], value(""));
  EXPECT_EQ((*behind)["eof"], value(true));
}

TEST_F(file_tools_test, cuts_text_between_characters_and_tells_text_from_bytes) {
  put("in/umlauts", "äöü🌊");
  std::string all;
  for (int pieces = 0; all.size() < 10; ++pieces) {
    ASSERT_LT(pieces, 10);
    auto piece = call(
        "file.read",
        value::map{{"path", "in/umlauts"}, {"offset", std::int64_t(all.size())}, {"length", 5}});
    ASSERT_TRUE(piece);
    EXPECT_TRUE((*piece)["data"].is_string());
    all += (*piece)["data"].as_string();
  }
  EXPECT_EQ(all, "äöü🌊");
  put("in/bytes", "a\xff\xfe");
  auto bytes = read("in/bytes");
  ASSERT_TRUE(bytes);
  EXPECT_TRUE((*bytes)["data"].is_binary());
  EXPECT_EQ((*bytes)["data"].as_string(), "a\xff\xfe");
}

TEST_F(file_tools_test, keeps_an_answer_below_what_it_may_be) {
  put("in/big", std::string(5000, 'x'));
  auto r = request("file.read", value::map{{"path", (top_ / "in/big").string()}});
  r.max_result = 1000;
  auto answer = plugins.call_tool(r, outlet(posts));
  ASSERT_TRUE(answer && *answer) << (*answer).error().describe();
  EXPECT_LE((*answer)->size(), 1000u);
}

TEST_F(file_tools_test, writes_appends_and_replaces) {
  ASSERT_TRUE(write("in/new", "one"));
  EXPECT_EQ(get("in/new"), "one");
  auto more = write("in/new", " two", true);
  ASSERT_TRUE(more);
  EXPECT_EQ((*more)["size"], value(7));
  EXPECT_EQ(get("in/new"), "one two");
  fs::permissions(top_ / "in/new", fs::perms::owner_read | fs::perms::owner_write);
  ASSERT_TRUE(write("in/new", "three"));
  EXPECT_EQ(get("in/new"), "three");
  EXPECT_EQ(fs::status(top_ / "in/new").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(std::distance(fs::directory_iterator(top_ / "in"), {}), 3)
      << "something was left behind";
}

TEST_F(file_tools_test, what_replaces_a_file_is_on_the_disk_before_it_has_its_name) {
  ASSERT_TRUE(write("in/new", "one"));
  synced_files.clear();
  ASSERT_TRUE(write("in/new", "two"));
  ASSERT_EQ(synced_files.size(), 1u);
  EXPECT_THAT(synced_files[0], testing::HasSubstr("/in/.troupe-"));
}

TEST_F(file_tools_test, lists_a_folder) {
  fs::create_symlink("a.txt", top_ / "in/link");
  auto listed = call("file.list", value::map{{"path", "in"}});
  ASSERT_TRUE(listed) << listed.error().describe();
  const auto& entries = (*listed)["entries"].as_array();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0]["name"], value("a.txt"));
  EXPECT_EQ(entries[0]["size"], value(5));
  EXPECT_EQ(entries[1]["type"], value("link"));
  EXPECT_EQ(entries[2]["type"], value("folder"));
  EXPECT_EQ((*listed)["truncated"], value(false));
}

TEST_F(file_tools_test, follows_a_link_that_stays_inside) {
  fs::create_symlink("../a.txt", top_ / "in/sub/link");
  auto through = read("in/sub/link");
  ASSERT_TRUE(through) << through.error().describe();
  EXPECT_EQ((*through)["data"], value("hello"));
}

TEST_F(file_tools_test, takes_grants_of_single_files_globs_and_everything) {
  put("in/b.log", "log");
  rights_ = value::map{
      {"read", value::array{(top_ / "in/*.log").string(), (top_ / "in/a.txt").string()}}};
  EXPECT_TRUE(read("in/b.log"));
  EXPECT_TRUE(read("in/a.txt"));
  put("in/c", "no");
  EXPECT_EQ(code_of(read("in/c")), "denied");
  EXPECT_EQ(code_of(write("in/a.txt", "x")), "denied");
  auto r = request("file.read", value::map{{"path", (top_ / "out/secret").string()}});
  auto all = plugins.call_tool(r, outlet(posts));  // an authority without bounds
  ASSERT_TRUE(all);
  EXPECT_TRUE(*all);
}

TEST_F(file_tools_test, have_schemas_that_compile) {
  auto tools = plugins.tools();
  ASSERT_EQ(tools.size(), 3u);
  for (const auto& tool : tools) {
    auto compiled = schema::compile(tool.parameters);
    ASSERT_TRUE(compiled) << tool.name << compiled.error().describe();
    EXPECT_FALSE(compiled->check(value::map{{"pth", "x"}}));
  }
}

// -- what they must not reach

TEST_F(file_tools_test, refuses_every_way_out_of_a_granted_folder) {
  fs::create_symlink(top_ / "out", top_ / "in/door");
  fs::create_symlink("../out/secret", top_ / "in/key");
  fs::create_symlink("/", top_ / "in/root");
  fs::create_symlink("/proc/self/cwd", top_ / "in/magic");
  for (const std::string path :
       {"out/secret", "in/../out/secret", "in/sub/../../out/secret", "in/door/secret", "in/key",
        "in/door", "in/root/etc/hostname", "in/root", "in/magic", "/etc/hostname", "/",
        "in/./../out", "../", "in/sub/../../out/../out/secret", "inx"}) {
    EXPECT_EQ(code_of(read(path)), "denied") << path;
    EXPECT_EQ(code_of(call("file.list", value::map{{"path", path}})), "denied") << path;
  }
  for (const std::string path :
       {"out/new", "in/../out/new", "in/door/new", "in/door/secret", "in/root/tmp/x"}) {
    EXPECT_EQ(code_of(write(path, "x")), "denied") << path;
    EXPECT_EQ(code_of(write(path, "x", true)), "denied") << path;
  }
  EXPECT_EQ(get("out/secret"), "secret");
  EXPECT_FALSE(fs::exists(top_ / "out/new"));
}

TEST_F(file_tools_test, never_writes_through_a_link) {
  fs::create_symlink(top_ / "out/secret", top_ / "in/key");
  fs::create_symlink(top_ / "out/fresh", top_ / "in/dangling");
  EXPECT_EQ(code_of(write("in/key", "x", true)), "denied");
  EXPECT_EQ(code_of(write("in/dangling", "x", true)), "denied");
  EXPECT_TRUE(write("in/key", "replaced"));
  EXPECT_EQ(get("out/secret"), "secret");
  EXPECT_FALSE(fs::is_symlink(top_ / "in/key"));
  EXPECT_FALSE(fs::exists(top_ / "out/fresh"));
}

TEST_F(file_tools_test, a_grant_that_is_a_link_itself_opens_no_door) {
  // Somebody with a grant for `in` makes the link, then hands a child a grant for it.
  fs::create_symlink(top_ / "out", top_ / "in/door");
  rights_ = value::map{{"read", value::array{(top_ / "in/door").string()}},
                       {"write", value::array{(top_ / "in/door").string()}}};
  EXPECT_EQ(code_of(read("in/door/secret")), "denied");
  EXPECT_EQ(code_of(write("in/door/new", "x")), "denied");
  EXPECT_EQ(read("in/door/secret").error().message,
            (top_ / "in/door/secret").string() + " is " + (top_ / "out/secret").string() +
                " in truth, which desk/writer has no grant to read");
}

TEST_F(file_tools_test, a_link_that_is_swapped_all_the_time_never_leads_out) {
  fs::create_symlink(top_ / "in/a.txt", top_ / "in/flip");
  std::atomic<bool> stops{false};
  std::thread flipper([&] {
    for (int i = 0; !stops; ++i) {
      fs::create_symlink(i % 2 ? top_ / "in/a.txt" : top_ / "out/secret", top_ / "in/next");
      fs::rename(top_ / "in/next", top_ / "in/flip");
    }
  });
  for (int i = 0; i < 2000; ++i) {
    auto seen = read("in/flip");
    if (seen) {
      EXPECT_EQ((*seen)["data"], value("hello"));
    }
  }
  stops = true;
  flipper.join();
}

TEST_F(file_tools_test, grants_of_one_kind_are_none_of_the_other) {
  rights_ = value::map{{"write", value::array{(top_ / "in").string()}}};
  EXPECT_EQ(code_of(read("in/a.txt")), "denied");
  EXPECT_TRUE(write("in/x", "x"));
  rights_ = value::map{};
  EXPECT_EQ(code_of(write("in/x", "x")), "denied");
}

TEST_F(file_tools_test, refuses_what_is_no_file) {
  ASSERT_EQ(mkfifo((top_ / "in/fifo").c_str(), 0600), 0);
  EXPECT_EQ(read("in/fifo").error().message, (top_ / "in/fifo").string() + " is no regular file");
  EXPECT_EQ(read("in/sub").error().message, (top_ / "in/sub").string() + " is a folder");
  EXPECT_EQ(write("in/sub", "x").error().message, (top_ / "in/sub").string() + " is a folder");
  EXPECT_EQ(code_of(write("in/fifo", "x")), "bad_argument");
  EXPECT_FALSE(write("in/fifo", "x", true));
  EXPECT_EQ(code_of(call("file.list", value::map{{"path", "in/a.txt"}})), "not_found");
}

TEST_F(file_tools_test, names_what_is_not_there_and_what_is_wrong) {
  EXPECT_EQ(code_of(read("in/none")), "not_found");
  EXPECT_EQ(code_of(write("in/none/x", "x")), "not_found");
  EXPECT_EQ(code_of(read("")), "bad_argument");
  EXPECT_EQ(code_of(read(std::string("in/a.txt\0b", 10))), "bad_argument");
  EXPECT_EQ(code_of(call("file.read", value::map{{"path", "in/a.txt"}, {"offset", -1}})),
            "bad_argument");
  EXPECT_EQ(code_of(call("file.read", value::map{{"path", "in/a.txt"}, {"length", 0}})),
            "bad_argument");
  EXPECT_EQ(code_of(call("file.write", value::map{{"path", "in/a.txt"}, {"data", 7}})),
            "bad_argument");
  EXPECT_EQ(get("in/a.txt"), "hello");
}

TEST_F(file_tools_test, a_folder_without_permission_is_an_error_and_leaves_nothing) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  fs::permissions(top_ / "in", fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(code_of(write("in/new", "x")), "io");
}

TEST_F(file_tools_test, a_disk_that_is_full_keeps_the_old_file_and_leaves_nothing) {
  struct rlimit before {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit full{1000, before.rlim_max};
  auto* was = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  auto written = write("in/a.txt", std::string(5000, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, was);
  EXPECT_EQ(code_of(written), "io");
  EXPECT_EQ(get("in/a.txt"), "hello");
  EXPECT_EQ(std::distance(fs::directory_iterator(top_ / "in"), {}), 2);
}

TEST_F(file_tools_test, writes_to_no_device) {
  rights_ = value::map{{"write", value::array{"/dev/null"}}};
  EXPECT_EQ(code_of(write("/dev/null", "x", true)), "bad_argument");
  EXPECT_EQ(code_of(write("/dev/null", "x")), "bad_argument");
}

}  // namespace
}  // namespace troupe::test
