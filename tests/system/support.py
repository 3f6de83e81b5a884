# SPDX-License-Identifier: Apache-2.0
"""Runs `troupe` from an installed prefix and holds what it says.

A script of this folder is `SCRIPT.py PREFIX [CASE...]`: its functions under @case are the cases, each in a
folder of its own. It fails if one of them does; what is skipped is counted and says why.
"""
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

LIMIT = 60  # seconds until a program that hangs is ended, and its case has failed
cases = []


def case(function):
    cases.append(function)
    return function


class Skip(Exception):
    pass


class Failed(Exception):
    pass


class Ran:
    """What a program said, and how it ended. The checks return self, so that they can follow each other."""

    def __init__(self, words, code, out, err):
        self.words, self.code, self.out, self.err = words, code, out, err

    def wrong(self, what):
        return Failed(f"{what}\n$ {' '.join(map(str, self.words))}\nexit code {self.code}\n"
                      f"stdout: {self.out[-2000:]!r}\nstderr: {self.err[-2000:]!r}")

    def exits(self, code):
        if self.code != code:
            raise self.wrong(f"expected exit code {code}")
        return self

    def prints(self, pattern):
        if not re.search(pattern, self.out, re.M):
            raise self.wrong(f"expected on stdout: {pattern}")
        return self

    def says(self, pattern):
        if not re.search(pattern, self.err, re.M):
            raise self.wrong(f"expected on stderr: {pattern}")
        return self

    def silent(self):
        if self.out:
            raise self.wrong("expected nothing on stdout")
        return self

    def refused(self, pattern):
        """One sentence on stderr, nothing else, and exit code 1."""
        self.exits(1).silent().says(pattern)
        lines = self.err.splitlines()
        if len(lines) != 1 or not lines[0].startswith("troupe: "):
            raise self.wrong("expected one sentence")
        return self


class Bench:
    """A case's folder and the programs it runs there."""

    def __init__(self, prefix, folder):
        self.prefix, self.folder = prefix, folder
        self.program = prefix / "bin" / "troupe"
        self.examples = prefix / "share" / "troupe" / "examples"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "TROUPE_"))}
        self.env.update(HOME=str(folder), LC_ALL="C.UTF-8")

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def start(self, *words, **options):
        """`troupe words...`, running. The caller ends it."""
        given = dict(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                     cwd=self.folder, env=self.env, text=True, errors="replace")
        given.update(options)
        return subprocess.Popen([str(self.program), *map(str, words)], **given)

    def ended(self, process, words=(), stdin=None, limit=LIMIT):
        try:
            out, err = process.communicate(stdin, timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise Ran(words, process.returncode, out or "", err or "").wrong(f"still running after {limit} s")
        return Ran(words, process.returncode, out or "", err or "")

    def troupe(self, *words, stdin=None, limit=LIMIT, **options):
        if stdin is not None:
            options["stdin"] = subprocess.PIPE
        return self.ended(self.start(*words, **options), ("troupe", *words), stdin, limit)

    def on_terminal(self, *words):
        """`troupe words...` whose stderr is a terminal; what it writes there has plain newlines."""
        ours, theirs = pty.openpty()
        process = self.start(*words, stderr=theirs)
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 4096):
                said += piece
        except OSError:  # how a terminal tells that nobody holds its other side
            pass
        os.close(ours)
        out, _ = process.communicate()
        return Ran(("troupe", *words), process.returncode, out, said.decode().replace("\r\n", "\n"))

    def command(self, *words, **options):
        done = subprocess.run([str(w) for w in words], cwd=self.folder, env=self.env, text=True, errors="replace",
                              capture_output=True, timeout=300, **options)
        return Ran(words, done.returncode, done.stdout, done.stderr)


# An agent's file, its functions left out.
AGENT = 'local troupe = require("troupe")\nlocal async = require("troupe.async")\nlocal agent = troupe.agent {}\n%s\nreturn agent\n'


def next_line(stream):
    """Of a process that runs, and not a byte more: the rest is for `ended`, which knows of no buffer."""
    said = b""
    while not said.endswith(b"\n") and (piece := os.read(stream.fileno(), 1)):
        said += piece
    return said.decode(errors="replace")


def when_it_says(process, line):
    """Waits until stderr has that line."""
    while said := next_line(process.stderr):
        if line in said:
            return
    raise Failed(f"it ended without saying {line!r}")


def children_of(pid, name):
    """Processes below `pid` whose program is called `name`."""
    found = []
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = status.read_text()
        except OSError:
            continue
        program, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
        if int(rest[1]) == pid and program.startswith(name[:15]):
            found.append(int(status.parent.name))
    return found


def equal(got, expected, about=""):
    if got != expected:
        raise Failed(f"{about}\nexpected {expected!r}\ngot      {got!r}")


def main():
    prefix = pathlib.Path(sys.argv[1]).resolve()
    wanted = sys.argv[2:]
    failed = skipped = 0
    for function in cases:
        name = function.__name__
        if wanted and name not in wanted:
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-system-"))
        try:
            function(Bench(prefix, folder))
            print(f"ok       {name}", flush=True)
        except Skip as why:
            skipped += 1
            print(f"skipped  {name}: {why}", flush=True)
        except Exception as why:  # a case that breaks has failed like one that finds something
            failed += 1
            said = str(why) if isinstance(why, Failed) else traceback.format_exc()
            print(f"FAILED   {name}\n{said}", flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(wanted or cases)} cases, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


INTERRUPT, TERMINATE = signal.SIGINT, signal.SIGTERM
