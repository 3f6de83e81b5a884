#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `troupe test` says of cases and files that fail, and with which exit code it ends.

usage: failures_test.py TROUPE
"""
import json
import pathlib
import subprocess
import sys
import unittest

TROUPE = sys.argv[1]
WRONG = pathlib.Path(__file__).parent / "wrong"

# Case of fails.lua: line of the failure (0: unknown), and what the message says.
CASES = {
    "unequal": (7, "sums: at .a[2]: expected 3, got 2"),
    "not ok": (9, "there is none"),
    "an error shown": (10, "no_such_agent: no agent is called nobody"),
    "raised": (13, "attempt to index a nil value (local 'x')"),
    "swallowed": (16, "expected 2, got 1"),
    "did not fail": (19, "expected it to fail with denied, got 1"),
    "failed otherwise": (22, "got no_such_agent"),
    "inside a tool": (25, "expected 2, got 1"),
    "stuck": (0, "everybody waits for something that can't come any more"),
    "crash seen": (35, "down: clerk ended before it answered"),
    "too much memory": (0, "memory"),
    "exit": (0, "enough"),
}
FILES = {
    "no_done.lua": "it does not reach test.done()",
    "no_cases.lua": "it has no cases",
    "raises.lua": 'raises.lua:4: there are two cases "one"',
    "syntax.lua": "syntax.lua:3:",
    "../agents/clerk.lua": "it is no test file",
}


def run(*arguments):
    return subprocess.run([TROUPE, "test", *arguments], capture_output=True, text=True, timeout=100)


class Failures(unittest.TestCase):
    def test_each_case_is_told_with_its_place(self):
        ended = run("--json", str(WRONG / "fails.lua"))
        self.assertEqual(ended.returncode, 1)
        told = json.loads(ended.stdout)
        self.assertEqual((told["passed"], told["failed"]), (0, len(CASES)))
        for case in told["cases"]:
            line, message = CASES[case["name"]]
            self.assertEqual(case.get("line", 0), line, case)
            self.assertIn(message, case["message"])

    def test_a_file_fails_as_a_whole(self):
        for name, message in FILES.items():
            ended = run(str(WRONG / name))
            self.assertEqual(ended.returncode, 1, name)
            first, second, last = ended.stdout.splitlines()
            self.assertEqual(first, f"FAILED {WRONG / name}")
            self.assertIn(message, second)
            self.assertEqual(last, "0 passed, 1 failed")

    def test_a_failing_case_is_told_in_stable_lines(self):
        ended = run(str(WRONG / "fails.lua"))
        lines = ended.stdout.splitlines()
        at = lines.index(f"FAILED {WRONG / 'fails.lua'}: crash seen")
        self.assertTrue(lines[at + 1].startswith(f"  {WRONG / 'fails.lua'}:35: down: "))
        self.assertEqual(lines[at + 2], "  clerk crashed: ../agents/clerk.lua:26: boom")
        self.assertEqual(lines[-1], f"0 passed, {len(CASES)} failed")

    def test_a_case_without_an_end_is_ended(self):
        ended = run("--timeout", "0.1", str(WRONG / "endless.lua"))
        self.assertEqual(ended.returncode, 1)
        self.assertIn("it took more than 0.1 s of real time", ended.stdout)

    def test_wrong_use_ends_with_2(self):
        self.assertEqual(run().returncode, 2)
        self.assertEqual(run("no_such_file.lua").returncode, 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
