"""The handbook itself: the real site and index, built before the tests, through the command that serves them."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from bs4 import BeautifulSoup

from bot.sections import CONTENT, SKIPPED, squeeze
from bot.settings import Settings, read_settings
from tests.conftest import pids
from tests.test_layers import NO_HEAVY

MEMORY_MB = 300  # that a serving process may hold
QUESTIONS = [
    "should I use Ingress for UDP?",
    "why is the EXTERNAL-IP of my service pending?",
    "what replaces ingress-nginx now that it is retired?",
    "how do I keep the client IP address?",
    "how do I get a certificate from Let's Encrypt?",
    "what is the difference between Ingress and Gateway API?",
    "nlb or alb?",
    "how do I raise the timeout of a load balancer on EKS?",
]


@pytest.fixture(scope="module")
def settings() -> Settings:
    settings = read_settings()
    if not (settings.site / "index.html").is_file() or not (settings.index / "manifest.json").is_file():
        pytest.fail("run make build first")
    return settings


@pytest.fixture
def address(start: Callable[..., str], settings: Settings, tmp_path: Path) -> str:
    """The handbook served, with the import of everything that only building needs forbidden."""
    folders = ["--site", str(settings.site.resolve()), "--index", str(settings.index.resolve())]
    return start(*folders, before=NO_HEAVY, PORTSIDE_JOURNAL=str(tmp_path / "journal.sqlite"))


def ask(address: str, question: str) -> dict[str, Any]:
    request = Request(f"{address}/api/ask", json.dumps({"question": question}).encode(), {"Content-Type": "application/json"})
    with urlopen(request) as response:
        answer: dict[str, Any] = json.loads(response.read())
    return answer


def page(address: str, url: str) -> BeautifulSoup:
    with urlopen(f"{address}{urlsplit(url).path}") as response:
        return BeautifulSoup(response.read(), "lxml")


def test_the_first_question_of_all_is_answered_with_no_and_an_anchor_that_exists(address: str) -> None:
    answer = ask(address, "should I use Ingress for UDP?")
    assert (answer["status"], answer["verdict"]) == ("answered", "no")
    assert answer["answer"].startswith("**No.**")
    first = answer["citations"][0]["url"]
    assert page(address, first).find(id=urlsplit(first).fragment) is not None


def test_every_quote_stands_verbatim_on_its_page_under_an_anchor_that_exists(address: str) -> None:
    for question in QUESTIONS:
        for citation in ask(address, question)["citations"]:
            soup = page(address, citation["url"])
            assert soup.find(id=urlsplit(citation["url"]).fragment) is not None, citation["url"]
            content = next(found for selector in CONTENT if (found := soup.select_one(selector)))
            for tag in content.select(SKIPPED):
                tag.decompose()
            assert citation["quote"] in squeeze(content.get_text()), citation["url"]


@pytest.mark.parametrize("question", ["how do I cook borscht", "who won the football world cup?", "write me a poem about the sea"])
def test_what_has_nothing_to_do_with_the_handbook_is_declined(address: str, question: str) -> None:
    answer = ask(address, question)
    assert (answer["status"], answer["verdict"]) == ("declined", None)


def test_what_is_asked_is_answered(address: str) -> None:
    statuses = {question: ask(address, question)["status"] for question in QUESTIONS}
    assert [question for question, status in statuses.items() if status == "declined"] == []


def test_an_answer_holds_only_words_of_the_handbook(address: str) -> None:
    for question in QUESTIONS:
        answer = ask(address, question)
        words = set(re.findall(r"[A-Za-z]{4,}", re.sub(r"\]\([^)]*\)", "]", answer["answer"])))
        text = "".join(page(address, citation["url"]).get_text(" ") for citation in answer["citations"])
        unsure = set(re.findall(r"[A-Za-z]{4,}", "I am not sure that this is what you ask. The closest section is See also"))
        assert words - set(re.findall(r"[A-Za-z]{4,}", text)) - unsure - {"text", "yaml", "bash", "Depends"} == set(), question


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
def test_a_serving_process_stays_small(address: str) -> None:
    for question in QUESTIONS * 5:
        ask(address, question)
    status = Path(f"/proc/{pids[address]}/status").read_text(encoding="utf-8")
    resident = next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))
    assert resident < MEMORY_MB
