# SPDX-License-Identifier: Apache-2.0
# Options, the one interface target that carries all flags, and the function that makes a folder a library.

option(TROUPE_TESTS "Build the tests" ON)
option(TROUPE_WERROR "Warnings are errors, as in the presets asan and tsan; compilers differ too much for others" OFF)
set(TROUPE_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize=: address,undefined or thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)

find_package(Threads REQUIRED)

add_library(troupe_flags INTERFACE)
target_compile_options(troupe_flags INTERFACE -Wall -Wextra -Wpedantic
    $<$<BOOL:${TROUPE_WERROR}>:-Werror>
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual>
    # At -O3 GCC 12 sees overlapping copies in std::string's operator+ where there are none (its bug 105651).
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-Wno-restrict>)
target_include_directories(troupe_flags INTERFACE
    ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/runtime ${PROJECT_SOURCE_DIR}/sdk/include)
target_link_libraries(troupe_flags INTERFACE Threads::Threads)
if(MOLD)
  target_link_options(troupe_flags INTERFACE -fuse-ld=mold)
endif()
if(TROUPE_SANITIZE)
  # Recovery is off: a finding ends the process, so a test with one fails.
  target_compile_options(troupe_flags INTERFACE -fsanitize=${TROUPE_SANITIZE}
      -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(troupe_flags INTERFACE -fsanitize=${TROUPE_SANITIZE})
  if(TROUPE_SANITIZE MATCHES thread)
    target_compile_definitions(troupe_flags INTERFACE TROUPE_TSAN)
  endif()
endif()

# troupe_library(NAME [SOURCES ...] [LINK ...]): a static library of one folder. What it links is private
# in the sense of the house: siblings never see each other's.
function(troupe_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_library(troupe_${name} STATIC ${arg_SOURCES})
  target_link_libraries(troupe_${name} PUBLIC troupe_flags ${arg_LINK})
endfunction()
