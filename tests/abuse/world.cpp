// SPDX-License-Identifier: Apache-2.0
#include "abuse/world.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace troupe::test {

namespace {

/// Longer than anything here lasts.
constexpr auto patience = std::chrono::hours(1);

}  // namespace

result<std::vector<misdeed>> read_misdeeds(const std::string& folder) {
  std::vector<misdeed> all;
  for (const auto& file : std::filesystem::directory_iterator(folder + "/misdeeds")) {
    misdeed m;
    m.name = file.path().stem();
    std::ifstream in(file.path());
    std::string verdict, excuse;
    std::getline(in, m.sentence);
    std::getline(in, verdict);
    std::getline(in, excuse);
    m.slows = excuse.starts_with("-- slows: ");
    std::istringstream words(verdict);
    std::string dashes, how;
    words >> dashes >> how;
    if (!m.sentence.starts_with("-- ") || dashes != "--" || (how != "ends:" && how != "held"))
      return error(errc::config, file.path().string() +
                                     ": its first two lines do not say what it "
                                     "does and how it ends");
    m.sentence.erase(0, 3);
    if (how == "ends:") std::getline(words >> m.code >> std::ws, m.what);
    all.push_back(std::move(m));
  }
  std::sort(all.begin(), all.end(),
            [](const misdeed& a, const misdeed& b) { return a.name < b.name; });
  return all;
}

result<std::unique_ptr<world>> world::open(const std::string& folder, std::size_t victims) {
  std::unique_ptr<world> w(new world);
  w->folder_ = folder;
  app what;
  what.name = "abuse";
  what.folder = folder;
  what.grants = grants::all();
  const auto add = [&](std::string id) {
    child_spec spec;
    spec.id = std::move(id);
    spec.start = start_script{"victim.lua"};
    spec.base_folder = folder;
    what.tree.children.push_back(std::move(spec));
  };
  for (std::size_t i = 1; i <= victims; ++i) {
    w->victims_.push_back("v" + std::to_string(i));
    add(w->victims_.back());
  }
  add("target");
  node_settings settings;
  settings.screen.fd = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  settings.shows_crashes = false;
  TROUPE_TRY(opened, node::open(settings, std::move(what)));
  w->node_ = std::move(opened);
  w->population_ = w->node_->agents().population();
  return w;
}

world::~world() = default;

result<void> world::start(const misdeed& m) {
  child_spec spec;
  spec.id = "culprit";
  spec.start = start_script{"misdeeds/" + m.name + ".lua"};
  spec.base_folder = folder_;
  auto all = std::make_shared<authority>();
  all->grants = grants::all();
  TROUPE_TRY(init, node_->launcher().prepare(spec, {spec.id, door().self(), all, folder_}));
  TROUPE_TRY(culprit, door().start(std::move(init)));
  culprit_ = culprit;
  reason_.reset();
  door().monitor(culprit, [this](error why) {
    const std::lock_guard lock(mutex_);
    reason_ = std::move(why);
    ended_.notify_all();
  });
  door().send(culprit, "go", *pack(value(value::array{})));
  return ok();
}

std::optional<error> world::wait_end(duration limit) {
  std::unique_lock lock(mutex_);
  const auto has_ended = [this] { return reason_.has_value(); };
  if (limit == duration::max())
    ended_.wait(lock, has_ended);
  else
    ended_.wait_for(lock, limit, has_ended);
  return reason_;
}

error world::kill() {
  door().exit(culprit_, {errc::kill, "the phase is over"});
  return *wait_end(duration::max());
}

void world::wait_until_gone() {
  while (node_->agents().population() > population_)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  // What it left behind for `target` is handled when that has answered.
  static_cast<void>(door().call(std::string("target"), "ask", *pack(value(value::array{1})),
                                {.timeout = patience}));
}

std::size_t world::in_use() {
  // Not what is resident: which pages an allocator keeps is chance.
  const auto all = mallinfo2();
  return all.uordblks + all.hblkhd;
}

std::size_t world::resident() {
  std::ifstream in("/proc/self/statm");
  std::size_t size = 0, pages = 0;
  in >> size >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace troupe::test
