"""The HTTP contract through the real Flask app: every good request answered, every bad one refused in problem+json, never a 5xx."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.answer import MAX_HISTORY, MAX_QUESTION, Answerer
from bot.app import app_of
from bot.faces.web import MAX_BODY, PLAIN, openapi_document
from bot.journal import Journal
from bot.retrieval import Retriever
from bot.settings import Settings
from tests.conftest import DOUBT, WEIGHTS, Server, WordEncoder, index_of

ASK = "/api/ask"
QUESTION = {"question": "should I use Ingress for UDP?"}


def problem_of(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    """Return the problem of `response` after checking its form."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.mimetype == "application/problem+json"
    body: dict[str, Any] = response.get_json(force=True)
    assert set(body) == {"type", "title", "status", "detail", "code"}
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"/http-api/#problem-{code}"
    assert len(body["detail"]) > 10
    return body


def test_an_answer_has_the_shape_of_the_contract(client: FlaskClient) -> None:
    response = client.post(ASK, json=QUESTION)
    assert (response.status_code, response.mimetype) == (200, "application/json")
    body = response.get_json()
    expected = {"id", "question", "status", "verdict", "answer", "confidence", "citations", "suggestions", "took_ms"}
    assert set(body) == expected == set(openapi_document()["components"]["schemas"]["AnswerBody"]["properties"])
    assert (body["status"], body["verdict"], body["question"]) == ("answered", "no", QUESTION["question"])
    assert set(body["citations"][0]) == {"title", "url", "quote", "score"}
    assert body["citations"][0]["url"] == "/ingress/#ingress-udp"


def test_a_citation_opens_the_page_at_its_heading(client: FlaskClient) -> None:
    for citation in client.post(ASK, json=QUESTION).get_json()["citations"]:
        address = urlsplit(citation["url"])
        page = client.get(address.path)
        assert page.status_code == 200
        assert not address.fragment or f'id="{address.fragment}"' in page.get_data(as_text=True)


def test_history_and_page_are_taken_into_account(client: FlaskClient) -> None:
    history = [{"question": "can Ingress terminate TLS?"}]
    body = client.post(ASK, json={"question": "and with TLS certificates?", "history": history, "page": "/ingress/"}).get_json()
    assert body["citations"][0]["url"] == "/ingress/#ingress-tls"


def test_a_declined_question_is_an_answer_not_an_error(client: FlaskClient) -> None:
    response = client.post(ASK, json={"question": "how do I cook borscht"})
    assert response.status_code == 200
    assert response.get_json()["status"] == "declined"
    assert response.get_json()["citations"]


