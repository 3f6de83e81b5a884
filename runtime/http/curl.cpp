// SPDX-License-Identifier: Apache-2.0
#include "http/curl.hpp"

#include <dlfcn.h>

#include <string>

namespace troupe {

namespace {

curl_functions functions;

result<void> load() {
  // It stays: threads of its own may run until the process ends.
  void* library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr)
    return {errc::io, "http: libcurl can't be loaded: " + std::string(dlerror())};
#define TROUPE_X(name)                                                                        \
  functions.name = reinterpret_cast<decltype(functions.name)>(dlsym(library, "curl_" #name)); \
  if (functions.name == nullptr) return {errc::io, "http: libcurl has no function curl_" #name};
  TROUPE_CURL_FUNCTIONS(TROUPE_X)
#undef TROUPE_X
  if (functions.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return {errc::io, "http: libcurl can't be initialised"};
  return ok();
}

}  // namespace

result<void> load_curl() {
  static const auto loaded = load();
  return loaded;
}

const curl_functions& curl() {
  return functions;
}

}  // namespace troupe
