// SPDX-License-Identifier: Apache-2.0
//
// The broker: the one road from agents to models. It finds the model by name, checks grant and
// budget, lets a codec turn the request into HTTP, sends it through the node's client, streams what
// comes back under the caller's credit, retries what may be retried, and counts what was used. It
// holds the keys; codecs and agents never see one.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "actors/llm/ledger.hpp"
#include "actors/llm/retry.hpp"
#include "agent/behaviour.hpp"
#include "agent/context.hpp"
#include "http/client.hpp"
#include "plugin/codec.hpp"

namespace troupe {

/// A model of an app: what its table says, taken apart.
struct model_settings {
  /// Known keys: provider, api_key, price = { input, output, cached } per million tokens, retries
  /// (of retry_policy), first_byte_timeout, idle_timeout (seconds), max_tokens; everything else is
  /// the codec's. Fails with config.
  static result<model_settings> from(const std::string& name, const value& table);

  std::string name;
  std::string provider;
  std::string model;  ///< the provider's name of it; may be empty
  std::string api_key;
  value for_codec;         ///< the table without the key
  bool has_price = false;  ///< without one, no agent under a budget of cost may use it
  double input_price = 0, output_price = 0, cached_price = 0;
  std::uint64_t max_tokens = 4096;  ///< reserved for an answer if the request says nothing
  duration first_byte_timeout = std::chrono::seconds(120);
  duration idle_timeout = std::chrono::seconds(60);
  retry_policy retries;
};

/// A model that can be asked: its settings, and the codec of its provider.
struct open_model {
  /// Fails as model_settings::from or codec_source::make_codec does, naming the model.
  static result<open_model> from(const std::string& name, const value& table, codec_source& codecs,
                                 const std::string& folder);

  model_settings with;
  std::unique_ptr<model_codec> codec;
};

class llm final : public behaviour {
 public:
  struct settings {
    std::map<std::string, value> models;
    std::string folder;  ///< where relative paths in a model's table start
  };
  /// `codecs` and `client` outlive it.
  llm(settings with, codec_source& codecs, http_client& client);
  ~llm() override;

  progress receive(context& ctx, envelope_ptr e) override;
  concurrency overlap() const override { return {.slots = concurrency::unlimited}; }
  value inspect() const override;

 private:
  struct request;

  result<void> open_models();
  void on_chat(context& ctx, envelope& e);
  void on_http(context& ctx, const envelope& e);
  void on_timer(context& ctx, timer_id id);
  void attempt(context& ctx, request& r);
  void play(context& ctx, request& r);
  void take(context& ctx, request& r, model_events events);
  void flush(context& ctx, request& r);
  void on_failure(context& ctx, request& r, error why, model_fault fault);
  void succeed(context& ctx, request& r);
  void fail(context& ctx, request& r, const error& why);
  void stop_attempt(request& r);
  void drop(context& ctx, cause_id on);
  void on_down(monitor_id id);
  void settle(context& ctx, request& r);
  request* find_http(request_id id);

  settings with_;
  codec_source& codecs_;
  http_client& client_;
  outlet outlet_;
  std::map<std::string, open_model> models_;
  std::map<cause_id, std::unique_ptr<request>> requests_;
  std::map<request_id, cause_id> by_http_;
  ledger ledger_;
  std::map<monitor_id, std::string> watched_;  ///< temporary agents with a budget
  monitor_id last_monitor_ = 0;
  std::uint64_t retried_ = 0;
};

}  // namespace troupe