DEEP = "[" * 20_000 + "]" * 20_000
BAD_BODIES: dict[str, tuple[bytes, int, str]] = {
    "empty body": (b"", 400, "not-json"),
    "not JSON": (b"question=udp", 400, "not-json"),
    "half JSON": (b'{"question": "ud', 400, "not-json"),
    "two JSON values": (b'{"question": "udp"} {}', 400, "not-json"),
    "not UTF-8": (b'{"question": "\xff\xfe udp"}', 400, "not-json"),
    "deep JSON": (DEEP.encode(), 400, "not-json"),
    "deep JSON in a field": (b'{"question": "udp", "history": ' + DEEP.encode() + b"}", 400, "not-json"),
    "a NaN": (b'{"question": NaN}', 422, "invalid-request"),
    "a list": (b"[]", 422, "invalid-request"),
    "null": (b"null", 422, "invalid-request"),
    "a string": (b'"udp"', 422, "invalid-request"),
    "no question": (b"{}", 422, "invalid-request"),
    "question null": (b'{"question": null}', 422, "invalid-request"),
    "question a number": (b'{"question": 5}', 422, "invalid-request"),
    "question a list": (b'{"question": ["udp"]}', 422, "invalid-request"),
    "question an object": (b'{"question": {"question": "udp"}}', 422, "invalid-request"),
    "question empty": (b'{"question": ""}', 422, "empty-question"),
    "question blank": (b'{"question": " \\n\\t "}', 422, "empty-question"),
    "question of no-break spaces": ('{"question": "\u00a0\u2003"}'.encode(), 422, "empty-question"),
    "1,001 characters": (json.dumps({"question": "x" * (MAX_QUESTION + 1)}).encode(), 422, "question-too-long"),
    "NUL": (b'{"question": "ingress \\u0000 udp"}', 422, "control-characters"),
    "raw NUL": (b'{"question": "ingress \x00 udp"}', 400, "not-json"),
    "escape sequence": (b'{"question": "\\u001b[31mudp"}', 422, "control-characters"),
    "lone high surrogate": (b'{"question": "udp \\ud800"}', 400, "not-json"),
    "lone low surrogate": (b'{"question": "udp \\udc00 ingress"}', 400, "not-json"),
    "raw surrogate": (b'{"question": "udp \xed\xa0\x80"}', 400, "not-json"),
    "unknown field": (b'{"question": "udp", "temperature": 1}', 422, "invalid-request"),
    "history a string": (b'{"question": "udp", "history": "tls"}', 422, "invalid-request"),
    "history of strings": (b'{"question": "udp", "history": ["tls"]}', 422, "invalid-request"),
    "history null": (b'{"question": "udp", "history": null}', 422, "invalid-request"),
    "history with unknown field": (b'{"question": "udp", "history": [{"question": "a", "answer": "b"}]}', 422, "invalid-request"),
    "history too long": (json.dumps({"question": "udp", "history": [{"question": "a"}] * 7}).encode(), 422, "invalid-request"),
    "history with an empty question": (b'{"question": "and it?", "history": [{"question": ""}]}', 422, "empty-question"),
    "history with NUL": (b'{"question": "and it?", "history": [{"question": "\\u0000"}]}', 422, "control-characters"),
    "page a number": (b'{"question": "udp", "page": 1}', 422, "invalid-request"),
    "page too long": (json.dumps({"question": "udp", "page": "/" * 301}).encode(), 422, "invalid-request"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_body_is_refused_with_its_reason(client: FlaskClient, name: str) -> None:
    body, status, code = BAD_BODIES[name]
    problem_of(client.post(ASK, data=body, content_type="application/json"), status, code)


def test_ten_megabytes_are_refused_without_being_read(server: Server) -> None:
    address = urlsplit(server.address)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=20) as connection:
        head = f"POST {ASK} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
        head += f"Content-Length: {10 * 2**20}\r\n\r\n"
        connection.sendall(head.encode() + b'{"question": "' + b"x" * (10 * 2**20 - 16) + b'"}')
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["code"] == "too-large"


def test_a_body_one_byte_over_the_limit_is_refused(client: FlaskClient) -> None:
    body = b'{"question": "udp"}'
    assert client.post(ASK, data=body.ljust(MAX_BODY), content_type="application/json").status_code == 200
    problem_of(client.post(ASK, data=body.ljust(MAX_BODY + 1), content_type="application/json"), 413, "too-large")


def test_the_longest_request_of_the_contract_fits(client: FlaskClient) -> None:
    longest = "🚢" * (MAX_QUESTION - 4) + " udp"
    body = {"question": longest, "history": [{"question": longest}] * MAX_HISTORY, "page": "/" * 300}
    assert client.post(ASK, data=json.dumps(body, ensure_ascii=False).encode(), content_type="application/json").status_code == 200
    assert client.post(ASK, data=json.dumps(body).encode(), content_type="application/json").status_code in (200, 413)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/jsonp"]
)
def test_another_content_type_is_refused(client: FlaskClient, content_type: str) -> None:
    problem_of(client.post(ASK, data=json.dumps(QUESTION), content_type=content_type), 415, "wrong-content-type")


