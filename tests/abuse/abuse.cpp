// SPDX-License-Identifier: Apache-2.0
//
// One node, 1 000 well-behaved agents that are each called every 100 ms, and
// one at a time that does its worst. Prints a line for each misdeed: how it
// ended, the others' p99 before and meanwhile, the node's memory before and
// after. Fails if one ends otherwise than its file says, if any other agent
// fails to answer, or if memory does not come back.
//
//   abuse FOLDER [--timing] [--seconds=S] [NAME...]
//   abuse FOLDER --deaths=N
//
// With --timing the others' p99 counts as well: it must stay below five times
// its quiet value. Otherwise nothing depends on time. With --deaths so many
// culprits end, one after another, and what the node takes afterwards is what
// it took before.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "abuse/traffic.hpp"
#include "abuse/world.hpp"

namespace troupe::test {
namespace {

constexpr std::size_t victims = 1000;
/// The bar, and the quiet value that counts at least: below it there is the
/// machine's own noise.
constexpr int most_times = 5;
constexpr std::chrono::microseconds floor{400};
/// What may stay: fragments, and what the node keeps of the last that ended.
constexpr std::size_t memory_slack = 16u << 20;

constexpr char too_slow[] = "the others waited too long";

using stop_watch = std::chrono::steady_clock;

struct settings {
  bool timing = false;
  double seconds = 0;
  int deaths = 0;
  std::vector<std::string> names;
};

struct outcome {
  std::string ended;
  int times = 0;  ///< how often it was started
  traffic::figures before, meanwhile, after;
  std::size_t memory_before = 0, memory_most = 0, memory_after = 0;
  std::string complaint;
};

std::string kind_of(const error& why) {
  std::string text = why.code;
  if (const auto* what = why.data.is_map() ? why.data.find("what") : nullptr)
    text += " " + std::string(what->as_string());
  else if (why.cause)
    text += " " + kind_of(*why.cause);
  return text;
}

class judge {
 public:
  judge(world& w, const settings& with) : world_(w), with_(with), calls_(w.door(), w.victims()) {}

  traffic::figures quiet(double seconds) {
    calls_.begin();
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    return calls_.end();
  }

  outcome judge_one(const misdeed& m) {
    outcome o;
    if (with_.timing) o.before = quiet(with_.seconds);
    o.memory_before = world::in_use();
    calls_.begin();
    commit(m, o);
    o.meanwhile = calls_.end();
    world_.wait_until_gone();
    o.after = quiet(0.1);
    o.memory_after = world::in_use();
    weigh(m, o);
    return o;
  }

 private:
  /// Lets it do its worst until the phase is over and each of the others was
  /// called once; again and again if it ends by itself.
  void commit(const misdeed& m, outcome& o) {
    const auto end = stop_watch::now() + std::chrono::duration_cast<stop_watch::duration>(
                                             std::chrono::duration<double>(with_.seconds));
    const auto is_over = [&] { return stop_watch::now() >= end && calls_.answered() >= victims; };
    do {
      ++o.times;
      if (auto started = world_.start(m); !started) {
        o.complaint = "it did not start: " + started.error().describe();
        return;
      }
      std::optional<error> why;
      do {
        why = world_.wait_end(std::chrono::milliseconds(5));
        o.memory_most = std::max(o.memory_most, world::resident());
      } while (!why && !(m.code.empty() && is_over()));
      if (m.code.empty()) {
        if (why) {
          o.ended = kind_of(*why);
          o.complaint = "it ended, and should have been held: " + why->describe().substr(0, 300);
          return;
        }
        why = world_.kill();
        o.ended = "held; " + kind_of(*why) + " on demand";
        // It may come to its limit in the same moment.
        if (!why->is(errc::killed) && !why->is(errc::limit))
          o.complaint = "a kill ended it with " + why->describe();
        return;
      }
      o.ended = kind_of(*why);
      const auto expected = m.code + (m.what.empty() ? "" : " " + m.what);
      if (o.ended != expected) {
        o.complaint =
            "it should have ended with " + expected + ": " + why->describe().substr(0, 300);
        return;
      }
    } while (!is_over());
  }

  void weigh(const misdeed& m, outcome& o) const {
    if (!o.complaint.empty()) return;
    for (const auto* phase : {&o.before, &o.meanwhile, &o.after})
      if (phase->failed > 0)
        o.complaint =
            std::to_string(phase->failed) + " calls of others failed: " + phase->first_failure;
    if (o.memory_after > o.memory_before + memory_slack) o.complaint = "memory did not come back";
    if (with_.timing && !m.slows && o.meanwhile.p99 > most_times * std::max(o.before.p99, floor))
      o.complaint = too_slow;
  }

