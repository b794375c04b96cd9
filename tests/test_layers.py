"""The house keeps its order: imports go one way, faces know only what they need, serving needs no training library."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

import bot
from tests.conftest import ROOT

BOT = ROOT / "bot"
ORDER = re.findall(r"\b[a-z]+\b", str(bot.__doc__).split("Each file knows only the files before it:")[1].split(". A test")[0])
FILES = [path for path in sorted(BOT.rglob("*.py")) if path.name not in ("__init__.py", "__main__.py")]
HEAVY = ("torch", "sentence_transformers", "transformers", "sklearn", "matplotlib", "bot.building", "bot.quality", "bot.tuning")
# Ends the process at the first import of something that only building needs.
NO_HEAVY = f"""
import os, sys
def audit(event, arguments):
    if event == "import" and arguments[0] in {HEAVY!r}:
        print("imported " + arguments[0], file=sys.stderr, flush=True)
        os._exit(77)
sys.addaudithook(audit)
"""


def layer(file: Path) -> str:
    return "faces" if file.parent.name == "faces" else file.stem


def imported(file: Path) -> set[str]:
    """Return the parts of bot/ that `file` imports anywhere, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "bot":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bot."):
            found.add(str(node.module).split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("bot.")}
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{file.name}: a relative import"
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(BOT).as_posix())
def test_a_file_imports_only_the_files_before_it(file: Path) -> None:
    assert layer(file) in ORDER, f"{file.name} has no place in the order of bot/__init__.py"
    before = ORDER[: ORDER.index(layer(file))]
    assert imported(file) - set(before) == set()


@pytest.mark.parametrize("face", [file for file in FILES if layer(file) == "faces"], ids=lambda face: face.stem)
def test_a_face_knows_only_answers_the_journal_and_errors(face: Path) -> None:
    assert imported(face) <= {"answer", "journal", "errors"}


def test_only_the_settings_read_the_environment() -> None:
    readers = {file.name for file in FILES if re.search(r"\bos\.(?:environ|getenv)\b", file.read_text(encoding="utf-8"))}
    assert readers <= {"benchmark.py"}, "which passes it on to the server that it starts"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(BOT).as_posix())
def test_every_file_says_in_its_header_what_it_is(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))


def test_asking_imports_nothing_that_only_building_needs(site: Path, real_index: Path) -> None:
    program = f"{NO_HEAVY}\nfrom bot.cli import main\nsys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "ask", "--site", str(site), "--index", str(real_index), "--json", "ingress udp"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["citations"][0]["url"] == "/ingress/#ingress-udp"


def test_serving_imports_nothing_that_only_building_needs(start: Callable[..., str], site: Path, real_index: Path, tmp_path: Path) -> None:
    journal = str(tmp_path / "journal.sqlite")
    address = start("--site", str(site), "--index", str(real_index), before=NO_HEAVY, PORTSIDE_JOURNAL=journal)
    body = json.dumps({"question": "ingress udp"}).encode()
    with urlopen(Request(f"{address}/api/ask", body, {"Content-Type": "application/json"})) as response:
        assert json.loads(response.read())["citations"][0]["url"] == "/ingress/#ingress-udp"


def test_the_guard_of_these_tests_sees_a_heavy_import() -> None:
    done = subprocess.run([sys.executable, "-c", f"{NO_HEAVY}\nimport sklearn"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (77, "imported sklearn\n")
