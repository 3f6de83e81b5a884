// SPDX-License-Identifier: Apache-2.0
//
// libcurl, loaded when it is first used: some thirty libraries come with it, which cost every start
// of a node two milliseconds and six megabytes, and most nodes ask nobody over HTTP at first.
#pragma once

#include <curl/curl.h>

#include "base/result.hpp"

namespace troupe {

// clang-format off
#define TROUPE_CURL_FUNCTIONS(X) \
  X(easy_cleanup) X(easy_getinfo) X(easy_init) \
  X(easy_pause) X(easy_setopt) X(easy_strerror) \
  X(free) X(global_init) X(multi_add_handle) \
  X(multi_cleanup) X(multi_info_read) X(multi_init) \
  X(multi_remove_handle) X(multi_setopt) X(multi_socket_action) \
  X(multi_strerror) X(slist_append) X(slist_free_all) \
  X(url) X(url_cleanup) X(url_get) \
  X(url_set) X(url_strerror)
// clang-format on

/// Each as curl.h declares it, without `curl_`.
struct curl_functions {
#define TROUPE_X(name) decltype(&curl_##name) name = nullptr;
  TROUPE_CURL_FUNCTIONS(TROUPE_X)
#undef TROUPE_X
};

/// Thread-safe. Fails with io where the library is missing or can't be initialised.
result<void> load_curl();
/// Only after load_curl.
const curl_functions& curl();

/// For unique_ptr.
template <auto function>
struct curl_deleter {
  template <class T>
  void operator()(T* handle) const {
    (curl().*function)(handle);
  }
};

}  // namespace troupe
