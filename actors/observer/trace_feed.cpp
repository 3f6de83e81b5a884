// SPDX-License-Identifier: Apache-2.0
#include "actors/observer/trace_feed.hpp"

#include <algorithm>
#include <utility>

#include "actors/observer/api.hpp"
#include "base/msgpack.hpp"

namespace troupe {

// A slot is written while it is closed and nobody uses it. Who reads says so first and looks then
// whether it is open: either it sees that it is closed, or the writer sees that it is used.
class trace_feed::use {
 public:
  explicit use(const slot& s) : slot_(s) {
    slot_.users.fetch_add(1);
    trace = slot_.trace.load();
  }
  ~use() { slot_.users.fetch_sub(1); }
  use(const use&) = delete;
  use& operator=(const use&) = delete;

  std::uint64_t trace = 0;

 private:
  const slot& slot_;
};

result<std::uint64_t> trace_feed::open(std::string glob, const address& reader,
                                       const trace_limits& limits) {
  for (auto& s : slots_) {
    if (s.trace.load() != 0 || s.users.load() != 0) continue;
    s.glob = std::move(glob);
    s.reader = reader;
    s.limits = limits;
    s.taken = s.under_way = s.left_out = s.second = s.in_second = 0;
    s.trace = ++last_;
    generation_.fetch_add(1);
    return last_;
  }
  return error(errc::overloaded, std::to_string(most_traces) + " traces go on already");
}

trace_feed::slot* trace_feed::find(std::uint64_t trace) {
  const auto is_it = [&](const slot& s) { return s.trace.load() == trace; };
  const auto at = std::find_if(slots_.begin(), slots_.end(), is_it);
  return at != slots_.end() ? &*at : nullptr;
}

void trace_feed::close(std::uint64_t trace) {
  auto* s = find(trace);
  if (s == nullptr) return;
  s->trace = 0;
  generation_.fetch_add(1);
}

void trace_feed::close_all() {
  for (auto& s : slots_)
    s.trace = 0;
  generation_.fetch_add(1);
}

void trace_feed::handled(std::uint64_t trace) {
  if (auto* s = find(trace)) s->under_way.fetch_sub(1, std::memory_order_relaxed);
}

std::int64_t trace_feed::left_out(std::uint64_t trace) const {
  const auto* s = const_cast<trace_feed*>(this)->find(trace);
  return s != nullptr ? s->left_out.load(std::memory_order_relaxed) : 0;
}

std::uint32_t trace_feed::wanted(std::string_view path) const {
  std::uint32_t found = 0;
  if (path == observer_api::name) return found;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const use open(slots_[i]);
    if (open.trace != 0 && glob_matches(slots_[i].glob, path)) found |= 1u << i;
  }
  return found;
}

/// True if one more message fits into the limits.
bool trace_feed::take(slot& s) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(time_.now().time_since_epoch());
  auto second = s.second.load(std::memory_order_relaxed);
  if (second != now.count() && s.second.compare_exchange_strong(second, now.count()))
    s.in_second.store(0, std::memory_order_relaxed);
  const bool fits = s.in_second.fetch_add(1, std::memory_order_relaxed) < s.limits.rate &&
                    s.under_way.load(std::memory_order_relaxed) < most_under_way;
  if (!fits) {
    s.left_out.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  return s.taken.fetch_add(1, std::memory_order_relaxed) < s.limits.count;
}

void trace_feed::on_message(std::uint32_t traces, const traced_message& m) {
  if (m.peer == observer_api::name) return;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if ((traces >> i & 1) == 0) continue;
    auto& s = slots_[i];
    const use open(s);
    // What its reader does with it would be traced in turn, without an end.
    if (open.trace == 0 || m.what.from == s.reader || m.what.to == s.reader || !take(s)) continue;
    auto body = packed(open.trace, s, m);
    s.under_way.fetch_add(1, std::memory_order_relaxed);
    if (!body || !to_->post("traced", std::move(*body)))
      s.under_way.fetch_sub(1, std::memory_order_relaxed);
  }
}

result<bytes> trace_feed::packed(std::uint64_t trace, const slot& s,
                                 const traced_message& m) const {
  const auto& e = m.what;
  const std::chrono::duration<double> since = time_.wall().time_since_epoch();
  value v;
  v.set("trace", static_cast<std::int64_t>(trace)).set("at", since.count());
  v.set("kind", to_string(e.kind)).set("path", m.path).set("peer", m.peer);
  v.set("out", m.is_outgoing).set("size", static_cast<std::int64_t>(e.body.size()));
  if (!e.verb.empty()) v.set("verb", e.verb);
  if (e.kind == kind::error || e.kind == kind::down || e.kind == kind::exit) {
    auto why = unpack_error(e.body);
    why.traceback.clear();
    v.set("reason", why.describe());
  } else if (!e.body.empty() && e.body.size() <= s.limits.body) {
    if (auto said = unpack(e.body.view())) v.set("body", std::move(*said));
  }
  return pack(v);
}

}  // namespace troupe
