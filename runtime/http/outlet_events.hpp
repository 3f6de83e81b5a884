// SPDX-License-Identifier: Apache-2.0
//
// The bridge from the http thread to an agent: what becomes of a request arrives as events.
#pragma once

#include <memory>

#include "agent/context.hpp"
#include "http/client.hpp"

namespace troupe {

/// A sink that posts to `to`:
///
/// | verb        | body                                                                         |
/// |-------------|------------------------------------------------------------------------------|
/// | `http.head` | `{ id, status, url, headers }`; names in lower case, repeats joined by `, ` |
/// | `http.data` | `{ id, data }`, data as binary                                               |
/// | `http.end`  | `{ id }`, and `error` (an error record) unless it went well                  |
///
/// `id` is what http_client::start returned; start and the first event can't overtake each other,
/// as events come in a later turn. Events don't count towards a mailbox's bounds: a stream's credit
/// is what bounds them, so grant it as `http.data` is worked off. A request whose agent has ended
/// is cancelled at its next sign of life; an agent that ends should cancel its requests itself.
std::unique_ptr<http_sink> outlet_events(outlet to);

}  // namespace troupe
