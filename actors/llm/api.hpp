// SPDX-License-Identifier: Apache-2.0
//
// Messages of the broker, the agent named `llm`.
//
// | verb   | arguments   | answer |
// |--------|-------------|--------------------------------------------------------------------|
// | chat   | one request | { text, calls = list of { id, name, args, raw }, stop, model,        |
// |        |             |   usage = { input, output, cached, cost } }                          |
// | models |             | list of { name, provider, model, price }: those the caller may use   |
// | usage  |             | list of { place, input, output, cached, cost, calls, time }: the     |
// |        |             |   caller and what is below it; with a grant of `call` for `llm`      |
// |        |             |   every place; of 10 000 places at most, those that spent last       |
// | left   |             | { tokens, cost, calls, time }: what the caller's budgets still hold; |
// |        |             |   a key is missing where nothing caps it                             |
//
// A request is the chat request of sdk/include/troupe/ext/models.h, but `model` is a name of the
// app (default: `default`). Parts, if the caller gives credit: { text } in order, the same text as
// in the answer. `args` is nil where a model's arguments are no JSON; `raw` shows them.
//
// Errors: denied (the caller has no grant for the model), not_found (no such model), config (a
// budget of the caller caps the cost, and the model has no price), budget, and those of the
// endpoint: unreachable, unauthorized, rate_limited, bad_request, bad_response, unavailable,
// timeout. All that may be tried again has been, before the error is answered.
#pragma once

#include <string_view>

namespace troupe::llm_api {

inline constexpr std::string_view name = "llm";
inline constexpr std::string_view chat = "chat";
inline constexpr std::string_view models = "models";
inline constexpr std::string_view usage = "usage";
inline constexpr std::string_view left = "left";

}  // namespace troupe::llm_api
