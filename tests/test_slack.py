"""Slack: signed requests through the real Flask app, and a real listener on loopback where Slack's response_url would be."""

import hashlib
import hmac
import json
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.answer import Answer, Answerer
from bot.app import app_of
from bot.faces.slack import BUG, BUTTON_CHARACTERS, HELP, MARKDOWN_CHARACTERS, PLAIN_CHARACTERS, absolute, message, plain
from bot.journal import Journal
from bot.retrieval import Retriever
from bot.settings import Settings
from tests.conftest import DOUBT, PUBLIC_URL, SIGNING_SECRET, WEIGHTS, Client, WordEncoder, index_of

SECONDS = 20  # to wait for what must come
QUESTION = "should I use Ingress for UDP?"


class Listener:
    """Takes the place of Slack's response_url; answers with the given statuses, then 200."""

    def __init__(self) -> None:
        self.received: queue.Queue[dict[str, Any]] = queue.Queue()
        self.statuses: list[int] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(listener.statuses.pop(0) if listener.statuses else 200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")
                listener.received.put(json.loads(body))

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/response"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})

    def next(self) -> dict[str, Any]:
        return self.received.get(timeout=SECONDS)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    listener.thread.start()
    yield listener
    listener.server.shutdown()
    listener.thread.join()
    listener.server.server_close()
    assert listener.received.empty(), "every message was expected"


def post(client: FlaskClient, fields: dict[str, str], secret: str = SIGNING_SECRET, age: int = 0) -> TestResponse:
    """Send `fields` as Slack does, signed with `secret` `age` seconds ago."""
    body, sent = urlencode(fields), str(int(time.time()) - age)
    signature = "v0=" + hmac.new(secret.encode(), f"v0:{sent}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {"X-Slack-Request-Timestamp": sent, "X-Slack-Signature": signature}
    return client.post("/slack/events", data=body, content_type="application/x-www-form-urlencoded", headers=headers)


def command(listener: Listener, text: str) -> dict[str, str]:
    return {
        "command": "/ask",
        "text": text,
        "response_url": listener.url,
        "team_id": "T1",
        "user_id": "U1",
        "channel_id": "C1",
        "trigger_id": "1.2",
    }


def action(listener: Listener, action_id: str, value: str = "") -> dict[str, str]:
    payload = {
        "type": "block_actions",
        "team": {"id": "T1", "domain": "x"},
        "user": {"id": "U1", "team_id": "T1"},
        "channel": {"id": "C1", "name": "x"},
        "response_url": listener.url,
        "trigger_id": "1.2",
        "actions": [{"type": "button", "action_id": action_id, "block_id": "b", "value": value, "action_ts": "1.2"}],
    }
    return {"payload": json.dumps(payload)}


def test_a_command_is_answered_for_the_asker_s_eyes_only(client: FlaskClient, listener: Listener, tmp_path: Path) -> None:
    response = post(client, command(listener, QUESTION))
    assert (response.status_code, response.get_data()) == (200, b"")
    sent = listener.next()
    assert sent["response_type"] == "ephemeral"
    markdown, actions, footer = sent["blocks"]
    assert markdown["text"].startswith(f"> {QUESTION}\n\n**No.** An `Ingress` carries only HTTP")
    assert f"[load balancers]({PUBLIC_URL}/loadbalancer/#lb-udp)" in markdown["text"]
    assert actions["elements"][0]["url"] == f"{PUBLIC_URL}/ingress/#ingress-udp"
    assert actions["elements"][-1]["text"]["text"] == "Share in channel"
    assert "sure" in footer["elements"][0]["text"]
    assert sent["text"].startswith("**No.**")
    kept = sqlite3.connect(tmp_path / "journal.sqlite")
    assert kept.execute("select face, question from answers").fetchall() == [("slack", QUESTION)]
    kept.close()


def test_an_answer_is_shared_in_the_channel_by_its_button(client: FlaskClient, listener: Listener) -> None:
    assert post(client, action(listener, "share", QUESTION)).status_code == 200
    sent = listener.next()
    assert sent["response_type"] == "in_channel"
    assert sent["replace_original"] is False
    assert "Share in channel" not in json.dumps(sent)
    assert "carries only HTTP" in sent["blocks"][0]["text"]


def test_a_link_button_is_acknowledged_and_needs_no_message(client: FlaskClient, listener: Listener) -> None:
    assert post(client, action(listener, "open-0")).status_code == 200


@pytest.mark.parametrize("text", ["", "help", " HELP "])
def test_without_a_question_the_command_explains_itself(client: FlaskClient, listener: Listener, text: str) -> None:
    assert post(client, command(listener, text)).status_code == 200
    sent = listener.next()
    assert (sent["text"], sent["response_type"]) == (HELP, "ephemeral")


def test_a_declined_question_has_no_share_button(client: FlaskClient, listener: Listener) -> None:
    post(client, command(listener, "how do I cook borscht"))
    sent = listener.next()
    assert "does not answer that" in sent["blocks"][0]["text"]
    assert "Share in channel" not in json.dumps(sent)


def test_a_wrong_signature_is_refused(client: FlaskClient, listener: Listener) -> None:
    assert post(client, command(listener, QUESTION), secret="f" * 32).status_code == 401


def test_an_old_request_is_refused_though_it_is_signed(client: FlaskClient, listener: Listener) -> None:
    assert post(client, command(listener, QUESTION), age=600).status_code == 401


def test_an_unsigned_request_is_refused(client: FlaskClient, listener: Listener) -> None:
    assert client.post("/slack/events", data=command(listener, QUESTION)).status_code == 401
    assert client.post("/slack/events", json={"type": "url_verification", "challenge": "x"}).status_code == 401


def test_when_slack_refuses_the_blocks_plain_text_follows(client: FlaskClient, listener: Listener) -> None:
    listener.statuses = [400]
    post(client, command(listener, QUESTION))
    assert "blocks" in listener.next()
    second = listener.next()
    assert "blocks" not in second
    assert second["response_type"] == "ephemeral"
    assert "carries only HTTP" in second["text"]
    assert f"{PUBLIC_URL}/ingress/#ingress-udp" in second["text"]


@pytest.mark.parametrize(("text", "said"), [("x" * 1001, "1000 is the most"), ("udp \x07", "control characters")])
def test_a_refused_question_is_told_in_private(client: FlaskClient, listener: Listener, text: str, said: str) -> None:
    assert post(client, command(listener, text)).status_code == 200
    sent = listener.next()
    assert sent["response_type"] == "ephemeral"
    assert said in sent["text"]


class Held(WordEncoder):
    """Encodes nothing further until it is released, and fails then if it should."""

    def __init__(self) -> None:
        super().__init__()
        self.closed, self.fails = threading.Event(), False
        self.closed.set()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        assert self.closed.wait(SECONDS)
        if self.fails:
            raise RuntimeError("a bug")
        return super().encode(texts)


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def held_client(site: Path, held: Held, journal: Journal, settings: Settings) -> FlaskClient:
    app = app_of(Answerer(Retriever(index_of(site, held), WEIGHTS), DOUBT), journal, settings)
    app.test_client_class = Client
    return app.test_client()


def test_the_command_is_acknowledged_before_the_work(held: Held, held_client: FlaskClient, listener: Listener) -> None:
    held.closed.clear()
    response = post(held_client, command(listener, QUESTION))
    assert response.status_code == 200
    assert listener.received.empty()
    held.closed.set()
    assert "carries only HTTP" in listener.next()["text"]


def test_a_bug_ends_in_a_private_line_and_in_the_log(
    held: Held, held_client: FlaskClient, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    held.fails = True
    assert post(held_client, command(listener, QUESTION)).status_code == 200
    sent = listener.next()
    assert (sent["text"], sent["response_type"]) == (BUG, "ephemeral")
    assert "RuntimeError: a bug" in caplog.text


def test_without_a_signing_secret_the_address_says_how_to_set_one(answerer: Answerer, journal: Journal, settings: Settings) -> None:
    app = app_of(answerer, journal, settings.model_copy(update={"slack_signing_secret": None}))
    response = app.test_client().post("/slack/events", data={"command": "/ask"})
    assert response.status_code == 404
    assert response.get_json(force=True)["code"] == "slack-not-configured"
    assert "PORTSIDE_SLACK_SIGNING_SECRET" in response.get_json(force=True)["detail"]


@pytest.fixture
def answer(answerer: Answerer) -> Answer:
    return answerer.ask(QUESTION)


def test_an_answer_that_is_too_long_for_slack_is_cut(answer: Answer) -> None:
    long = replace(answer, answer="word " * 10_000, citations=tuple(replace(citation, title="t" * 300) for citation in answer.citations))
    sent = message(long, PUBLIC_URL)
    assert len(sent["blocks"][0]["text"]) == MARKDOWN_CHARACTERS
    assert sent["blocks"][0]["text"].endswith("…")
    assert len(sent["text"]) <= PLAIN_CHARACTERS
    assert all(len(button["text"]["text"]) <= BUTTON_CHARACTERS for button in sent["blocks"][1]["elements"])


def test_a_message_keeps_to_slack_s_limits_for_the_longest_question(answer: Answer) -> None:
    sent = message(replace(answer, question="q" * 1000), PUBLIC_URL)
    assert len(sent["blocks"][1]["elements"]) <= 25
    assert all(len(button.get("value", "")) <= 2000 for button in sent["blocks"][1]["elements"])
    identifiers = [button["action_id"] for button in sent["blocks"][1]["elements"]]
    assert len(set(identifiers)) == len(identifiers)


@pytest.mark.parametrize(("status", "said"), [("answered", "own words"), ("unsure", "Not sure"), ("declined", "Not in the handbook")])
def test_the_footer_says_how_sure_the_answer_is(answer: Answer, status: str, said: str) -> None:
    assert said in json.dumps(message(replace(answer, status=status), PUBLIC_URL)["blocks"][-1])


def test_a_question_of_many_lines_stays_one_quote(answer: Answer) -> None:
    text = message(replace(answer, question="one\n\n# two\nthree"), PUBLIC_URL)["blocks"][0]["text"]
    assert text.startswith("> one # two three\n\n")


def test_without_a_public_address_links_are_words(answer: Answer) -> None:
    assert (
        absolute("see [load balancers](/lb/#x) and [k8s](https://kubernetes.io/)", "")
        == "see load balancers and [k8s](https://kubernetes.io/)"
    )
    assert absolute("see [load balancers](/lb/#x)", "https://a.example/") == "see [load balancers](https://a.example/lb/#x)"
    sent = message(answer, "")
    assert [button["action_id"] for button in sent["blocks"][1]["elements"]] == ["share"]
    assert plain(answer, PUBLIC_URL).count(PUBLIC_URL) >= len(answer.citations)


def test_without_a_public_address_the_sections_are_named_in_the_footer(answer: Answer) -> None:
    footer = message(answer, "")["blocks"][-1]["elements"][0]["text"]
    assert all(citation.title in footer for citation in answer.citations)
    assert "\n" not in message(answer, PUBLIC_URL)["blocks"][-1]["elements"][0]["text"], "the buttons name them"
