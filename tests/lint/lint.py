#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the house rules that a compiler can't see: who may know whom (D1 to D7 of the design), and form.

usage: lint.py [FOLDER]     prints one line a breach; exit 1 if there is any
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()

# -- D1: what the files of a folder may include, by the beginning of the included path ----------------

BASE = ["base/"]
SEAM = BASE + ["agent/"]
PUBLIC = ["troupe/"]  # sdk/include
MAY_INCLUDE = {
    "runtime/base": BASE + PUBLIC,
    "runtime/agent": SEAM + PUBLIC,
    **{f"runtime/{name}": SEAM + [f"{name}/"] + PUBLIC
       for name in ("config", "core", "sim", "script", "plugin", "channel", "sandbox", "net", "http", "store", "repl")},
    "actors/supervisor": SEAM, "actors/directory": SEAM, "actors/observer": SEAM, "actors/task": SEAM,
    "actors/llm": SEAM + ["http/", "plugin/"],
    "actors/tool": SEAM + ["http/", "plugin/"],
    "actors/worker": SEAM + ["sandbox/", "channel/"],
    "actors/federation": SEAM + ["net/"],
    "actors/gateway": SEAM + ["http/"],
    "actors/store": SEAM + ["store/"],
    "actors/shell": SEAM + ["channel/"],
}
ANYTHING = ["runtime/exe"]  # where everything is put together

# -- D2: one library, one folder ----------------------------------------------------------------------

LIBRARIES = {
    r"caf/": ["runtime/core"],
    r"(lua|lauxlib|lualib)\.h|lua5\.4/|lua\.hpp": ["runtime/script"],
    r"zmq": ["runtime/net"],
    r"dlfcn\.h": ["runtime/plugin", "runtime/http"],  # http loads libcurl when it is first used
    r"curl/|boost/(asio|beast)": ["runtime/http"],
    r"sqlite3|libpq": ["runtime/store"],
    r"seccomp": ["runtime/sandbox"],
    r"nlohmann/|re2/|absl/": ["runtime/base"],
    r"msgpack": ["runtime/base", "runtime/script"],
    r"histedit\.h|editline": ["runtime/repl"],
    r"CLI/": ["runtime/exe"],
}
# Headers of these that others include show no third-party type.
NO_LIBRARY_IN_HEADERS = ["runtime/base", "runtime/agent", "runtime/core", "runtime/http", "runtime/plugin"]
MUTEX_FOLDERS = ["runtime/core", "runtime/sim", "runtime/net", "runtime/http", "runtime/base/log", "runtime/exe"]

SOURCES = {".cpp", ".hpp", ".c", ".h"}
breaches = []


def breach(path, line, text):
    breaches.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def files(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and not any(part in ("build", "node_modules") for part in path.parts):
                yield path


def folder_of(path):
    parts = path.relative_to(ROOT).parts
    return "/".join(parts[:2])


def includes(path):
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        found = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if found:
            yield number, found.group(1), found.group(2)


def is_private(header):
    """True if no file outside of the header's own folder includes it, and some file inside does."""
    folder = folder_of(header)
    name = "/".join(header.relative_to(ROOT).parts[1:])
    users = [path for path in files("runtime", "actors", "tests") if path.suffix in SOURCES
             and any(included == name for _, _, included in includes(path))]
    return bool(users) and all(folder_of(path) == folder for path in users)


def check_house():
    for path in files("runtime", "actors"):
        if path.suffix not in SOURCES:
            continue
        folder = folder_of(path)
        for number, quote, name in includes(path):
            if quote == '"' and folder not in ANYTHING:
                own_actor = folder.startswith("actors/") and name.startswith(folder + "/")
                other_api = folder.startswith("actors/") and re.match(r"actors/\w+/api\.hpp$", name)  # D3
                if not (own_actor or other_api or any(name.startswith(p) for p in MAY_INCLUDE.get(folder, []))):
                    breach(path, number, f"D1: {folder} may not include {name}")
            for pattern, where in LIBRARIES.items():
                if quote == "<" and re.match(pattern, name):
                    if folder not in where:
                        breach(path, number, f"D2: {name} belongs to {' and '.join(where)} alone")
                    elif path.suffix == ".hpp" and folder in NO_LIBRARY_IN_HEADERS and not is_private(path):
                        breach(path, number, f"D2: a header of {folder} shows {name}")


def check_plugins():  # D4
    for path in files("plugins", "sdk/template", "sdk/include", "sdk/cpp"):
        if path.suffix not in SOURCES:
            continue
        for number, quote, name in includes(path):
            beside = quote == '"' and (path.parent / name).exists()
            known = name.startswith("troupe/") or beside
            if quote == '"' and not known:
                breach(path, number, f"D4: a plugin sees sdk/include alone, not {name}")
            if re.match(r"(caf/|lua|nlohmann/|msgpack|curl/)", name):
                breach(path, number, f"D4: a plugin brings no library of the node: {name}")


def check_scripts():  # D5
    for path in files("scripts", "examples"):
        if path.suffix != ".lua":
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            for name in re.findall(r'require\(?\s*["\']([^"\']+)["\']', line):
                beside = (path.parent / (name.replace(".", "/") + ".lua")).exists()
                if not (name == "troupe" or name.startswith("troupe.") or beside):
                    breach(path, number, f"D5: scripts require troupe.* and files beside them, not {name}")


def check_examples():  # D6
    for path in files("examples"):
        if path.suffix in SOURCES:
            for number, quote, name in includes(path):
                if quote == '"' and not name.startswith("troupe/") and not (path.parent / name).exists():
                    breach(path, number, f"D6: an example builds against an install tree, not {name}")
        if path.name == "CMakeLists.txt" and path.parent != ROOT / "examples":
            text = path.read_text()
            if "find_package(troupe" not in text:
                breach(path, 1, "D6: an example finds Troupe with find_package(troupe)")


def check_abi():  # D7
    for path in files("sdk/include"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"\bstd::|\btemplate\s*<|\bclass\b|\bnamespace\b", re.sub(r"//.*|/\*.*|^ \*.*", "", line)):
                breach(path, number, "D7: no C++ type crosses a boundary")


def check_form():
    for path in files("runtime", "actors", "plugins", "sdk", "scripts", "examples", "tests"):
        if folder_of(path) == "sdk/template":
            continue  # becomes its author's, licence included
        if path.suffix in SOURCES | {".lua", ".py"} or path.name == "CMakeLists.txt":
            text = path.read_text(errors="replace")
            if "SPDX-License-Identifier: Apache-2.0" not in text[:400]:
                breach(path, 1, "the first line names the licence: SPDX-License-Identifier: Apache-2.0")
            if path.suffix == ".hpp" and "#pragma once" not in text:
                breach(path, 1, "a header says #pragma once")
        if path.suffix in SOURCES and "runtime" in path.parts or "actors" in path.parts:
            if path.suffix in SOURCES and not any(str(path.relative_to(ROOT)).startswith(f) for f in MUTEX_FOLDERS):
                for number, line in enumerate(path.read_text().splitlines(), 1):
                    if re.search(r"std::(recursive_|shared_)?mutex\b", line) and "NOLINT" not in line:
                        breach(path, number, "a mutex belongs into core, sim, net, http, the log or exe")


for check in (check_house, check_plugins, check_scripts, check_examples, check_abi, check_form):
    check()
for line in breaches:
    print(line)
sys.exit(1 if breaches else 0)
