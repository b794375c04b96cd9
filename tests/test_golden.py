"""The golden questions: well formed, and judged right when the shown text holds the facts."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answer import Answer
from bot.errors import PortsideError
from bot.golden import Golden, contains, contradicts, is_right, read_golden

QUESTION = Golden("g-1", "ingress udp?", "in_scope", "udp", "tune", verdict="no", must_contain=(("LoadBalancer", "NodePort"), ("UDP",)))
ANSWER = Answer("ingress udp?", "answered", "no", "**No.** Use a `LoadBalancer` Service with\nprotocol: udp.", 0.9, (), (), 1.0)


def test_an_answer_with_one_alternative_of_every_group_is_right() -> None:
    assert is_right(QUESTION, ANSWER)
    assert is_right(QUESTION, replace(ANSWER, answer="nodeport and udp"))
    assert not is_right(QUESTION, replace(ANSWER, answer="a LoadBalancer"))
    assert is_right(QUESTION, replace(ANSWER, status="unsure"))


def test_a_declined_answer_is_never_right() -> None:
    assert not is_right(QUESTION, replace(ANSWER, status="declined"))


@pytest.mark.parametrize(("verdict", "wrong"), [("yes", True), ("no", False), ("depends", False), (None, False)])
def test_only_the_opposite_verdict_contradicts(verdict: str | None, wrong: bool) -> None:
    assert contradicts(QUESTION, verdict) is wrong
    assert is_right(QUESTION, replace(ANSWER, verdict=verdict)) is not wrong


def test_nothing_contradicts_a_question_without_a_verdict() -> None:
    assert not contradicts(replace(QUESTION, verdict=None), "yes")
    assert not contradicts(replace(QUESTION, verdict="depends"), "no")


def test_code_marks_case_and_line_breaks_do_not_matter() -> None:
    assert contains("set `externalTrafficPolicy:\n Local`", [["externaltrafficpolicy: local"]])
    assert not contains("see [the page](/gateway/#udproute)", [["udproute"]]), "an address is not shown"
    assert contains("see [the UDPRoute](/gateway/)", [["udproute"]])
    assert contains("anything", [])
    assert not contains("anything", [["other"], []])


def test_questions_are_read_from_all_files_in_order(tmp_path: Path) -> None:
    first = {"id": "a", "question": "q", "kind": "in_scope", "topic": "t", "half": "tune", "must_contain": [["x"]], "sections": ["/a/#b"]}
    second = {"id": "b", "question": "r", "kind": "far", "topic": "t", "half": "report"}
    (tmp_path / "golden-b.jsonl").write_text(json.dumps(second) + "\n\n", encoding="utf-8")
    (tmp_path / "golden-a.jsonl").write_text(json.dumps(first) + "\n", encoding="utf-8")
    found = read_golden(tmp_path)
    assert [question.id for question in found] == ["a", "b"]
    assert found[0].must_contain == (("x",),)
    assert found[0].in_scope
    assert not found[1].in_scope


def test_without_golden_questions_it_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(PortsideError, match="checkout"):
        read_golden(tmp_path)


def test_the_project_s_questions_are_well_formed() -> None:
    questions = read_golden()
    assert {question.kind for question in questions} <= {"in_scope", "near", "far", "adversarial"}
    assert {question.half for question in questions} == {"tune", "report"}
    assert {question.verdict for question in questions} <= {"yes", "no", "depends", None}
    assert [name for name, times in Counter(question.id for question in questions).items() if times > 1] == []
    assert all(0 < len(question.question) <= 1000 for question in questions if question.kind != "adversarial")
    assert all(question.must_contain for question in questions if question.in_scope)
    assert all(question.half == "tune" or question.half == "report" for question in questions)


def test_no_question_stands_in_both_halves() -> None:
    halves: dict[str, set[str]] = {}
    for question in read_golden():
        halves.setdefault(" ".join((*question.history, question.question)).lower(), set()).add(question.half)
    assert [text for text, found in halves.items() if len(found) > 1] == []