def test_a_content_type_with_a_charset_is_taken(client: FlaskClient) -> None:
    assert client.post(ASK, data=json.dumps(QUESTION), content_type="application/json; charset=utf-8").status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [ASK, "/api/feedback"])
def test_another_method_is_refused_and_the_right_one_named(client: FlaskClient, method: str, path: str) -> None:
    response = client.open(path, method=method)
    problem_of(response, 405, "wrong-method")
    assert "POST" in response.headers["Allow"]


@pytest.mark.parametrize("path", ["/api/search", "/healthz", "/readyz", "/metrics", "/openapi.json"])
def test_what_is_only_read_cannot_be_posted_to(client: FlaskClient, path: str) -> None:
    problem_of(client.post(path, json={}), 405, "wrong-method")


SCRIPT = "<script>alert(1)</script>"
STRANGE = [
    "🚢 udp 🚢",
    "можно ли использовать Ingress для UDP?",
    "هل يدعم Ingress بروتوكول UDP؟",
    "Ingress で UDP は使えますか？",
    "e\u0301\u0323\u0302 udp",
    "\u202eudp ssergni\u202c",
    "\u200budp\u200d",
    f"{SCRIPT} ingress udp",
    "<img src=x onerror=alert(1)> udp",
    "udp'; drop table answers; --",
    "{{7*7}} ${7*7} udp",
    "../../etc/passwd udp",
    "line\none\r\nudp",
    "x" * MAX_QUESTION,
    "?",
    "\ufffe\uffff udp",
    "𝔲𝔡𝔭 𝕚𝕟𝕘𝕣𝕖𝕤𝕤",
]


@pytest.mark.parametrize("question", STRANGE, ids=range(len(STRANGE)))
def test_any_text_is_answered_as_json_that_no_browser_runs(client: FlaskClient, question: str) -> None:
    response = client.post(ASK, json={"question": question})
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    body = response.get_json()
    assert body["status"] in ("answered", "unsure", "declined")
    assert SCRIPT not in body["answer"]
    assert not any(SCRIPT in citation["quote"] + citation["title"] for citation in body["citations"])


def events(text: str) -> Iterator[tuple[str, Any]]:
    for event in text.strip().split("\n\n"):
        name, data = event.split("\n")
        yield name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


@pytest.mark.parametrize("question", ["should I use Ingress for UDP?", "load balancer udp port example yaml", f"{SCRIPT}\n\ndata: x"])
def test_the_event_stream_carries_the_same_answer_block_by_block(client: FlaskClient, question: str) -> None:
    plain = client.post(ASK, json={"question": question}).get_json()
    response = client.post(ASK, json={"question": question}, headers={"Accept": "text/event-stream"})
    assert response.mimetype == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-store"
    found = list(events(response.get_data(as_text=True)))
    assert [name for name, _ in found] == ["block"] * (len(found) - 1) + ["answer"]
    last = found[-1][1]
    assert {name: last[name] for name in ("question", "status", "verdict", "answer", "citations")} == {
        name: plain[name] for name in ("question", "status", "verdict", "answer", "citations")
    }
    assert "\n\n".join(data["markdown"] for _, data in found[:-1]) == last["answer"]


def test_a_refusal_of_a_stream_is_a_problem_too(client: FlaskClient) -> None:
    problem_of(client.post(ASK, json={"question": " "}, headers={"Accept": "text/event-stream"}), 422, "empty-question")


