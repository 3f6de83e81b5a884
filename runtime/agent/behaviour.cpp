// SPDX-License-Identifier: Apache-2.0
#include "agent/behaviour.hpp"

#include "agent/answers.hpp"
#include "agent/control.hpp"

namespace troupe {

progress behaviour::control(context& ctx, envelope_ptr request) {
  const auto& verb = request->verb;
  if (verb == inspect_verb)
    answer(ctx, request->cause, inspect());
  else if (verb == suspend_verb || verb == resume_verb)
    answer(ctx, request->cause, true);  // the process has done all there is to do
  else
    refuse(ctx, request->cause,
           {errc::unsupported, ctx.path() + " is no script: " + verb + " means nothing to it"});
  return progress::idle;
}

}  // namespace troupe
