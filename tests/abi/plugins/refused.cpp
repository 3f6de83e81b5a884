// SPDX-License-Identifier: Apache-2.0
//
// Plugins that must be refused when they are loaded, one for each REFUSED_... that is defined.
#include <troupe/ext/agents.h>
#include <troupe/ext/tools.h>
#include <troupe/plugin.h>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>

#if defined(REFUSED_major)
#define MAJOR 2u
#else
#define MAJOR TROUPE_ABI_MAJOR
#endif
#if defined(REFUSED_minor)
#define MINOR 99u
#else
#define MINOR TROUPE_ABI_MINOR
#endif

namespace {

// Runs at dlopen: what does not fit must be refused before that.
struct canary {
  canary() { setenv("TROUPE_TEST_CANARY", "dead", 1); }
} const sings;

[[maybe_unused]] std::int32_t open_plugin(const troupe_host_t*, void**,
                                          const troupe_result_t* result) {
#if defined(REFUSED_open_throws)
  throw std::runtime_error("no luck");
#elif defined(REFUSED_open_fails)
  return troupe_fail(result, "not_found", "the licence server is closed");
#elif defined(REFUSED_open_is_silent)
  return TROUPE_FAILED;
#elif defined(REFUSED_open_garbage)
  return 77;
#endif
  (void)result;
  return TROUPE_OK;
}

std::int32_t call(void*, const troupe_tool_t*, const troupe_tool_call_t*, troupe_answer_t*) {
  return TROUPE_DONE;
}

const char not_text[] = "\xff\xfe";

[[maybe_unused]] const void* get_extension(void*, troupe_text_t id) {
  if (!troupe_text_is(id, TROUPE_TOOLS)) return nullptr;
  static troupe_tool_t tool{};
  tool.size = sizeof tool;
  tool.name = troupe_text("refused.tool");
  tool.parameters = troupe_text("{}");
  tool.call = call;
  static const troupe_tool_t* tools[] = {&tool, &tool};
  static troupe_tools_t list{sizeof list, 1, tools};
#if defined(REFUSED_list_small)
  list.size = 3;
#elif defined(REFUSED_list_huge)
  list.count = 0xffffffffu;
#elif defined(REFUSED_list_null)
  list.tools = nullptr;
#elif defined(REFUSED_record_null)
  tools[0] = nullptr;
#elif defined(REFUSED_record_small)
  tool.size = 8;
#elif defined(REFUSED_record_text)
  tool.name = troupe_text(not_text);
#elif defined(REFUSED_record_function)
  tool.call = nullptr;
#elif defined(REFUSED_other_tool)
  tool.name = troupe_text("refused.other");
#elif defined(REFUSED_tool_twice)
  list.count = 2;
#elif defined(REFUSED_offers_nothing)
  return nullptr;
#elif defined(REFUSED_extension_throws)
  throw 42;
#endif
  return &list;
}

}  // namespace

#if !defined(REFUSED_no_symbol)
const troupe_plugin_t troupe_plugin = {
    MAJOR,
    MINOR,
#if defined(REFUSED_size)
    16,
#else
    sizeof(troupe_plugin_t),
#endif
    0,
#if defined(REFUSED_name)
    TROUPE_LITERAL("somebody"),
#elif defined(REFUSED_name_text)
    {not_text, 2},
#elif defined(REFUSED_name_null)
    {nullptr, 8},
#else
    TROUPE_LITERAL("refused"),
#endif
#if defined(REFUSED_version)
    TROUPE_LITERAL("9.9.9"),
#else
    TROUPE_LITERAL("1.0.0"),
#endif
    open_plugin,
    nullptr,
#if defined(REFUSED_no_function)
    nullptr,
#else
    get_extension,
#endif
};
#endif