def test_search_shows_the_nearest_sections_with_the_parts_of_their_scores(client: FlaskClient) -> None:
    body = client.get("/api/search?q=ingress+udp&k=2").get_json()
    assert body["query"] == "ingress udp"
    assert [hit["url"] for hit in body["hits"]][:1] == ["/ingress/#ingress-udp"]
    assert len(body["hits"]) == 2
    assert 0 < body["hits"][0]["parts"]["words"] <= 1
    assert len(client.get("/api/search?q=udp").get_json()["hits"]) == 5


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "empty-question"),
        ("q=", "empty-question"),
        ("q=%20", "empty-question"),
        ("q=%00", "control-characters"),
        (f"q={'x' * 1001}", "question-too-long"),
        *((f"q=udp&k={k}", "invalid-request") for k in ("0", "21", "-1", "1.5", "x", "", "%C2%B2", "1e1", "9" * 5000, "%D9%A1")),
        ("q=udp&fields=all", "invalid-request"),
    ],
)
def test_a_bad_search_is_refused(client: FlaskClient, query: str, code: str) -> None:
    problem_of(client.get(f"/api/search?{query}"), 422, code)


def test_feedback_is_noted_once_an_answer_was_given(client: FlaskClient, journal: Journal) -> None:
    answer = client.post(ASK, json=QUESTION).get_json()
    response = client.post("/api/feedback", json={"id": answer["id"], "helpful": False, "comment": "ask me: a@b.example"})
    assert (response.status_code, response.get_data()) == (204, b"")
    assert journal.gaps() == [(QUESTION["question"], "answered", 1, 1)]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"id": "unknown", "helpful": True}, 404, "unknown-answer"),
        ({"id": "'; drop table answers; --", "helpful": True}, 404, "unknown-answer"),
        ({"helpful": True}, 422, "invalid-request"),
        ({"id": "a"}, 422, "invalid-request"),
        ({"id": "a", "helpful": "yes"}, 422, "invalid-request"),
        ({"id": "a", "helpful": 1}, 422, "invalid-request"),
        ({"id": "", "helpful": True}, 422, "invalid-request"),
        ({"id": "a" * 65, "helpful": True}, 422, "invalid-request"),
        ({"id": "a", "helpful": True, "comment": "x" * 1001}, 422, "invalid-request"),
        ({"id": "a", "helpful": True, "user": "x"}, 422, "invalid-request"),
        ([], 422, "invalid-request"),
    ],
)
def test_bad_feedback_is_refused(client: FlaskClient, body: object, status: int, code: str) -> None:
    problem_of(client.post("/api/feedback", json=body), status, code)


def test_health_and_readiness_tell_what_is_served(client: FlaskClient, answerer: Answerer) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}
    ready = client.get("/readyz").get_json()
    assert ready["status"] == "ready"
    assert ready["sections"] == len(answerer.retriever.index.sections)
    assert ready["model"] == "bag-of-words"


def test_metrics_count_answers_by_status(client: FlaskClient) -> None:
    client.post(ASK, json=QUESTION)
    client.post(ASK, json={"question": "how do I cook borscht"})
    client.post(ASK, json={"question": " "})
    text = client.get("/metrics").get_data(as_text=True)
    assert 'portside_answers_total{face="web",status="answered"} 1.0' in text
    assert 'portside_answers_total{face="web",status="declined"} 1.0' in text
    assert "portside_answer_seconds_count 2.0" in text
    assert "borscht" not in text


@pytest.mark.parametrize("path", ["/", "/ingress/", "/assets/ask.js", "/healthz", "/nowhere", "/api/nowhere"])
def test_every_response_says_that_nothing_comes_from_another_host(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "object-src 'none'" in policy
    assert not re.search(r"https?:|\*", policy)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    ("path", "mimetype"),
    [
        ("/", "text/html"),
        ("/ingress/", "text/html"),
        ("/sphinx/widgets.html", "text/html"),
        ("/assets/ask.js", "text/javascript"),
        ("/robots.txt", "text/plain"),
    ],
)
def test_the_site_is_served(client: FlaskClient, path: str, mimetype: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.mimetype) == (200, mimetype)


