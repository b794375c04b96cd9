"""Speed and memory: the real server in a process of its own, asked over HTTP, against plain sentence-transformers + FAISS.

Both are held to one core (CPU affinity where the system has it) and asked the same questions in the same run, in turns of TURN.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.errors import PortsideError
from bot.golden import read_golden
from bot.settings import Settings

QUESTIONS = 200
TURN = 20  # questions in a row: each warms the core's caches as it does when it runs alone, and a busy moment still hits both
PLAIN = """
import json, sys, time
started = time.perf_counter()
import faiss, numpy, torch
torch.set_num_threads(1)
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu", local_files_only=True)
vectors = numpy.load(sys.argv[2])
index = faiss.IndexFlatIP(vectors.shape[1])
index.add(vectors)
del vectors
def ask(question):
    return index.search(model.encode([question], normalize_embeddings=True, show_progress_bar=False), 5)
ask("warm up")
print(json.dumps({"start": time.perf_counter() - started}), flush=True)
for line in sys.stdin:
    begun = time.perf_counter()
    ask(json.loads(line))
    status = open("/proc/self/status").read() if sys.platform == "linux" else ""
    rss = next((int(l.split()[1]) / 1024 for l in status.splitlines() if l.startswith("VmRSS")), 0.0)
    print(json.dumps({"ms": (time.perf_counter() - begun) * 1000, "mb": rss}), flush=True)
"""


def measure(settings: Settings) -> dict[str, Any]:
    """Return start times (seconds), answer times (milliseconds), resident memory (MB) and their ratios."""
    from bot.encoder import model_folder

    questions = _questions()
    environment = os.environ | {"PORTSIDE_PORT": "0", "PORTSIDE_JOURNAL": str(settings.index / "bench.sqlite"), "OMP_NUM_THREADS": "1"}
    started = time.perf_counter()
    command = [sys.executable, "-m", "bot", "serve", "--site", str(settings.site), "--index", str(settings.index)]
    server = _process(command, environment)
    plain: subprocess.Popen[str] | None = None
    try:
        assert server.stdout is not None
        connection = HTTPConnection(urlsplit(server.stdout.readline().split()[-1]).netloc)
        _ask(connection, questions[0])
        start = time.perf_counter() - started
        command = [sys.executable, "-c", PLAIN, str(model_folder(settings.model)), str(settings.index / "vectors.npy")]
        plain = _process(command, environment)
        assert plain.stdout is not None
        plain_start = json.loads(plain.stdout.readline())["start"]
        for running in (server, plain):
            _hold_to_one_core(running.pid)
        ours: list[float] = []
        theirs: list[dict[str, float]] = []
        for start_of_turn in range(0, len(questions), TURN):
            turn = questions[start_of_turn : start_of_turn + TURN]
            ours += [_ask(connection, question) for question in turn]
            theirs += [_ask_plain(plain, question) for question in turn]
        plain_ms = statistics.median(row["ms"] for row in theirs)
        return {
            "questions": len(questions),
            "start to first answer, s": start,
            "start of plain sentence-transformers, s": plain_start,
            "answer over HTTP, median ms": statistics.median(ours),
            "answer over HTTP, 95th percentile ms": statistics.quantiles(ours, n=20)[-1],
            "plain sentence-transformers + FAISS, median ms": plain_ms,
            "times faster (plain / ours, median)": plain_ms / statistics.median(ours),
            "resident memory, MB": _resident(server.pid),
            "resident memory of plain, MB": theirs[-1]["mb"],
        }
    finally:
        for process in (server, plain):
            if process is not None:
                process.terminate()
                process.wait()
        for file in settings.index.glob("bench.sqlite*"):
            file.unlink()


def _questions() -> list[str]:
    """Return QUESTIONS golden questions, evenly from all kinds, short and long."""
    golden = read_golden()
    count = min(QUESTIONS, len(golden))
    return [golden[number * len(golden) // count].question for number in range(count)]


def _process(command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)


def _ask_plain(plain: subprocess.Popen[str], question: str) -> dict[str, float]:
    assert plain.stdin is not None
    assert plain.stdout is not None
    plain.stdin.write(json.dumps(question) + "\n")
    plain.stdin.flush()
    row: dict[str, float] = json.loads(plain.stdout.readline())
    return row


def _ask(connection: HTTPConnection, question: str) -> float:
    """Return the milliseconds that one question takes over HTTP, on a connection that is kept open as a browser does."""
    body = json.dumps({"question": question}).encode()
    begun = time.perf_counter()
    connection.request("POST", "/api/ask", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    if response.status != HTTPStatus.OK:
        raise PortsideError(f"The server answered {question!r} with status {response.status}: see its log.")
    return (time.perf_counter() - begun) * 1000


def _hold_to_one_core(pid: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        core = max(os.sched_getaffinity(0))
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)
