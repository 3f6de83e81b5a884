#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints a build folder's compile commands without gcc's precompiled headers and launcher, for clang-tidy."""
import json
import pathlib
import re
import sys

commands = json.loads(pathlib.Path(sys.argv[1], "compile_commands.json").read_text())
for entry in commands:
    command = re.sub(r"^\S*ccache ", "", entry["command"])
    command = re.sub(r" -Winvalid-pch| -include \S+cmake_pch\.hxx", "", command)
    entry["command"] = command.replace(" -Werror", "")
print(json.dumps(commands, indent=1))
