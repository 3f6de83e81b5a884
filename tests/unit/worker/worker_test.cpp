// SPDX-License-Identifier: Apache-2.0
//
// Agents in OS processes, from a child spec to the end of the process.
#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>

#include <cstdlib>

#include "unit/worker/worker_world.hpp"

namespace troupe::test {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

int open_descriptors() {
  int n = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr)
    ++n;
  ::closedir(folder);
  return n;
}

class worker : public worker_world {
 protected:
  worker() : worker_world(TEST_WORKER) {}
};

TEST_F(worker, an_agent_answers_from_another_process) {
  const auto a = run(spec);
  EXPECT_EQ(ask(a, "echo", {"hello", 1}), value(value::array{"hello", 1}));
  EXPECT_EQ(ask(a, "path"), value("agent"));
  const auto pid = ask(a, "pid");
  EXPECT_NE(pid.as_int(), ::getpid());
  EXPECT_EQ(*(*sim->call(a, inspect_verb))["behaviour"].find("pid"), pid);
}

TEST_F(worker, says_once_that_a_process_is_no_sandbox) {
  run(spec);
  auto other = spec;
  other.id = "other";
  run(other);
  EXPECT_THAT(sim->log_lines,
              ElementsAre("agent: isolate = \"process\" is separation, not a sandbox: a worker may "
                          "do what its user may"));
}

TEST_F(worker, a_stop_ends_agent_and_process_in_order) {
  const auto a = run(spec);
  stop(a);
  EXPECT_TRUE(reason_of(a).is(errc::shutdown));
  EXPECT_FALSE(has_children()) << "the agent ended before its process";
}

