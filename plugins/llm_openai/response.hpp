// SPDX-License-Identifier: Apache-2.0
//
// From the objects of a chat completion, whole or in chunks, to events: puts tool calls together
// and knows when the answer is over.
#pragma once

#include <string>
#include <troupe/codec.hpp>
#include <vector>

#include "request.hpp"

class answer_reader {
 public:
  answer_reader(const troupe::sdk::host& node, std::string endpoint, tool_names names)
      : node_(node), endpoint_(std::move(endpoint)), names_(std::move(names)) {}

  /// One chunk of a stream. True: that was the end (an error).
  bool take_chunk(const troupe::sdk::value& chunk, const troupe::sdk::events& out);
  /// The whole answer of a request that did not stream, and its end.
  void take_whole(const troupe::sdk::value& answer, const troupe::sdk::events& out);
  /// The stream is over; `was_closed`: by its own last word rather than by its last byte.
  void end(bool was_closed, const troupe::sdk::events& out);

 private:
  struct call {
    std::int64_t index;  ///< as the endpoint counts; below zero: it does not
    std::string id, name, args;
    bool is_announced = false;
  };

  void take_text(const troupe::sdk::value& message, const troupe::sdk::events& out);
  void take_calls(const troupe::sdk::value& calls, const troupe::sdk::events& out);
  void take_usage(const troupe::sdk::value& usage, const troupe::sdk::events& out);
  call& call_for(const troupe::sdk::value& piece);
  void put_calls(const troupe::sdk::events& out);

  const troupe::sdk::host& node_;
  std::string endpoint_;
  tool_names names_;
  std::vector<call> calls_;
  std::string model_;
  std::string finish_;
  bool refused_ = false;
};
