#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Triage against a real engine: text comes from a real model, and the usage in the report is the server's.

usage: engine_test.py TROUPE SOURCE_FOLDER WORK_FOLDER
"""
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

SKIP = 77
troupe, source, work = (pathlib.Path(a).resolve() for a in sys.argv[1:4])
models = pathlib.Path(os.environ.get("TROUPE_MODELS", source / "../shared/models")).resolve()


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


if not (models / "llama-server.sh").exists():
    skip(f"no models at {models}; TROUPE_MODELS names the folder")
engine = pathlib.Path(os.environ.get("LLAMA_ENGINE", work))
if not (engine / "usr/bin/llama-server").exists():
    got = subprocess.run(["bash", models / "get-engine.sh", engine], capture_output=True, text=True)
    if got.returncode != 0:
        skip(f"the engine can't be fetched: {got.stderr.strip().splitlines()[-1:]}")

with socket.socket() as s:  # free now; the server takes no port 0
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]

with tempfile.TemporaryDirectory() as folder:
    log = open(pathlib.Path(folder, "server.log"), "w+")
    server = subprocess.Popen(["bash", models / "llama-server.sh", "stories260K.gguf", str(port), "-c", "2048", "-t", "1"],
                              env={**os.environ, "LLAMA_ENGINE": str(engine)}, stdout=log, stderr=log)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1)
                break
            except OSError:
                if server.poll() is not None:
                    skip("the engine does not start here")
                time.sleep(0.1)  # its own readiness can only be asked for
        else:
            skip("the engine did not become ready within a minute")
        run = subprocess.run([troupe, "run", source / "examples/triage/triage.lua"], cwd=folder, text=True,
                             capture_output=True, timeout=120,
                             env={**os.environ, "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1", "OPENAI_MODEL": "stories"})
        assert run.returncode == 0, run.stderr
        report = pathlib.Path(run.stdout.strip()).read_text()
        text = report.split("\n| | |")[0].split("\n", 1)[1].strip()
        assert len(text) > 20 and "[scripted]" not in text and "gave no answer" not in text, text
        used = re.search(r"\| tokens \| (\d+) in, (\d+) out \|", report)
        assert used, report[:500]
        log.seek(0)
        served = log.read()
        counted = re.findall(r"eval time =\s+[\d.]+ ms /\s+(\d+) tokens", served)
        assert counted, served[-2000:]
        assert (used.group(1), used.group(2)) == (counted[0], counted[1]), (used.groups(), counted)
        print(f"a real model wrote {len(text)} characters; usage {used.group(1)} in, {used.group(2)} out, as the server counts")
    finally:
        server.terminate()
        server.wait(10)
