// SPDX-License-Identifier: Apache-2.0
//
// Certificates are checked. The other side is `openssl s_server`, where there is one.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/unique_fd.hpp"
#include "http/client.hpp"
#include "unit/http/recorder.hpp"

extern char** environ;

namespace troupe {
namespace {

using test::recorder;

/// Runs `openssl` with these arguments; its standard output comes from `out`.
pid_t run_openssl(std::vector<std::string> args, unique_fd& out) {
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) return -1;
  out = unique_fd(pipe_fds[0]);
  unique_fd writer(pipe_fds[1]);
  args.insert(args.begin(), "openssl");
  std::vector<char*> argv;
  for (auto& a : args)
    argv.push_back(a.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, writer.get(), 1);
  posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  if (posix_spawnp(&pid, "openssl", &files, nullptr, argv.data(), environ) != 0) pid = -1;
  posix_spawn_file_actions_destroy(&files);
  return pid;
}

class tls_test : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/troupe-tls-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    unique_fd out;
    pid_t made = run_openssl({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                              "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
                              "-keyout", folder_ + "/key.pem", "-out", folder_ + "/cert.pem"},
                             out);
    if (made < 0) GTEST_SKIP() << "there is no openssl command here";
    int status = 0;
    waitpid(made, &status, 0);
    ASSERT_EQ(status, 0);
    server_ = run_openssl({"s_server", "-accept", "127.0.0.1:0", "-www", "-key",
                           folder_ + "/key.pem", "-cert", folder_ + "/cert.pem"},
                          out_);
    ASSERT_GT(server_, 0);
    // `ACCEPT 127.0.0.1:PORT`
    std::string said;
    char c;
    while (read(out_.get(), &c, 1) == 1) {
      if (c != '\n') {
        said += c;
        continue;
      }
      if (said.rfind("ACCEPT", 0) == 0 && said.find(':') != said.npos) break;
      said.clear();
    }
    port_ = said.substr(said.find(':') + 1);
    ASSERT_FALSE(port_.empty());
  }
  void TearDown() override {
    if (server_ > 0) {
      kill(server_, SIGKILL);
      waitpid(server_, nullptr, 0);
    }
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  result<void> get(const std::string& host, const std::string& ca_file) {
    http_options options;
    options.ca_file = ca_file;
    auto client = std::move(*http_client::open(options));
    http_request r;
    r.url = "https://" + host + ":" + port_ + "/";
    recorder seen;
    client->start(r, seen.sink());
    return seen.wait_for_end();
  }

  std::string folder_, port_;
  unique_fd out_;
  pid_t server_ = -1;
};

TEST_F(tls_test, trusts_only_known_authorities_and_the_right_name) {
  auto unknown = get("127.0.0.1", "");
  ASSERT_FALSE(unknown);
  EXPECT_TRUE(unknown.error().is(errc::unreachable)) << unknown.error().describe();
  EXPECT_EQ(unknown.error().message.find("127.0.0.1:" + port_ + ": no trusted connection: "), 0u)
      << unknown.error().message;
  EXPECT_FALSE(unknown.error().retryable);

  EXPECT_TRUE(get("127.0.0.1", folder_ + "/cert.pem"));

  auto other_name = get("localhost", folder_ + "/cert.pem");
  ASSERT_FALSE(other_name);
  EXPECT_FALSE(other_name.error().retryable) << other_name.error().describe();
}

}  // namespace
}  // namespace troupe
