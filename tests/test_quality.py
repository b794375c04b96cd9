"""The figures on outcomes made by hand, where the right number is known."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from bot.answer import Answer, Answerer, Citation
from bot.golden import Golden
from bot.index import without_questions
from bot.quality import (
    STALE_DAYS,
    THRESHOLDS,
    Outcome,
    ablation,
    calibration_error,
    failed,
    figures,
    own_questions,
    reliability,
    share,
    stale_pages,
    thresholds,
    topics,
)
from bot.retrieval import Retriever, asked_without, leave_one_out
from bot.sections import Section
from tests.conftest import WEIGHTS

IN_SCOPE = Golden(
    "g", "ingress udp?", "in_scope", "udp", "report", verdict="no", must_contain=(("udp",),), sections=("/ingress/#ingress-udp",)
)
FAR = Golden("f", "borscht?", "far", "food", "report")
QUESTION = "session affinity sticky"
QUOTE = "No. An Ingress carries only HTTP and HTTPS."
CITATION = Citation("Ingress › Can an Ingress carry UDP?", "/ingress/#ingress-udp", QUOTE, 0.8)
ANSWER = Answer("ingress udp?", "answered", "no", "no udp", 0.9, (CITATION,), (), 2.0)


@pytest.fixture
def marked(tmp_path: Path, answerer: Answerer) -> Path:
    """A folder with one question of the small site, marked with a further section, and one that the site no longer has."""
    lines = [
        {"question": QUESTION, "sections": [answerer.retriever.index.sections[0].url, "/gone/#gone"]},
        {"question": "gone", "sections": []},
    ]
    (tmp_path / "own-questions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return tmp_path


def outcome(golden: Golden = IN_SCOPE, unrefused: Answer | None = None, **changes: object) -> Outcome:
    answer = replace(ANSWER, **changes)  # type: ignore[arg-type]
    return Outcome(golden, answer, replace(answer, status="answered") if unrefused is None else unrefused)


def test_an_out_of_scope_question_is_right_when_declined() -> None:
    assert outcome(FAR, status="declined").right
    assert not outcome(FAR).right
    assert outcome(FAR).false_answer
    assert outcome(FAR, status="unsure").false_answer


def test_a_false_claim_may_be_met_with_the_true_fact_but_never_with_yes() -> None:
    claim = replace(FAR, kind="adversarial", may_state=True)
    assert outcome(claim, verdict="no").right
    assert not outcome(claim, verdict="yes").right


def test_the_rank_is_that_of_the_first_right_citation() -> None:
    other = replace(CITATION, url="/other/")
    assert outcome().rank == 1
    assert outcome(citations=(other, other, CITATION)).rank == 3
    assert outcome(citations=(other,)).rank == 99


def test_figures_count_what_they_say(answerer: Answerer) -> None:
    other = replace(CITATION, url="/ports/#nodeport-range", quote="A NodePort lies between 30000 and 32767.")
    outcomes = [
        outcome(),
        outcome(citations=(other, CITATION)),
        outcome(verdict="yes"),
        outcome(status="declined", citations=(other,)),
        outcome(FAR),
        outcome(FAR, status="declined"),
    ]
    found = figures(outcomes, answerer)
    assert (found["questions in scope"], found["questions out of scope"]) == (4, 2)
    assert found["right answers"] == 0.5
    assert found["right section first"] == 0.5
    assert found["right section in first three"] == 0.75
    assert found["verdict contradicted"] == 0.25
    assert found["wrong refusals"] == 0.25
    assert found["false answers, far"] == 0.5
    assert found["false answers, near"] == 0.0
    assert found["quotes verbatim"] == 1.0
    assert found["milliseconds, median"] == 2.0


def test_a_quote_that_does_not_stand_on_the_page_is_counted(answerer: Answerer) -> None:
    made_up = replace(CITATION, quote="An Ingress carries everything.")
    assert figures([outcome(), outcome(citations=(made_up,))], answerer)["quotes verbatim"] == 0.5


def test_calibration_error_is_the_weighted_gap_of_confidence_and_right_ones() -> None:
    sure = [outcome(confidence=0.95), outcome(confidence=0.95), outcome(confidence=0.95), outcome(confidence=0.95, answer="wrong")]
    unsure = [outcome(confidence=0.35, answer="wrong")]
    # Bins: 4 at 0.95 of which 0.75 are right, 1 at 0.35 of which none is: (4 × 0.20 + 1 × 0.35) / 5.
    assert calibration_error(sure + unsure) == pytest.approx((4 * 0.20 + 1 * 0.35) / 5, abs=1e-4)
    assert calibration_error([outcome(confidence=1.0)]) == 0.0
    assert calibration_error([]) == 0.0


def test_reliability_has_a_row_for_each_bin_that_holds_something() -> None:
    rows = reliability([outcome(confidence=1.0), outcome(confidence=0.91), outcome(confidence=0.05, answer="wrong")])
    assert [(row["questions"], row["right"]) for row in rows] == [(1, 0.0), (2, 1.0)]
    assert rows[1]["confidence"] == pytest.approx(0.955)


def test_confidence_of_a_declined_question_is_judged_by_what_would_have_been_shown() -> None:
    assert reliability([outcome(status="declined", answer="declined", unrefused=ANSWER)])[0]["right"] == 1.0
    assert reliability([outcome(status="declined", unrefused=replace(ANSWER, answer="wrong"))])[0]["right"] == 0.0
    assert reliability([outcome(FAR, status="declined", confidence=0.2)])[0]["right"] == 0.0


def test_a_figure_outside_its_threshold_fails_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert failed({"quotes verbatim": 1.0}) == []
    assert failed({"quotes verbatim": 0.5}) == ["quotes verbatim is 50.0%: allowed are 100.0% to 100.0%"]
    monkeypatch.setitem(THRESHOLDS, "wrong refusals", (0.0, 0.1))
    assert failed({"wrong refusals": 0.2, "unknown figure": 7.0}) == ["wrong refusals is 20.0%: allowed are 0.0% to 10.0%"]


def test_every_threshold_is_about_a_figure_that_is_measured(answerer: Answerer, marked: Path) -> None:
    measured = set(figures([outcome()], answerer)) | set(own_questions(answerer.retriever, marked))
    assert set(THRESHOLDS) <= measured
    assert all(0.0 <= least <= most <= 1.0 for least, most in THRESHOLDS.values())


def test_shares_of_nothing_are_zero() -> None:
    assert share([]) == 0.0
    assert share([True, True, False]) == 0.6667


def test_topics_are_counted_apart() -> None:
    assert topics([outcome(), outcome(answer="wrong"), outcome(FAR, status="declined")]) == {
        "declined: far": {"questions": 1, "right": 1.0},
        "udp": {"questions": 2, "right": 0.5},
    }


def test_the_refusal_threshold_trades_false_answers_for_wrong_refusals() -> None:
    rows = thresholds([outcome(confidence=0.9), outcome(confidence=0.2), outcome(FAR, confidence=0.3), outcome(FAR, confidence=0.05)])
    by_cut = {row["unsure_at"]: (row["wrong refusals"], row["false answers"]) for row in rows}
    assert by_cut[0.1] == (0.0, 0.5)
    assert by_cut[0.3] == (0.5, 0.5)
    assert by_cut[0.35] == (0.5, 0.0)


def test_pages_that_were_not_reviewed_for_long_are_named() -> None:
    old, new = ((date.today() - timedelta(days=days)).isoformat() for days in (STALE_DAYS + 1, STALE_DAYS - 1))
    sections = [Section("/old/#a", ("A",), (), reviewed=old), Section("/new/#a", ("A",), (), reviewed=new), Section("/none/#a", ("A",), ())]
    assert stale_pages(sections) == ["/old/"]


def test_own_questions_are_asked_without_themselves(answerer: Answerer) -> None:
    found = own_questions(answerer.retriever)
    assert 0.5 < found["own questions, first"] <= found["own questions, first three"] <= 1.0


def test_the_ablation_measures_growing_sets_of_parts(answerer: Answerer) -> None:
    before = answerer.retriever.weights.copy()
    bare = Retriever(without_questions(answerer.retriever.index), WEIGHTS)
    found = ablation(answerer.retriever, bare, [IN_SCOPE])
    assert found["words only"] == {"first": 1.0, "first three": 1.0}
    assert list(found.values())[-1]["first"] == 1.0, "all parts together"
    np.testing.assert_array_equal(answerer.retriever.weights, before)


def test_own_questions_may_be_answered_by_more_than_their_own_section(answerer: Answerer, marked: Path, tmp_path: Path) -> None:
    names = ("own questions, any section that answers, first", "own questions, any section that answers, first three")
    found = own_questions(answerer.retriever, marked)
    assert [found[name] for name in names] == [1.0, 1.0]
    assert not set(names) & set(own_questions(answerer.retriever, tmp_path / "nothing"))
    entry = answerer.retriever.index.texts.index(QUESTION)
    own, *others = [hit.section.url for hit in answerer.retriever.search(asked_without(answerer.retriever, entry), 3)]
    numbers = {section.url: number for number, section in enumerate(answerer.retriever.index.sections)}
    ranks = [leave_one_out(answerer.retriever, [entry], [{numbers[url] for url in right}]) for right in ([own], others, others[1:])]
    assert ranks == [[1], [2], [3]]
