"""What was asked and how it went, in one SQLite file: redacted before it is written, deleted after a number of days.

No address, cookie or user name is kept. It tells maintainers what their docs fail to answer (`python -m bot gaps`).
"""

import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.answer import Answer

SCHEMA = """
create table if not exists answers (
  id text primary key, asked_at integer not null, face text not null, question text not null,
  status text not null, confidence real not null, section text not null, took_ms real not null
);
create index if not exists answers_by_time on answers (asked_at);
create table if not exists feedback (
  id text primary key references answers (id) on delete cascade, given_at integer not null, helpful integer not null, comment text not null
);
"""
SECONDS_A_DAY = 86_400
# What must not be kept, most specific first.
PRIVATE = (
    (re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|$)", re.S), "[key]"),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b"), "[email]"),
    (re.compile(r"(?i)\b(bearer|token|password|passwd|secret|api[-_]?key)\b(\s*[:=]\s*|\s+)[\"']?[^\s\"',;]{6,}"), r"\1 [secret]"),
    (re.compile(r"\b(?:AKIA|ASIA|ghp_|gho_|xox[abprs]-|eyJ|sk-)[\w.-]{8,}"), "[secret]"),
    (re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"), "[secret]"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), "[ip]"),
    (re.compile(r"(?i)(?<![\w:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![\w:])"), "[mac]"),
    (  # all eight groups, or fewer around a double colon: 12:30:45 is a time
        re.compile(
            r"(?i)(?<![\w:])(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}|(?:[0-9a-f]{1,4}:){1,7}:)(?![\w:])"
        ),
        "[ip]",
    ),
    (re.compile(r"\b(?=[\w+/-]*\d)(?=[\w+/-]*[A-Za-z])[\w+/]{32,}={0,2}"), "[secret]"),
)


class Journal:
    """Appends answers and feedback; reads back what went unanswered."""

    def __init__(self, file: Path, keep_days: int) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._keep_days, self._lock = keep_days, threading.Lock()
        self._purged = 0.0
        self._database = sqlite3.connect(file, check_same_thread=False)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = normal")  # no wait for the disk at each answer; a power cut may lose the last
        self._database.executescript(SCHEMA)
        self.purge()

    def record(self, answer: Answer, face: str) -> None:
        """Write down `answer`, its question redacted."""
        section = answer.citations[0].url if answer.citations else ""
        row = (answer.id, int(time.time()), face, redacted(answer.question), answer.status, answer.confidence, section, answer.took_ms)
        with self._connection() as connection:
            connection.execute("insert into answers values (?, ?, ?, ?, ?, ?, ?, ?)", row)
        if time.time() - self._purged > SECONDS_A_DAY:
            self.purge()

    def feedback(self, answer_id: str, helpful: bool, comment: str = "") -> bool:
        """Write down what a reader thought of an answer; the last word counts. Return False when there is no such answer."""
        with self._connection() as connection:
            if not connection.execute("select 1 from answers where id = ?", (answer_id,)).fetchone():
                return False
            row = (answer_id, int(time.time()), int(helpful), redacted(comment))
            connection.execute("insert or replace into feedback values (?, ?, ?, ?)", row)
        return True

    def gaps(self, limit: int = 50) -> list[tuple[str, str, int, int]]:
        """Return (question, status, times asked, times found unhelpful) of what went wrong, most frequent first."""
        with self._connection() as connection:
            return connection.execute(
                """select question, status, count(*) as times, coalesce(sum(1 - helpful), 0) as unhelpful
                   from answers left join feedback using (id) where status != 'answered' or helpful = 0
                   group by lower(question) order by times desc, unhelpful desc limit ?""",
                (limit,),
            ).fetchall()

    def purge(self) -> int:
        """Delete what is older than the retention time and return the number of answers deleted."""
        oldest = int(time.time()) - self._keep_days * SECONDS_A_DAY
        with self._connection() as connection:
            connection.execute("delete from feedback where id in (select id from answers where asked_at < ?)", (oldest,))
            deleted = connection.execute("delete from answers where asked_at < ?", (oldest,)).rowcount
        self._purged = time.time()
        return deleted

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._database:
            yield self._database

    def close(self) -> None:
        """Close the file; the journal cannot be used after that."""
        self._database.close()


def redacted(text: str) -> str:
    """Return `text` with e-mail addresses, IP addresses, keys, tokens and passwords replaced by what they are."""
    for pattern, instead in PRIVATE:
        text = pattern.sub(instead, text)
    return text