def test_a_folder_without_its_slash_redirects_within_the_site(client: FlaskClient) -> None:
    response = client.get("/ingress")
    assert (response.status_code, response.headers["Location"]) == (308, "/ingress/")
    for path in ("//evil.example/ingress", "/%2F%2Fevil.example", "/\\evil.example"):
        assert "evil" not in client.get(path).headers.get("Location", "")


def test_files_with_a_hash_in_their_name_are_kept_by_browsers_and_others_asked_for_again(client: FlaskClient) -> None:
    assert "immutable" in client.get("/assets/bundle.0a1b2c3d.min.js").headers["Cache-Control"]
    assert client.get("/assets/ask.js").headers["Cache-Control"] == "no-cache"
    assert client.get("/ingress/").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["/nowhere/", "/nowhere.html", "/assets/", "/ingress/index.html/x"])
def test_a_missing_page_is_the_site_s_own_404_page(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers={"Accept": "text/html"})
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "no such page in the small handbook" in response.get_data(as_text=True)


def test_a_missing_address_is_a_problem_for_programs(client: FlaskClient) -> None:
    problem_of(client.get("/api/nowhere", headers={"Accept": "text/html"}), 404, "not-found")
    problem_of(client.get("/nowhere/", headers={"Accept": "application/json"}), 404, "not-found")


TRAVERSALS = [
    "/../index/manifest.json",
    "/%2e%2e/index/manifest.json",
    "/..%2findex/manifest.json",
    "/ingress/../../index/manifest.json",
    "/ingress/..%5c..%5cindex%5cmanifest.json",
    "/%252e%252e/index/manifest.json",
    "//etc/passwd",
    "/%2fetc/passwd",
    "/index.html%00.js",
    "/%00",
    "/ingress/%00/",
    "/%ff%fe",
    "/C:/windows/win.ini",
    "/" + "a" * 5000,
    "/" + "%F0%9F%9A%A2" * 200,
    "/" + "a/" * 2000,
    "/ingress\\index.html",
]


@pytest.mark.parametrize("path", TRAVERSALS, ids=range(len(TRAVERSALS)))
def test_no_path_leads_out_of_the_site(server: Server, site: Path, path: str) -> None:
    (site.parent / "index").mkdir(exist_ok=True)
    (site.parent / "index" / "manifest.json").write_text("outside of the site", encoding="utf-8")
    address = urlsplit(server.address)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=20) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    status = int(answer.split(b" ")[1])
    assert 300 <= status < 500, answer[:300]
    assert b"outside of the site" not in answer
    assert b"root:" not in answer
    if status == 404:
        assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["code"] == "not-found"


def test_a_bug_is_one_neutral_sentence_and_a_line_in_the_log(
    site: Path, journal: Journal, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(WordEncoder):
        def encode(self, texts: Any) -> Any:
            if self.encoded:
                raise RuntimeError("a secret of the machine room")
            return super().encode(texts)

    broken = app_of(Answerer(Retriever(index_of(site, Broken()), WEIGHTS), DOUBT), journal, settings)
    body = problem_of(broken.test_client().post(ASK, json=QUESTION), 500, "internal")
    assert "machine room" not in json.dumps(body)
    assert "machine room" in caplog.text


def test_a_live_server_answers_over_a_real_connection(server: Server) -> None:
    request = Request(f"{server.address}{ASK}", json.dumps(QUESTION).encode(), {"Content-Type": "application/json"})
    with urlopen(request) as response:
        assert json.loads(response.read())["verdict"] == "no"


def test_every_route_but_the_site_is_in_the_openapi_document(app: Flask) -> None:
    routes = {str(rule) for rule in app.url_map.iter_rules()} - {"/", "/<site:path>", "/openapi.json", "/slack/events", "/mcp"}
    assert routes == set(openapi_document()["paths"])


def test_every_plain_status_has_a_code(client: FlaskClient) -> None:
    assert all(re.fullmatch(r"[a-z-]+", code) for code in PLAIN.values())
    assert client.get("/openapi.json").get_json() == openapi_document()
