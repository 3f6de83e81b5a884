// SPDX-License-Identifier: Apache-2.0
//
// What every actor in C++ does with a call: read its arguments, answer or refuse it.
#pragma once

#include <string>
#include <utility>

#include "agent/context.hpp"
#include "base/msgpack.hpp"

namespace troupe {

/// The arguments of a send or call. Fails with bad_argument if there are more than `most`.
inline result<value::array> arguments(const envelope& e, std::size_t most) {
  TROUPE_TRY(args, unpack(e.body.view()));
  auto* list = args.get_if<value::array>();
  if (list == nullptr || list->size() > most)
    return error(errc::bad_argument,
                 e.verb + ": expected a list of at most " + std::to_string(most) + " arguments");
  return std::move(*list);
}

/// Ends a message with a failure.
inline void refuse(context& ctx, cause_id cause, const error& why) {
  ctx.fail(cause, why);
  ctx.done(cause);
}

/// Ends a message with an answer.
inline void answer(context& ctx, cause_id cause, const value& v) {
  auto body = pack(v);
  if (!body) return refuse(ctx, cause, body.error());
  ctx.reply(cause, std::move(*body));
  ctx.done(cause);
}

}  // namespace troupe
