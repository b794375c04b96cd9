"""The journal on a real SQLite file: what is kept, what never is, for how long, and what it tells."""

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answer import Answer, Answerer
from bot.journal import Journal, redacted


@pytest.fixture
def answer(answerer: Answerer) -> Answer:
    return answerer.ask("should I use Ingress for UDP?")


@pytest.fixture
def declined(answerer: Answerer) -> Answer:
    return answerer.ask("how do I cook borscht")


def again(answer: Answer, number: int) -> Answer:
    return replace(answer, id=f"{answer.id}-{number}")


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(folder / "journal.sqlite")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_an_answer_is_written_down_with_how_it_went(journal: Journal, answer: Answer, tmp_path: Path) -> None:
    journal.record(answer, "web")
    found = rows(tmp_path, "select id, face, question, status, confidence, section, took_ms from answers")
    assert found == [(answer.id, "web", answer.question, "answered", answer.confidence, "/ingress/#ingress-udp", answer.took_ms)]


SECRETS = [
    ("mail jane.doe+k8s@example.co.uk about it", "jane", "[email]"),
    ("my node 192.168.17.4 is down", "192.168", "[ip]"),
    ("pod at 2001:db8:85a3::8a2e:370:7334 fails", "85a3", "[ip]"),
    ("node fe80::1 and 2001:db8:0:1:2:3:4:5", "db8", "[ip]"),
    ("arp says 02:42:ac:11:00:02", "ac:11", "[mac]"),
    ("curl -H 'Authorization: Bearer abcdef123456'", "abcdef123456", "[secret]"),
    ("password: hunter2hunter2", "hunter2", "[secret]"),
    ('api_key="Zx81spectrum"', "Zx81", "[secret]"),
    ("token ghp_0123456789abcdefghij", "ghp_", "[secret]"),
    ("AKIAIOSFODNN7EXAMPLE does not work", "AKIA", "[secret]"),
    ("xoxb-1234567890-abcdefghij", "xoxb-1", "[secret]"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc", "eyJ", "[secret]"),
    ("postgres://admin:s3cret@db.example.com/x", "s3cret", "[email]"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIE", "[key]"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEow cut off", "MIIE", "[key]"),
    ("hash 4f3c2b1a4f3c2b1a4f3c2b1a4f3c2b1a", "4f3c", "[secret]"),
]


@pytest.mark.parametrize(("text", "private", "instead"), SECRETS, ids=[secret[0][:20] for secret in SECRETS])
def test_what_is_private_is_not_written_down(
    journal: Journal, answer: Answer, tmp_path: Path, text: str, private: str, instead: str
) -> None:
    journal.record(replace(answer, question=text), "web")
    assert journal.feedback(answer.id, helpful=True, comment=text)
    ((question, comment),) = rows(tmp_path, "select question, comment from answers join feedback using (id)")
    for kept in (str(question), str(comment)):
        assert private not in kept
        assert instead in kept
    journal.close()
    assert private.encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("journal.sqlite*"))


@pytest.mark.parametrize(
    "text",
    [
        "externalTrafficPolicy: Local on port 30080",
        "cert-manager.io/cluster-issuer annotation for app.example.com",
        "error: spec.rules[0] unknown field protocol, 12:30:45",
        "what is a Secret of type kubernetes.io/tls?",
        "kubernetes 1.36.2 and nginx 1.13.0-beta.1",
        "mac and cheese :: double colons",
    ],
)
def test_what_is_not_private_stays_as_it_was_asked(text: str) -> None:
    assert redacted(text) == text


def test_redaction_takes_no_time_on_hostile_text() -> None:
    for hostile in ("a" * 1000, "@" * 1000, "-----BEGIN " * 90, "1:" * 500, "a.b@" * 250, "secret " * 140, "9" * 1000):
        assert redacted(hostile) is not None


def test_answers_are_deleted_after_their_time_with_their_feedback(journal: Journal, answer: Answer, tmp_path: Path) -> None:
    for number in range(3):
        journal.record(again(answer, number), "web")
        journal.feedback(f"{answer.id}-{number}", helpful=False)
    connection = sqlite3.connect(tmp_path / "journal.sqlite")
    with connection:
        connection.execute("update answers set asked_at = asked_at - 91 * 86400 where id like '%-0'")
        connection.execute("update answers set asked_at = asked_at - 89 * 86400 where id like '%-1'")
    connection.close()
    assert journal.purge() == 1
    assert rows(tmp_path, "select id from answers") == [(f"{answer.id}-1",), (f"{answer.id}-2",)]
    assert rows(tmp_path, "select count(*) from feedback") == [(2,)]


def test_opening_a_journal_deletes_what_is_too_old(journal: Journal, answer: Answer, tmp_path: Path) -> None:
    journal.record(answer, "web")
    connection = sqlite3.connect(tmp_path / "journal.sqlite")
    with connection:
        connection.execute("update answers set asked_at = 0")
    connection.close()
    Journal(tmp_path / "journal.sqlite", keep_days=3650).close()
    assert rows(tmp_path, "select * from answers") == []


def test_gaps_are_what_was_declined_or_did_not_help_most_frequent_first(journal: Journal, answer: Answer, declined: Answer) -> None:
    for number in range(3):
        journal.record(again(declined, number), "web")
    journal.record(answer, "slack")
    assert journal.gaps() == [(declined.question, "declined", 3, 0)]
    journal.feedback(answer.id, helpful=False)
    assert journal.gaps() == [(declined.question, "declined", 3, 0), (answer.question, "answered", 1, 1)]
    assert journal.gaps(limit=1) == [(declined.question, "declined", 3, 0)]


def test_a_question_that_helped_is_no_gap(journal: Journal, answer: Answer) -> None:
    journal.record(answer, "web")
    journal.feedback(answer.id, helpful=True)
    assert journal.gaps() == []


def test_the_last_feedback_counts(journal: Journal, answer: Answer, tmp_path: Path) -> None:
    journal.record(answer, "web")
    journal.feedback(answer.id, helpful=True, comment="good")
    journal.feedback(answer.id, helpful=False, comment="on second thought")
    assert rows(tmp_path, "select helpful, comment from feedback") == [(0, "on second thought")]


def test_feedback_on_an_unknown_answer_is_not_kept(journal: Journal, tmp_path: Path) -> None:
    assert journal.feedback("no-such-answer", helpful=True) is False
    assert rows(tmp_path, "select * from feedback") == []


def test_a_journal_is_kept_over_a_restart(tmp_path: Path, answer: Answer) -> None:
    file = tmp_path / "deep" / "folder" / "journal.sqlite"
    first = Journal(file, 90)
    first.record(answer, "web")
    first.close()
    second = Journal(file, 90)
    assert second.feedback(answer.id, helpful=True)
    second.close()


def test_several_threads_write_at_the_same_time(journal: Journal, answer: Answer, tmp_path: Path) -> None:
    def write(thread: int) -> None:
        for number in range(20):
            journal.record(again(answer, 100 * thread + number), "web")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(tmp_path, "select count(*) from answers") == [(100,)]


def test_no_address_cookie_or_user_is_kept(journal: Journal, tmp_path: Path) -> None:
    columns = {str(row[1]) for table in ("answers", "feedback") for row in rows(tmp_path, f"pragma table_info({table})")}
    assert columns == {"id", "asked_at", "face", "question", "status", "confidence", "section", "took_ms", "given_at", "helpful", "comment"}
    assert journal.purge() == 0
