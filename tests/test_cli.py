"""The command line as a person runs it: answers, errors in one sentence, exit codes."""

import argparse
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from bot.answer import Answerer
from bot.cli import main, parser
from bot.journal import Journal
from tests.conftest import ROOT


def commands() -> dict[str, argparse.ArgumentParser]:
    (found,) = [action.choices for action in parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folders(site: Path, real_index: Path) -> list[str]:
    return ["--site", str(site), "--index", str(real_index)]


@pytest.mark.parametrize("name", commands())
def test_every_command_and_every_option_has_a_sentence(name: str) -> None:
    command = commands()[name]
    assert (command.description or "").endswith(".")
    for action in command._actions:
        assert action.help, f"{name} {action.dest}"


def test_help_exits_with_zero_and_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in commands())


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["ask"], ["gaps", "--limit", "many"], ["serve", "--what"]])
def test_a_wrong_command_line_exits_with_two_and_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "usage: python -m bot" in capsys.readouterr().err


def test_ask_answers_in_the_terminal(folders: list[str]) -> None:
    done = run(
        "ask", *folders, "should", "I", "use", "Ingress", "for", "UDP?", PORTSIDE_PUBLIC_URL="https://docs.example.com", COLUMNS="200"
    )
    assert done.returncode == 0, done.stderr
    assert "An Ingress carries only HTTP and HTTPS" in done.stdout
    assert "[1] Ingress › Can an Ingress carry UDP?  https://docs.example.com/ingress/#ingress-udp" in done.stdout
    assert "% sure" in done.stdout


def test_ask_json_gives_what_the_http_endpoint_gives(folders: list[str], answerer: Answerer) -> None:
    done = run("ask", *folders, "--json", "should I use Ingress for UDP?")
    body = json.loads(done.stdout)
    assert set(body) == set(answerer.ask("udp").__dataclass_fields__)
    assert body["citations"][0]["url"] == "/ingress/#ingress-udp"


def test_ask_reads_a_follow_up_with_the_question_before_it(folders: list[str]) -> None:
    done = run("ask", *folders, "--json", "--after", "can Ingress terminate TLS?", "--page", "/ingress/", "and with certificates?")
    assert json.loads(done.stdout)["citations"][0]["url"] == "/ingress/#ingress-tls"


@pytest.mark.parametrize(("question", "said"), [(" ", "no question"), ("x" * 1001, "1000 is the most"), ("udp\x07", "control characters")])
def test_a_refused_question_exits_with_two_and_one_sentence(
    folders: list[str], capsys: pytest.CaptureFixture[str], question: str, said: str
) -> None:
    assert main(["ask", *folders, question]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert said in shown.err
    assert shown.err.count("\n") == 1


def test_without_an_index_it_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "--index", str(tmp_path / "nowhere"), "ingress udp"]) == 4
    assert "python -m bot build" in capsys.readouterr().err


def test_without_a_site_build_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--site", str(tmp_path / "nowhere"), "--index", str(tmp_path / "index")]) == 3
    assert "mkdocs build" in capsys.readouterr().err


def test_a_model_that_is_not_there_is_refused(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--site", str(site), "--index", str(tmp_path / "index"), "--model", "no-such-model"]) == 5
    assert "no-such-model" in capsys.readouterr().err


def test_a_wrong_setting_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", "http"]) == 6
    assert capsys.readouterr().err.startswith("error: PORTSIDE_PORT is 'http': ")


def test_building_again_says_that_the_index_is_current(folders: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", *folders]) == 0
    assert "is current" in capsys.readouterr().out


def test_serve_says_where_and_serves(start: Callable[..., str], folders: list[str], tmp_path: Path) -> None:
    address = start(*folders, PORTSIDE_JOURNAL=str(tmp_path / "journal.sqlite"))
    assert address.startswith("http://127.0.0.1:")
    with urlopen(f"{address}/healthz") as response:
        assert json.loads(response.read()) == {"status": "ok"}


def test_a_port_that_is_taken_is_refused_before_anything_is_loaded(folders: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", *folders, "--port", str(port)]) == 6
    shown = capsys.readouterr().err
    assert f"127.0.0.1:{port} cannot be served on" in shown
    assert "--port" in shown


def test_gaps_lists_what_went_unanswered(
    tmp_path: Path, answerer: Answerer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORTSIDE_JOURNAL", str(tmp_path / "journal.sqlite"))
    assert main(["gaps"]) == 0
    assert capsys.readouterr().out == "No question went unanswered so far.\n"
    journal = Journal(tmp_path / "journal.sqlite", 90)
    journal.record(answerer.ask("how do I cook borscht"), "web")
    journal.close()
    assert main(["gaps", "--limit", "5"]) == 0
    assert capsys.readouterr().out == "   1 × declined  0 unhelpful  how do I cook borscht\n"
