# SPDX-License-Identifier: Apache-2.0
# Writes the source of script/library.hpp's `library()`: each module as a raw string.
# Takes FOLDER, MODULES (a list, relative to it) and OUTPUT.

set(text "// SPDX-License-Identifier: Apache-2.0\n// Made by scripts/embed.cmake.\n#include \"script/library.hpp\"\n\n")
string(APPEND text "namespace troupe::script {\n\nnamespace {\n\nconstexpr library_module modules[] = {\n")
foreach(file IN LISTS MODULES)
  file(READ ${FOLDER}/${file} source)
  string(REGEX REPLACE "\\.lua$" "" name ${file})
  string(REPLACE "/" "." name ${name})
  string(APPEND text "    {\"${name}\", \"@${file}\", R\"~~~(${source})~~~\"},\n")
endforeach()
string(APPEND text "};\n\n}  // namespace\n\nstd::span<const library_module> library() {\n  return modules;\n}\n\n")
string(APPEND text "}  // namespace troupe::script\n")
file(WRITE ${OUTPUT} "${text}")