TEST_F(worker, a_kill_ends_a_process_that_does_not_listen) {
  const auto a = run(spec);
  begin_call(a, "hang");
  const auto pid = static_cast<pid_t>((*sim->call(a, inspect_verb))["behaviour"]["pid"].as_int());
  sim->exit(a, errc::kill);
  EXPECT_TRUE(reason_of(a).is(errc::killed));
  until_no_child_is_left();
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST_F(worker, the_signal_that_ends_a_process_is_the_reason) {
  for (const int number : {SIGSEGV, SIGKILL, SIGABRT}) {
    const auto a = run(spec);
    auto& answer = answer_to(begin_call(a, "signal", {number}));
    ASSERT_FALSE(answer.got);
    EXPECT_TRUE(answer.got.error().is(errc::down));
    const auto& why = reason_of(a);
    EXPECT_TRUE(why.is(errc::crash));
    const std::string name = number == SIGSEGV   ? "SIGSEGV"
                             : number == SIGKILL ? "SIGKILL"
                                                 : "SIGABRT";
    EXPECT_EQ(why.message, "worker ended by " + name);
    EXPECT_EQ(why.data["signal"], value(name));
  }
}

TEST_F(worker, a_process_killed_from_outside_is_a_crash) {
  const auto a = run(spec);
  ::kill(static_cast<pid_t>(ask(a, "pid").as_int()), SIGKILL);
  EXPECT_EQ(reason_of(a).message, "worker ended by SIGKILL");
}

TEST_F(worker, the_exit_code_of_a_process_is_the_reason) {
  const auto a = run(spec);
  begin_call(a, "exit", {3});
  EXPECT_EQ(reason_of(a).message, "worker ended with exit code 3");
  EXPECT_EQ(reason_of(a).data["exit_code"], value(3));
  const auto b = run(spec);
  begin_call(b, "exit", {0});
  EXPECT_TRUE(reason_of(b).is(errc::crash));
  EXPECT_EQ(reason_of(b).message, "worker ended with exit code 0 while it served 1 message");
}

TEST_F(worker, an_agent_that_cannot_be_made_fails_its_start_with_the_reason) {
  spec.options.set("refuse", "agent.lua:1: unexpected symbol");
  begin(spec);
  auto& answer = answer_to(start_);
  ASSERT_FALSE(answer.got);
  EXPECT_TRUE(answer.got.error().is(errc::syntax));
  EXPECT_EQ(answer.got.error().message, "agent.lua:1: unexpected symbol");
}

TEST_F(worker, a_worker_that_cannot_be_started_fails_its_agent) {
  host.program = "/nowhere/troupe_worker";
  begin(spec);
  EXPECT_EQ(answer_to(start_).got.error().message,
            "/nowhere/troupe_worker can't be started: No such file or directory");
}

TEST_F(worker, a_program_that_is_not_there_fails_its_agent_with_its_name) {
  begin(program({"no-such-program-anywhere"}));
  auto& answer = answer_to(start_);
  ASSERT_FALSE(answer.got);
  EXPECT_TRUE(answer.got.error().is(errc::not_found)) << answer.got.error().describe();
  EXPECT_EQ(answer.got.error().message,
            "program no-such-program-anywhere can't be run: No such file or directory");
}

TEST_F(worker, a_program_that_does_not_speak_the_protocol_fails_its_start) {
  begin(program({"/bin/sh", "-c", "echo hello >&3; cat <&3"}));
  EXPECT_THAT(answer_to(start_).got.error().message, HasSubstr("the worker broke the protocol: "));
  begin(program({"/bin/true"}));
  EXPECT_EQ(answer_to(start_).got.error().message,
            "worker ended with exit code 0 before it was ready");
}

TEST_F(worker, what_it_prints_is_logged_and_explains_its_crash) {
  const auto a = run(spec);
  ask(a, "print", {"first\n\x1b[31msecond\nlast words"});
  begin_call(a, "exit", {1});
  EXPECT_EQ(reason_of(a).traceback, "first\n\\x1b[31msecond\nlast words\n");
  EXPECT_THAT(logged(), HasSubstr("agent: output\nagent: output\nagent: output\n"));
}

TEST_F(worker, an_endless_printer_is_logged_no_faster_than_allowed) {
  const auto a = begin(program({"/bin/sh", "-c", "yes"}));
  until([&] { return logged().find("prints more than is logged") != std::string::npos; });
  EXPECT_LT(sim->log_lines.size(), 200'000u);
  sim->exit(a, errc::kill);
  EXPECT_TRUE(reason_of(a).is(errc::killed));
}

TEST_F(worker, a_process_gets_no_descriptor_but_its_own) {
  const unique_fd leaky(::open("/dev/null", O_RDONLY));  // a library without O_CLOEXEC
  // The fifth is made by the worker, for its events.
  EXPECT_EQ(ask(run(spec), "descriptors"), value(value::array{0, 1, 2, 3, 4}));
}

TEST_F(worker, a_process_sees_of_the_environment_what_its_grants_name) {
  ::setenv("SECRET_TEST_KEY", "123", 1);
  ::setenv("GRANTED_TEST_NAME", "456", 1);
  auto rights = std::make_shared<authority>();
  rights->grants = *grants::from(value::map{{"env", value::array{"GRANTED_*"}}});
  const auto seen = ask(run(spec, rights), "environment");
  EXPECT_THAT(seen.as_array(), Contains(value("GRANTED_TEST_NAME=456")));
  EXPECT_THAT(seen.as_array(), Not(Contains(value("SECRET_TEST_KEY=123"))));
  const auto none = ask(run(spec), "environment");
  EXPECT_THAT(none.as_array(), Not(Contains(value("GRANTED_TEST_NAME=456"))));
}

TEST_F(worker, a_process_starts_in_the_folder_of_its_spec) {
  EXPECT_EQ(ask(run(spec), "folder"), value("/usr"));
  spec.base_folder = "/nowhere";
  begin(spec);
  EXPECT_THAT(answer_to(start_).got.error().message, HasSubstr("No such file or directory"));
}

TEST_F(worker, two_hundred_lives_leave_no_descriptor_and_no_process) {
  const auto life = [&](int i) {
    const auto a = run(spec);
    if (i % 3 == 0) stop(a);
    if (i % 3 == 1) sim->exit(a, errc::kill);
    if (i % 3 == 2) begin_call(a, "signal", {SIGSEGV});
    reason_of(a);
    until_no_child_is_left();
  };
  life(0);
  io->step(0);
  const int before = open_descriptors();
  for (int i = 0; i < 200; ++i)
    life(i);
  io->step(0);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(worker, works_without_pidfd) {
  host.use_pidfd = false;
  const auto a = run(spec);
  EXPECT_EQ(ask(a, "echo", {1}), value(value::array{1}));
  begin_call(a, "signal", {SIGSEGV});
  EXPECT_EQ(reason_of(a).message, "worker ended by SIGSEGV");
}

TEST_F(worker, an_agent_that_is_killed_while_its_process_starts_leaves_nothing) {
  for (int steps = 0; steps < 4; ++steps) {
    const auto a = begin(spec);
    for (int i = 0; i < steps; ++i) {
      io->step(0);
      sim->settle();
    }
    sim->exit(a, errc::kill);
    EXPECT_TRUE(reason_of(a).is(errc::killed));
    until_no_child_is_left();
  }
}

TEST_F(worker, what_cannot_be_held_is_refused_with_a_sentence) {
  const auto refusal = [&](const child_spec& s) {
    auto made = make_worker_behaviour(host, s);
    return made ? std::string("accepted") : made.error().describe();
  };
  auto s = spec;
  s.isolate = isolation::sandbox;
  EXPECT_EQ(refusal(s),
            "unsupported: agent: this build has no sandbox; isolate = \"process\" is separation "
            "only");
  s = program({"/bin/true"});
  s.limits.set("mailbox", 100);
  EXPECT_EQ(refusal(s), "accepted");
  s.limits.set("cpu", 0.5);
  EXPECT_EQ(refusal(s), "unsupported: agent: limits.cpu can't be held for what is no script");
  EXPECT_EQ(refusal(program({})), "config: agent: start.run names no program");
  s = spec;
  s.start = supervisor_spec{};
  EXPECT_EQ(refusal(s),
            "unsupported: agent: a supervisor or an actor of the node can't be isolated");
}

}  // namespace
}  // namespace troupe::test
