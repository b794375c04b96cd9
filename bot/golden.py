"""The golden questions (quality/golden-*.jsonl): what people ask, what a right answer must hold, and whether an answer does.

One half tunes, the other half only reports. Knows no retrieval.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.answer import Answer
from bot.errors import PortsideError

GOLDEN = Path(__file__).parent.parent / "quality"


@dataclass(frozen=True, slots=True)
class Golden:
    """A question; when in scope, the facts that its answer must contain: of each group one alternative, in any case."""

    id: str
    question: str
    kind: str  # "in_scope" | "near" | "far" | "adversarial"
    topic: str
    half: str  # "tune" | "report"
    verdict: str | None = None
    must_contain: tuple[tuple[str, ...], ...] = ()
    history: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()  # URLs of the sections that answer it; several may
    may_state: bool = False  # to be declined, but stating the true fact instead is no false answer
    mended: bool = False  # the site was amended where this one failed, so how it does now says little about new questions

    @property
    def in_scope(self) -> bool:
        return self.kind == "in_scope"


def read_golden(folder: Path = GOLDEN) -> list[Golden]:
    """Return the golden questions of all golden-*.jsonl in `folder`, in order."""
    files = sorted(folder.glob("golden-*.jsonl"))
    if not files:
        raise PortsideError(f"There are no golden questions in {folder}: run this in a checkout of the project.")
    return [_golden(json.loads(line)) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _golden(record: dict[str, Any]) -> Golden:
    return Golden(
        id=record["id"],
        question=record["question"],
        kind=record["kind"],
        topic=record["topic"],
        half=record["half"],
        verdict=record.get("verdict"),
        must_contain=tuple(tuple(group) for group in record.get("must_contain", [])),
        history=tuple(record.get("history", [])),
        sections=tuple(record.get("sections", [])),
        may_state=record.get("may_state", False),
        mended=record.get("mended", False),
    )


def contains(text: str, groups: Sequence[Sequence[str]]) -> bool:
    """Whether `text` holds one alternative of every group, in any case, code marks and addresses of links aside."""
    plain = re.sub(r"\s+", " ", re.sub(r"[`*]|(?<=\])\([^)\s]*\)", "", text)).lower()
    return all(any(alternative.lower() in plain for alternative in group) for group in groups)


def contradicts(question: Golden, verdict: str | None) -> bool:
    """Whether the verdict has the wrong sign: yes where no is right, or no where yes is."""
    return {question.verdict, verdict} == {"yes", "no"}


def is_right(question: Golden, answer: Answer) -> bool:
    """Whether the shown text holds the facts that the question needs, and the verdict does not contradict them."""
    return answer.status != "declined" and contains(answer.answer, question.must_contain) and not contradicts(question, answer.verdict)
