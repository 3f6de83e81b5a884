// SPDX-License-Identifier: Apache-2.0
//
// A plugin's model provider as a model_codec.
#pragma once

#include <memory>
#include <string>

#include "plugin/codec.hpp"
#include "plugin/plugin_instance.hpp"

namespace troupe {

/// `provider` is one of `plugin`'s. See codec_source::make_codec.
result<std::unique_ptr<model_codec>> make_plugin_codec(std::shared_ptr<plugin_instance> plugin,
                                                       const troupe_model_provider_t* provider,
                                                       const value& options,
                                                       const std::string& folder);

}  // namespace troupe
