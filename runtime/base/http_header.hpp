// SPDX-License-Identifier: Apache-2.0
//
// One header of an HTTP message: what the codecs of plugin/ write and http/ sends.
#pragma once

#include <string>

namespace troupe {

struct http_header {
  std::string name;
  std::string value;
};

}  // namespace troupe
