// SPDX-License-Identifier: Apache-2.0
#include "actors/llm/ledger.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

std::string amount(double x) {
  auto text = std::to_string(x);
  while (text.ends_with('0'))
    text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

void take_out(spending& from, const spending& what) {
  from.input -= what.input;
  from.output -= what.output;
  from.cost -= what.cost;
  from.calls -= what.calls;
}

bool is_below(std::string_view path, std::string_view top) {
  return top.empty() || path == top ||
         (path.starts_with(top) && path.substr(top.size()).starts_with('/'));
}

std::string_view above(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

value to_value(const spending& s) {
  value v;
  v.set("input", s.input).set("output", s.output).set("cached", s.cached);
  v.set("cost", s.cost).set("calls", s.calls).set("time", s.time);
  return v;
}

}  // namespace

spending& spending::operator+=(const spending& other) {
  input += other.input;
  output += other.output;
  cached += other.cached;
  cost += other.cost;
  calls += other.calls;
  time += other.time;
  return *this;
}

std::string budget_of(const budget_place& place) {
  return "the budget of " + (place.path.empty() ? "the app" : place.path);
}

const budget_place* place_with_cost(const authority& who) {
  for (const auto& place : who.budgets)
    if (place.cost) return &place;
  return nullptr;
}

ledger::account ledger::seen(const budget_place& place, instant now) const {
  const auto at = budgets_.find(place.path);
  account a;
  a.period_began = now;
  if (at != budgets_.end()) a = at->second;
  if (place.per != duration::zero() && now - a.period_began >= place.per) {
    a.period_began = now;
    a.spent = {};
    a.warned = false;
  }
  return a;
}

ledger::account& ledger::of(const budget_place& place, instant now) {
  auto [at, is_new] = budgets_.insert_or_assign(place.path, seen(place, now));
  if (is_new && place.is_temporary) opened_.push_back(place.path);
  return at->second;
}

result<void> ledger::reserve(const authority& who, const spending& most, instant now) {
  for (const auto& place : who.budgets) {
    const auto a = seen(place, now);
    const auto refuse = [&](const char* what, const std::string& left, const std::string& wanted) {
      std::string text = budget_of(place);
      text.append(" has ").append(left).append(" ").append(what);
      error e(errc::budget, text.append(" left, and this call may need ").append(wanted));
      e.data.set("place", place.path).set("what", what);
      return e;
    };
    const auto tokens = static_cast<std::int64_t>(a.spent.tokens() + a.reserved.tokens());
    if (place.tokens && tokens + static_cast<std::int64_t>(most.tokens()) > *place.tokens)
      return refuse("tokens", std::to_string(std::max<std::int64_t>(0, *place.tokens - tokens)),
                    std::to_string(most.tokens()));
    const auto calls = static_cast<std::int64_t>(a.spent.calls + a.reserved.calls);
    if (place.calls && calls + 1 > *place.calls) return refuse("calls", "0", "1");
    const double cost = a.spent.cost + a.reserved.cost;
    if (place.cost && cost + most.cost > *place.cost)
      return refuse("of its cost", amount(std::max(0.0, *place.cost - cost)), amount(most.cost));
    if (place.time && a.spent.time >= *place.time)
      return refuse("seconds of its time", "0", "some");
  }
  for (const auto& place : who.budgets)
    of(place, now).reserved += most;
  return ok();
}

void ledger::settle(const authority& who, const spending& reserved, const spending& used,
                    instant now) {
  for (const auto& place : who.budgets) {
    auto& a = of(place, now);
    take_out(a.reserved, reserved);
    a.spent += used;
    const bool passed = (place.tokens && static_cast<double>(a.spent.tokens()) >=
                                             place.warn * static_cast<double>(*place.tokens)) ||
                        (place.calls && static_cast<double>(a.spent.calls) >=
                                            place.warn * static_cast<double>(*place.calls)) ||
                        (place.cost && a.spent.cost >= place.warn * *place.cost) ||
                        (place.time && a.spent.time >= place.warn * *place.time);
    if (passed && !std::exchange(a.warned, true)) warnings_.push_back(place.path);
    if (a.is_closed && a.reserved.calls == 0) budgets_.erase(place.path);
  }
  if (used.tokens() == 0 && used.calls == 0 && used.time <= 0) return;
  count(who.path, used);
  while (rows_.size() > most_rows_ && !leaves_.empty())
    forget_oldest();
}

/// In the row of that place and in those of all above it.
void ledger::count(std::string_view path, const spending& used) {
  ++last_;
  for (bool is_new_below = false;;) {
    auto at = rows_.find(path);
    const bool is_new = at == rows_.end();
    if (is_new) at = rows_.try_emplace(std::string(path)).first;
    auto& r = at->second;
    if (r.below == 0 && !is_new) leaves_.erase({r.last, at->first});
    r.spent += used;
    r.last = last_;
    if (is_new_below) ++r.below;
    if (r.below == 0) leaves_.insert({r.last, at->first});
    if (path.empty()) return;
    is_new_below = is_new;
    path = above(path);
  }
}

void ledger::forget_oldest() {
  const auto path = leaves_.extract(leaves_.begin()).value().second;
  rows_.erase(path);
  if (path.empty()) return;
  const auto up = rows_.find(above(path));
  if (--up->second.below == 0) leaves_.insert({up->second.last, up->first});
}

void ledger::close(const std::string& path) {
  for (auto at = budgets_.lower_bound(path); at != budgets_.end() && at->first.starts_with(path);) {
    auto& [place, a] = *at;
    const bool is_its = is_below(place, path);
    if (is_its) a.is_closed = true;
    at = is_its && a.reserved.calls == 0 ? budgets_.erase(at) : std::next(at);
  }
}

value ledger::left(const authority& who, instant now) const {
  value v = value::map{};
  const auto least = [&](const char* key, value amount) {
    const auto* known = v.find(key);
    if (known == nullptr || amount.as_double() < known->as_double()) v.set(key, std::move(amount));
  };
  for (const auto& place : who.budgets) {
    const auto a = seen(place, now);
    const auto tokens = static_cast<std::int64_t>(a.spent.tokens() + a.reserved.tokens());
    const auto calls = static_cast<std::int64_t>(a.spent.calls + a.reserved.calls);
    if (place.tokens) least("tokens", std::max<std::int64_t>(0, *place.tokens - tokens));
    if (place.calls) least("calls", std::max<std::int64_t>(0, *place.calls - calls));
    if (place.time) least("time", std::max(0.0, *place.time - a.spent.time));
    if (place.cost) least("cost", std::max(0.0, *place.cost - a.spent.cost - a.reserved.cost));
  }
  return v;
}

value ledger::below(std::string_view top) const {
  value v = value::array{};
  for (const auto& [path, known] : rows_) {
    if (!is_below(path, top)) continue;
    value one = to_value(known.spent);
    one.set("place", path);
    v.push(std::move(one));
  }
  return v;
}

std::vector<std::string> ledger::take_opened() {
  return std::exchange(opened_, {});
}

std::vector<std::string> ledger::take_warnings() {
  return std::exchange(warnings_, {});
}

}  // namespace troupe
