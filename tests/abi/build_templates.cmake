# SPDX-License-Identifier: Apache-2.0
#
# What an author outside does: installs the SDK, copies a template, builds it against the installed prefix.
# Needs BUILD (this build tree), TO (a scratch folder), NM.

cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(failed)
    list(JOIN ARGN " " line)
    message(FATAL_ERROR "${line}:\n${said}")
  endif()
endfunction()

# troupe_plugin, and nothing else.
function(check_exports library)
  execute_process(COMMAND ${NM} -D --defined-only --format=posix ${library} OUTPUT_VARIABLE symbols
      RESULT_VARIABLE failed)
  string(REGEX MATCHALL "[^\n]+" symbols "${symbols}")
  list(LENGTH symbols count)
  if(failed OR NOT count EQUAL 1 OR NOT symbols MATCHES "^troupe_plugin D ")
    message(FATAL_ERROR "${library} exports ${count} symbols: ${symbols}")
  endif()
endfunction()

file(REMOVE_RECURSE ${TO})
run(${CMAKE_COMMAND} --install ${BUILD} --component sdk --prefix ${TO}/prefix)
foreach(language c cpp)
  set(name made_in_${language})
  file(GLOB files RELATIVE ${TO}/prefix/share/troupe/template/${language}
      ${TO}/prefix/share/troupe/template/${language}/*)
  foreach(file IN LISTS files)
    file(READ ${TO}/prefix/share/troupe/template/${language}/${file} text)
    string(REPLACE "@name@" ${name} text "${text}")
    string(REPLACE "@name@" ${name} file ${file})
    file(WRITE ${TO}/${name}/${file} "${text}")
  endforeach()
  run(${CMAKE_COMMAND} -S ${TO}/${name} -B ${TO}/${name}/build -DCMAKE_PREFIX_PATH=${TO}/prefix
      "-DCMAKE_C_FLAGS=-Wall -Wextra -Wpedantic -Werror" "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror")
  run(${CMAKE_COMMAND} --build ${TO}/${name}/build)
  check_exports(${TO}/${name}/build/plugins/${name}/${name}.so)
  run(${CMAKE_COMMAND} --install ${TO}/${name}/build --prefix ${TO}/installed)
endforeach()

file(GLOB shipped ${BUILD}/plugins/*/*.so)
foreach(library IN LISTS shipped)
  check_exports(${library})
endforeach()