  world& world_;
  const settings& with_;
  traffic calls_;
};

double mib(std::size_t bytes) {
  return static_cast<double>(bytes) / (1u << 20);
}

/// Those that are over soon, or are killed while they are at it: each leaves
/// something else behind.
constexpr std::string_view deadly[] = {
    "crash_loop",         "ways_out",         "memory_rep_at_once", "names_without_end",
    "groups_without_end", "endless_loop",     "close_at_its_end",   "chatty_pairs",
    "flood_of_signals",   "many_coroutines",  "huge_names",         "endless_recursion",
    "spawn_without_end",  "huge_reason_data", "flood_at_itself"};

/// Agents are recycled and memory comes in pieces: before so many nothing can
/// be told.
constexpr int warm_up = 3 * std::size(deadly);
/// A leak of a kilobyte a death is found after some thousand.
constexpr std::size_t deaths_slack = 8u << 20;

int die(world& w, const std::vector<misdeed>& all, int wanted) {
  std::size_t before = 0;
  for (int i = 0; i < warm_up + wanted; ++i) {
    if (i == warm_up) before = world::in_use();
    const auto& m = *std::find_if(all.begin(), all.end(), [&](const misdeed& one) {
      return one.name == deadly[static_cast<std::size_t>(i) % std::size(deadly)];
    });
    if (auto started = w.start(m); !started) {
      std::printf("FAILED  %s: %s\n", m.name.c_str(), started.error().describe().c_str());
      return 1;
    }
    if (m.code.empty()) {
      static_cast<void>(w.wait_end(std::chrono::milliseconds(1)));
      static_cast<void>(w.kill());
    } else {
      static_cast<void>(w.wait_end(duration::max()));
    }
    w.wait_until_gone();
  }
  const auto after = world::in_use();
  const bool fine = after <= before + deaths_slack;
  std::printf("%-7s %d deaths: memory %.1f -> %.1f MiB\n", fine ? "ok" : "FAILED", wanted,
              mib(before), mib(after));
  return fine ? 0 : 1;
}

double ms(std::chrono::microseconds t) {
  return static_cast<double>(t.count()) / 1000;
}

void print(const misdeed& m, const outcome& o, bool timing) {
  std::printf("%-7s %-24s %-26s", o.complaint.empty() ? "ok" : "FAILED", m.name.c_str(),
              o.ended.c_str());
  if (timing)
    std::printf(" p99 %6.2f -> %7.2f ms", ms(o.before.p99), ms(o.meanwhile.p99));
  else
    std::printf(" %5zu answers", o.meanwhile.calls);
  std::printf("  memory %5.1f -> %5.1f MiB (at most %6.1f)  x%d\n", mib(o.memory_before),
              mib(o.memory_after), mib(o.memory_most), o.times);
  if (!o.complaint.empty())
    std::printf("        %s: %s\n", m.sentence.c_str(), o.complaint.c_str());
  std::fflush(stdout);
}

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs(
        "usage: abuse FOLDER [--timing] [--seconds=S] [NAME...]\n"
        "       abuse FOLDER --deaths=N\n",
        stderr);
    return 2;
  }
  settings with;
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--timing")
      with.timing = true;
    else if (word.starts_with("--deaths="))
      with.deaths = std::atoi(argv[i] + std::strlen("--deaths="));
    else if (word.starts_with("--seconds="))
      with.seconds = std::atof(argv[i] + std::strlen("--seconds="));
    else
      with.names.emplace_back(word);
  }
  if (with.seconds <= 0) with.seconds = with.timing ? 1 : 0.2;

  auto all = read_misdeeds(argv[1]);
  auto opened = all ? world::open(argv[1], victims) : result<std::unique_ptr<world>>(all.error());
  if (!opened) {
    std::fprintf(stderr, "abuse: %s\n", opened.error().describe().c_str());
    return 2;
  }
  if (with.deaths > 0) return die(**opened, *all, with.deaths);
  judge j(**opened, with);
  j.quiet(0.3);  // what is made once is made now
  int failed = 0, judged = 0;
  for (const auto& m : *all) {
    const auto wanted = std::find(with.names.begin(), with.names.end(), m.name);
    if (!with.names.empty() && wanted == with.names.end()) continue;
    auto o = j.judge_one(m);
    // A machine has hiccups of its own; three in a row are no hiccup.
    for (int again = 0; again < 2 && o.complaint == too_slow; ++again)
      o = j.judge_one(m);
    print(m, o, with.timing);
    ++judged;
    if (!o.complaint.empty()) ++failed;
  }
  std::printf("%d misdeeds, %d failed\n", judged, failed);
  return failed == 0 && judged > 0 ? 0 : 1;
}

}  // namespace
}  // namespace troupe::test

int main(int argc, char** argv) {
  return troupe::test::main(argc, argv);
}
