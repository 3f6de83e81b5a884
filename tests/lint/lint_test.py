#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of lint.py, broken once on purpose in a folder of its own, is caught and named."""
import pathlib
import subprocess
import sys
import tempfile

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
LUA = "-- SPDX-License-Identifier: Apache-2.0\n"
CASES = {
    "D1: runtime/base may not include agent/process.hpp": ("runtime/base/x.cpp", SPDX + '#include "agent/process.hpp"\n'),
    "D1: runtime/script may not include http/client.hpp": ("runtime/script/x.cpp", SPDX + '#include "http/client.hpp"\n'),
    "D1: actors/llm may not include core/node_carrier.hpp": ("actors/llm/x.cpp", SPDX + '#include "core/node_carrier.hpp"\n'),
    "D1: actors/llm may not include actors/tool/tool.hpp": ("actors/llm/x.cpp", SPDX + '#include "actors/tool/tool.hpp"\n'),
    "D2: caf/all.hpp belongs to runtime/core alone": ("runtime/agent/x.cpp", SPDX + "#include <caf/all.hpp>\n"),
    "D2: lua.h belongs to runtime/script alone": ("runtime/exe/x.cpp", SPDX + "#include <lua.h>\n"),
    "D2: a header of runtime/core shows caf/all.hpp": ("runtime/core/x.hpp", SPDX + "#pragma once\n#include <caf/all.hpp>\n"),
    "D4: a plugin sees sdk/include alone": ("plugins/p/x.c", SPDX + '#include "base/value.hpp"\n'),
    "D5: scripts require troupe.*": ("scripts/x.lua", LUA + 'local s = require("socket")\n'),
    "D6: an example finds Troupe with find_package": ("examples/p/CMakeLists.txt", "# SPDX-License-Identifier: Apache-2.0\nproject(p)\n"),
    "D7: no C++ type crosses a boundary": ("sdk/include/troupe/x.h", SPDX + "void f(std::string s);\n"),
    "the first line names the licence": ("runtime/base/x.cpp", "int x;\n"),
    "a mutex belongs into": ("runtime/agent/x.cpp", SPDX + "std::mutex m;\n"),
}

failures = 0
for expected, (name, text) in CASES.items():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True)
        path.write_text(text)
        lint = subprocess.run([sys.executable, pathlib.Path(__file__).with_name("lint.py"), folder],
                              capture_output=True, text=True)
        if lint.returncode != 1 or expected not in lint.stdout:
            failures += 1
            print(f"not caught: {expected}\n  lint printed: {lint.stdout.strip() or 'nothing'}")
print(f"{len(CASES) - failures} of {len(CASES)} breaches caught")
sys.exit(1 if failures else 0)
