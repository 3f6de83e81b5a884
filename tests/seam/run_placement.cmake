# SPDX-License-Identifier: Apache-2.0
# Runs the suite in one placement and keeps its count:
#   cmake -DCOUNT=FILE -P run_placement.cmake -- PROGRAM ARGS...

set(command)
set(seen FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(seen)
    list(APPEND command "${CMAKE_ARGV${i}}")
  elseif("${CMAKE_ARGV${i}}" STREQUAL "--")
    set(seen TRUE)
  endif()
endforeach()
file(REMOVE ${COUNT})
execute_process(COMMAND ${command} OUTPUT_VARIABLE said ERROR_VARIABLE log RESULT_VARIABLE how)
message("${said}")
string(REGEX MATCH "[^\n]*: [0-9]+ passed[^\n]*" count "${said}")
if(NOT how EQUAL 0 OR NOT count)
  message("${log}")
  message(FATAL_ERROR "the suite failed (${how}): ${count}")
endif()
file(WRITE ${COUNT} "${count}\n")
