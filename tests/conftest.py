"""A small site, an encoder that tests can reason about, and the real parts over them: index, answerer, app, live server."""

import os
import re
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from waitress import create_server, wasyncore
from werkzeug.test import TestResponse

from bot.answer import Answerer, Doubt
from bot.app import app_of
from bot.index import Index, build, load, save
from bot.journal import Journal
from bot.retrieval import Retriever
from bot.sections import abbreviations, fingerprint, read
from bot.settings import Settings, read_settings
from bot.words import STOPWORDS
from tests.small_site import write_site

ROOT = Path(__file__).parent.parent
DIMENSION = 2048
WEIGHTS = {"question_vector": 1.0, "heading_vector": 0.3, "passage_vector": 0.6, "words": 1.0, "page": 0.15}
# On the small site a question in a section's own words reaches a confidence of 0.8, one about something else stays under 0.2.
DOUBT = Doubt(
    weights={"question_vector": 2.0, "known_terms": 1.0},
    center={"question_vector": 0.4, "known_terms": 0.6},
    scale={"question_vector": 0.15, "known_terms": 0.3},
    bias=0.0,
    answer_at=0.7,
    unsure_at=0.3,
)
SIGNING_SECRET = "0123456789abcdef0123456789abcdef"
PUBLIC_URL = "https://docs.example.com"


class WordEncoder:
    """A bag of words, hashed to dimensions: texts that share words are near each other, others are not. Counts what it encodes."""

    name = "bag-of-words"

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.encoded += texts
        vectors = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in re.findall(r"[^\W_]+", text.lower()):
                if word not in STOPWORDS:
                    row[1 + zlib.crc32(word.encode()) % (DIMENSION - 1)] += 1.0
            row[0] = 0.0 if row.any() else 1.0
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


class Client(FlaskClient):
    """Reads every response to its end, so that the files of the site are closed."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        return super().open(*args, **{"buffered": True} | kwargs)


@dataclass(frozen=True)
class Server:
    """A live server on loopback."""

    address: str
    app: Flask


def no_encoder(folder: Path) -> None:
    """Write what stands for an exported encoder: `WordEncoder` needs no files."""
    folder.mkdir()
    (folder / "words.txt").write_text("bag of words", encoding="utf-8")


def index_of(site: Path, encoder: WordEncoder) -> Index:
    return build(read(site), abbreviations(site), encoder, encoder.encode, {"site": fingerprint(site)})


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(tmp_path_factory.mktemp("small") / "site")


@pytest.fixture(scope="session")
def index_folder(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "index"
    save(index_of(site, WordEncoder()), folder, no_encoder)
    return folder


@pytest.fixture(scope="session")
def index(index_folder: Path, site: Path) -> Index:
    return load(index_folder, site, WordEncoder())


@pytest.fixture(scope="session")
def answerer(index: Index) -> Answerer:
    return Answerer(Retriever(index, WEIGHTS), DOUBT)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite", keep_days=90)
    yield journal
    journal.close()


@pytest.fixture
def settings(site: Path, index_folder: Path, tmp_path: Path) -> Settings:
    return read_settings(
        site=site,
        index=index_folder,
        journal=tmp_path / "journal.sqlite",
        public_url=PUBLIC_URL,
        slack_signing_secret=SecretStr(SIGNING_SECRET),
    )


@pytest.fixture
def app(answerer: Answerer, journal: Journal, settings: Settings) -> Flask:
    return app_of(answerer, journal, settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    app.test_client_class = Client
    return app.test_client()


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Return a function that serves a WSGI application on a free port of loopback and returns its address."""
    running: list[tuple[threading.Event, threading.Thread]] = []

    def start(application: Any) -> str:
        sockets: dict[int, Any] = {}
        server: Any = create_server(application, map=sockets, host="127.0.0.1", port=0, threads=2)
        stop = threading.Event()

        def run() -> None:
            while not stop.is_set():
                wasyncore.loop(timeout=0.05, map=sockets, count=1)
            server.task_dispatcher.shutdown()
            wasyncore.close_all(sockets)

        thread = threading.Thread(target=run)
        thread.start()
        running.append((stop, thread))
        return f"http://127.0.0.1:{server.effective_port}"

    yield start
    for stop, thread in running:
        stop.set()
        thread.join()


@pytest.fixture
def server(app: Flask, serve: Callable[[Any], str]) -> Server:
    return Server(serve(app), app)


@pytest.fixture(scope="session")
def real_index(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small site under the real model, built and exported by the command line: once, it takes some twenty seconds."""
    folder = tmp_path_factory.mktemp("real") / "index"
    command = [sys.executable, "-m", "bot", "build", "--site", str(site), "--index", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture
def start() -> Iterator[Callable[..., str]]:
    """Return a function that runs `python -m bot serve` in a process of its own and returns its address."""
    running: list[subprocess.Popen[str]] = []

    def run(*arguments: str, before: str = "", **environment: str) -> str:
        program = f"{before}\nimport sys\nfrom bot.cli import main\nsys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-c", program, "serve", "--port", "0", *arguments]
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        assert line, process.stderr.read()
        pids[line.split()[-1]] = process.pid
        return line.split()[-1]

    yield run
    for process in running:
        process.terminate()
        process.communicate()


pids: dict[str, int] = {}  # of the servers that `start` started, by address


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
