// SPDX-License-Identifier: Apache-2.0
//
// Specs that change under a running supervisor: OTP's code_change of a supervisor, for data.
#include <utility>

#include "actors/supervisor/api.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "base/msgpack.hpp"

namespace troupe {

namespace {

const supervisor_spec* tree_of(const child_spec& spec) {
  return std::get_if<supervisor_spec>(&spec.start);
}

bool is_simple(const supervisor_spec& spec) {
  return spec.strategy == strategy::simple_one_for_one;
}

const child_spec* find(const std::vector<child_spec>& list, std::string_view id) {
  for (const auto& spec : list)
    if (spec.id == id) return &spec;
  return nullptr;
}

result<void> check_kind(bool was_simple, const supervisor_spec& next, const std::string& path) {
  if (was_simple == is_simple(next)) return ok();
  return {errc::config, path + ": strategy: it can't change from or to simple_one_for_one while " +
                            "the supervisor runs"};
}

/// A temporary child that runs has forgotten its options.
bool is_same(const child_spec& before, const child_spec& next) {
  auto one = before.to_value(), other = next.to_value();
  if (before.restart == restart_type::temporary && before.options.as_map().empty())
    other.set("options", value::map{});
  return one == other;
}

/// Is the size of a pool all that is new?
bool is_resized(const child_spec& before, const child_spec& next) {
  if (!before.pool || !next.pool || before.pool->size == next.pool->size) return false;
  auto resized = before;
  resized.pool->size = next.pool->size;
  return is_same(resized, next);
}

/// What is new between two trees, as paths below the upper one.
struct changes {
  value added = value::array{}, changed = value::array{}, kept = value::array{};

  void note(const std::vector<child_spec>& before, const std::vector<child_spec>& next,
            const std::string& above) {
    for (const auto& spec : next) {
      const auto path = above + spec.id;
      const auto* old = find(before, spec.id);
      if (old == nullptr) {
        added.push(path);
        continue;
      }
      if (!is_same(*old, spec)) changed.push(path);
      const auto *inner = tree_of(*old), *next_inner = tree_of(spec);
      if (inner != nullptr && next_inner != nullptr)
        note(inner->children, next_inner->children, path + "/");
    }
    for (const auto& spec : before)
      if (find(next, spec.id) == nullptr) kept.push(above + spec.id);
  }
};

/// May a tree that runs become the next one, all the way down?
result<void> check(const child_spec& before, const child_spec& next, const std::string& path) {
  const auto *inner = tree_of(before), *next_inner = tree_of(next);
  if (inner == nullptr || next_inner == nullptr) return ok();
  TROUPE_CHECK(check_kind(is_simple(*inner), *next_inner, path));
  for (const auto& spec : next_inner->children)
    if (const auto* old = find(inner->children, spec.id))
      TROUPE_CHECK(check(*old, spec, path + "/" + spec.id));
  return ok();
}

}  // namespace

result<value> supervisor::upgrade(context& ctx, const envelope& e, const value& tree) {
  if (options_.is_implicit)
    return error(errc::unsupported, "what an agent spawns has no tree that could be changed");
  const auto& own = ctx.own_authority();
  std::string missing;
  if (e.sender && own && !(e.from == parent_) && !e.sender->grants.covers(own->grants, &missing))
    return error(errc::denied, e.sender->path + " needs " + missing + " to change the specs of " +
                                   ctx.path() + ", which has it");
  TROUPE_TRY(next, supervisor_spec_from(tree, options_.base_folder));
  return merge(ctx, std::move(next));
}

result<value> supervisor::reload(context& ctx, const envelope&) {
  if (!options_.reads)
    return error(errc::unsupported, ctx.path() + " has no file of its own to be read again");
  TROUPE_TRY(next, options_.reads());
  return merge(ctx, std::move(next));
}

/// All or nothing: what can fail comes first.
result<value> supervisor::merge(context& ctx, supervisor_spec next) {
  TROUPE_CHECK(check_kind(is_simple(), next, ctx.path()));
  std::vector<child_spec> before;
  if (is_simple()) before.push_back(*template_);
  for (const auto& [key, c] : children_)
    if (!is_simple()) before.push_back(*c.spec);
  for (const auto& spec : next.children)
    if (const auto* old = find(before, spec.id))
      TROUPE_CHECK(check(*old, spec, path_of(ctx, spec.id)));
  changes seen;
  seen.note(before, next.children, "");

  auto specs = std::exchange(next.children, {});
  options_.spec = std::move(next);
  if (is_simple()) {
    template_ = std::make_shared<const child_spec>(std::move(specs.front()));
    for (auto& [key, c] : children_)
      c.spec = template_;
  } else {
    std::vector<child_record*> waiting, order;
    for (const auto& r : requests_)
      waiting.push_back(r.call ? nullptr : children_.find(r.child));
    for (auto& one : specs) {
      auto spec = std::make_shared<const child_spec>(std::move(one));
      auto* c = children_.find(spec->id);
      if (c == nullptr) {
        const auto id = spec->id;
        c = &children_.add(id, spec, ctx.own_authority());
      }
      const auto before = std::exchange(c->spec, std::move(spec));
      order.push_back(c);
      if (is_resized(*before, *c->spec))
        tell(ctx, *c, supervisor_api::resize_pool, c->spec->pool->size);
      else if (tree_of(*c->spec) != nullptr && !c->spec->pool && !is_same(*before, *c->spec))
        tell(ctx, *c, supervisor_api::upgrade, c->spec->to_value()["start"]);
    }
    children_.reorder(order);
    for (std::size_t i = 0; i < waiting.size(); ++i)
      if (waiting[i] != nullptr) requests_[i].child = waiting[i]->key;
    retries_.clear();
    for (const auto& [key, c] : children_)
      if (c.retry_at) retries_.insert({*c.retry_at, key});
  }
  value v = value::map{};
  v.set("added", seen.added).set("changed", seen.changed).set("kept", seen.kept);
  return v;
}

/// Tells a supervisor below that runs what its tree is now, or a pool its size. One that can't take
/// it has it at its next start.
void supervisor::tell(context& ctx, const child_record& c, std::string_view verb,
                      const value& what) {
  if (c.state != child_state::running || c.has_ended) return;
  auto body = pack(value(value::array{what}));
  if (!body)
    return report(ctx, log_level::error, "the specs of a supervisor were not changed", "upgrade",
                  path_of(ctx, c), body.error());
  const auto id = new_id();
  questions_[id] = {no_cause, path_of(ctx, c)};
  ctx.call(no_cause, id, c.at, verb, std::move(*body), {.timeout = duration::max()});
}

}  // namespace troupe
