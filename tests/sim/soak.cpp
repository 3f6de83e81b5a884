// SPDX-License-Identifier: Apache-2.0
//
// Many simulated worlds, over all cores.
//
//   sim_soak [COUNT [FROM]]     runs so many seeds; progress on stderr, each seed that failed on
//   stdout sim_soak --hashes COUNT     prints the hash of each story sim_soak --story SEED prints
//   the story of one
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "sim/world.hpp"

namespace troupe::test {
namespace {

void print_breaches(std::uint64_t seed, const story& told) {
  for (const auto& b : told.breaches)
    std::printf("seed %" PRIu64 " broke %s: %s\n", seed, std::string(to_string(b.what)).c_str(),
                b.how.c_str());
  std::fflush(stdout);
}

int print_hashes(std::uint64_t count) {
  for (std::uint64_t seed = 1; seed <= count; ++seed)
    std::printf("%" PRIu64 " %016" PRIx64 "\n", seed, run_world({.seed = seed}).hash);
  return 0;
}

int print_story(std::uint64_t seed) {
  const auto told = run_world(
      {.seed = seed, .print = [](const std::string& line) { std::printf("%s\n", line.c_str()); }});
  print_breaches(seed, told);
  for (const auto& [what, n] : told.counts)
    std::printf("%s: %" PRIu64 "\n", what.c_str(), n);
  std::printf("seed %" PRIu64 ": %" PRIu64 " events, hash %016" PRIx64 "\n", seed, told.length,
              told.hash);
  return told.breaches.empty() ? 0 : 1;
}

/// One of the processes: each takes every nth seed, and says on `to` how each went.
struct progress_record {
  std::uint64_t seed, events, failed;
};

void run_share(std::uint64_t from, std::uint64_t end, std::uint64_t stride, int to) {
  for (auto seed = from; seed < end; seed += stride) {
    progress_record record{seed, 0, 2};  // begun
    if (::write(to, &record, sizeof record) != sizeof record) ::_exit(2);
    const auto told = run_world({.seed = seed});
    print_breaches(seed, told);
    record = {seed, told.length, told.breaches.empty() ? 0u : 1u};
    if (::write(to, &record, sizeof record) != sizeof record) ::_exit(2);
  }
  ::_exit(0);
}

int soak(std::uint64_t count, std::uint64_t from) {
  const auto cores = std::max(1u, std::thread::hardware_concurrency());
  const auto began = std::chrono::steady_clock::now();
  int pipe_ends[2];
  if (::pipe(pipe_ends) != 0) return 2;
  std::vector<pid_t> processes;
  for (unsigned i = 0; i < cores; ++i) {
    const auto pid = ::fork();
    if (pid < 0) return 2;
    if (pid == 0) {
      ::close(pipe_ends[0]);
      run_share(from + i, from + count, cores, pipe_ends[1]);
    }
    processes.push_back(pid);
  }
  ::close(pipe_ends[1]);
  std::uint64_t done = 0, failed = 0, events = 0;
  std::vector<std::uint64_t> busy_with(cores);
  const auto tell = [&] {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began;
    std::fprintf(stderr,
                 "%" PRIu64 " of %" PRIu64 " seeds, %" PRIu64
                 " failed, %.0f seeds/s, %.0f events/s\n",
                 done, count, failed, static_cast<double>(done) / passed.count(),
                 static_cast<double>(events) / passed.count());
  };
  auto told = began;
  progress_record record;
  while (::read(pipe_ends[0], &record, sizeof record) == sizeof record) {
    auto& at = busy_with[(record.seed - from) % cores];
    at = record.failed == 2 ? record.seed : 0;
    if (record.failed == 2) continue;
    ++done;
    events += record.events;
    failed += record.failed;
    if (std::chrono::steady_clock::now() - told < std::chrono::seconds(10)) continue;
    told = std::chrono::steady_clock::now();
    tell();
  }
  for (unsigned i = 0; i < cores; ++i) {
    int status = 0;
    ::waitpid(processes[i], &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
    ++failed;
    std::printf("seed %" PRIu64 " ended its process: %s %d\n", busy_with[i],
                WIFSIGNALED(status) ? "signal" : "exit",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  }
  tell();
  return failed == 0 && done == count ? 0 : 1;
}

}  // namespace
}  // namespace troupe::test

int main(int argc, char** argv) {
  using namespace troupe::test;
  const auto number = [&](int i, std::uint64_t other) {
    return argc > i ? std::strtoull(argv[i], nullptr, 10) : other;
  };
  if (argc > 1 && std::strcmp(argv[1], "--hashes") == 0) return print_hashes(number(2, 20));
  if (argc > 1 && std::strcmp(argv[1], "--story") == 0) return print_story(number(2, 1));
  return soak(number(1, 200), number(2, 1));
}
