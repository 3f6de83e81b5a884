# SPDX-License-Identifier: Apache-2.0
#
# troupe_add_plugin(NAME SOURCES file... [LINK target...] [MANIFEST plugin.json] [DESTINATION folder])
#
# Builds the plugin NAME, in C or C++, as <build>/plugins/NAME/NAME.so beside a copy of its plugin.json:
# a folder that can be handed to a node as it is. It exports the one symbol `troupe_plugin` and nothing
# else, and fails to link where a symbol is missing. Installs that folder below DESTINATION (default
# lib/troupe/plugins). The plugin sees the headers of the SDK; set TROUPE_SANITIZE to build it for a node
# with sanitizers, whose symbols only the node has.

function(troupe_add_plugin name)
  cmake_parse_arguments(arg "" "MANIFEST;DESTINATION" "SOURCES;LINK" ${ARGN})
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "troupe_add_plugin(${name}): SOURCES is missing")
  endif()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "troupe_add_plugin(${name}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_MANIFEST)
    set(arg_MANIFEST ${CMAKE_CURRENT_SOURCE_DIR}/plugin.json)
  endif()
  if(NOT arg_DESTINATION)
    set(arg_DESTINATION lib/troupe/plugins)
  endif()

  set(exports ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.version)
  set(folder ${CMAKE_BINARY_DIR}/plugins/${name})
  add_library(${name} MODULE ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE troupe::sdk ${arg_LINK})
  if(CMAKE_CXX_COMPILER_LOADED)
    target_compile_features(${name} PRIVATE cxx_std_17)
  endif()
  set_target_properties(${name} PROPERTIES
      PREFIX ""
      SUFFIX ".so"
      POSITION_INDEPENDENT_CODE ON
      C_VISIBILITY_PRESET hidden
      CXX_VISIBILITY_PRESET hidden
      VISIBILITY_INLINES_HIDDEN ON
      LIBRARY_OUTPUT_DIRECTORY ${folder}
      LINK_DEPENDS ${exports})
  target_link_options(${name} PRIVATE -Wl,--version-script=${exports})
  if(NOT TROUPE_SANITIZE)
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()
  configure_file(${arg_MANIFEST} ${folder}/plugin.json COPYONLY)
  install(TARGETS ${name} LIBRARY DESTINATION ${arg_DESTINATION}/${name})
  install(FILES ${arg_MANIFEST} DESTINATION ${arg_DESTINATION}/${name} RENAME plugin.json)
endfunction()
