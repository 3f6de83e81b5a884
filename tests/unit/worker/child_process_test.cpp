// SPDX-License-Identifier: Apache-2.0
#include "actors/worker/child_process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>

namespace troupe {
namespace {

/// While it lives, what a child leaves behind becomes a child of this process.
struct heir {
  heir() { EXPECT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0); }
  ~heir() { ::prctl(PR_SET_CHILD_SUBREAPER, 0); }
};

class child_process_test : public testing::TestWithParam<bool> {
 protected:
  child_process_test() {
    std::array<int, 2> ends;
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
    read_end = unique_fd(ends[0]);
    write_end = unique_fd(ends[1]);
  }

  child_options shell(std::string script) {
    child_options o;
    o.program = "/bin/sh";
    o.arguments = {"-c", std::move(script)};
    o.channel = write_end.get();
    o.output = write_end.get();
    o.use_pidfd = GetParam();
    return o;
  }
  std::unique_ptr<child_process> run(std::string script) {
    return std::move(*child_process::spawn(shell(std::move(script))));
  }
  static void wait_for(const child_process& child) {
    pollfd p{child.ended_fd(), POLLIN, 0};
    while (::poll(&p, 1, -1) < 0 && errno == EINTR) {
    }
  }
  /// All that was written until nobody can write any more.
  std::string output() {
    write_end.reset();
    std::string out;
    char c;
    while (::read(read_end.get(), &c, 1) == 1)
      out.push_back(c);
    return out;
  }
  unique_fd read_end, write_end;
};
INSTANTIATE_TEST_SUITE_P(with_and_without_pidfd, child_process_test, testing::Bool(),
                         [](const auto& p) { return p.param ? "pidfd" : "thread"; });

TEST_P(child_process_test, knows_how_it_ended) {
  auto child = run("exit 7");
  wait_for(*child);
  const auto status = child->status();
  ASSERT_TRUE(status);
  EXPECT_FALSE(status->by_signal);
  EXPECT_EQ(status->number, 7);

  child = run("kill -SEGV $$");
  wait_for(*child);
  EXPECT_TRUE(child->status()->by_signal);
  EXPECT_EQ(signal_name(child->status()->number), "SIGSEGV");
}

TEST_P(child_process_test, has_no_status_while_it_runs_and_can_be_killed) {
  auto child = run("while :; do sleep 1000; done");
  EXPECT_FALSE(child->status());
  child->kill();
  wait_for(*child);
  EXPECT_EQ(signal_name(child->status()->number), "SIGKILL");
}

TEST_P(child_process_test, its_destruction_leaves_no_process_behind) {
  const heir inherits;
  auto child = run("sleep 1000 & echo $!; wait");
  std::string number;
  for (char c = 0; ::read(read_end.get(), &c, 1) == 1 && c != '\n';)
    number.push_back(c);
  const pid_t pid = child->pid(), grandchild = std::stoi(number);
  child.reset();
  EXPECT_EQ(::waitpid(pid, nullptr, WNOHANG), -1) << "a zombie is left";
  EXPECT_EQ(errno, ECHILD);
  int status = 0;
  EXPECT_EQ(::waitpid(grandchild, &status, 0), grandchild) << "what it had started lives on";
  EXPECT_TRUE(WIFSIGNALED(status));
}

TEST_P(child_process_test, gets_the_descriptors_that_it_is_given_and_no_other) {
  const unique_fd leaky(::open("/dev/null", O_RDONLY));  // a library without O_CLOEXEC
  const auto child =
      run("echo to stdout; echo to stderr >&2; echo to channel >&3; ls /proc/$$/fd; cat");
  wait_for(*child);
  EXPECT_EQ(output(), "to stdout\nto stderr\nto channel\n0\n1\n2\n3\n");
}

TEST_P(child_process_test, starts_in_its_folder_with_its_environment_alone) {
  auto options =
      shell("pwd; env | grep -v ^PWD= | grep -v ^_= | grep -v ^SHLVL= | grep -v ^OLDPWD=");
  options.folder = "/usr";
  options.environment = {"A=1"};
  auto child = child_process::spawn(options);
  ASSERT_TRUE(child);
  wait_for(**child);
  EXPECT_EQ(output(), "/usr\nA=1\n");
}

TEST_P(child_process_test, has_default_signals_whatever_the_node_has) {
  ::signal(SIGUSR1, SIG_IGN);
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
  auto child = run("kill -USR1 $$; echo survived");
  wait_for(*child);
  EXPECT_EQ(signal_name(child->status()->number), "SIGUSR1");
  ::sigprocmask(SIG_UNBLOCK, &blocked, nullptr);
  ::signal(SIGUSR1, SIG_DFL);
}

TEST_P(child_process_test, says_what_could_not_be_started) {
  auto options = shell("");
  options.program = "/nowhere/worker";
  auto child = child_process::spawn(options);
  ASSERT_FALSE(child);
  EXPECT_TRUE(child.error().is(errc::io));
  EXPECT_EQ(child.error().message, "/nowhere/worker can't be started: No such file or directory");
}

/// A node that is killed takes its workers with it, also those that do not listen.
TEST(worker_process, a_worker_dies_with_its_node) {
  const heir inherits;
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  unique_fd read_end(ends[0]), write_end(ends[1]);
  const pid_t node = ::fork();
  ASSERT_GE(node, 0);
  if (node == 0) {
    std::array<int, 2> channel;
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel.data()) != 0) ::_exit(1);
    child_options o;
    o.program = TEST_WORKER;
    o.arguments = {"--node", std::to_string(::getpid()), "--run", "/bin/sh",
                   "-c",     "echo $$; exec sleep 1000"};
    o.environment = {"PATH=/usr/bin:/bin"};
    o.channel = channel[1];
    o.output = write_end.get();
    auto child = child_process::spawn(o);
    while (child)
      ::pause();
    ::_exit(1);
  }
  std::string number;
  for (char c = 0; ::read(read_end.get(), &c, 1) == 1 && c != '\n';)
    number.push_back(c);
  ASSERT_FALSE(number.empty());
  ASSERT_EQ(::kill(node, SIGKILL), 0);
  ASSERT_EQ(::waitpid(node, nullptr, 0), node);
  int status = 0;
  const pid_t worker = std::stoi(number);
  ASSERT_EQ(::waitpid(worker, &status, 0), worker);
  EXPECT_TRUE(WIFSIGNALED(status));
}

TEST_P(child_process_test, a_worker_is_not_to_be_started_by_hand) {
  auto options = shell("");
  options.program = TEST_WORKER;
  options.arguments = {};
  auto child = child_process::spawn(options);
  ASSERT_TRUE(child);
  wait_for(**child);
  EXPECT_EQ((*child)->status()->number, 2);
  EXPECT_TRUE(output().ends_with("test_worker: started by a node, not by hand\n"));
}

}  // namespace
}  // namespace troupe
