"""Learning on data made by hand: the useful part gets the weight, confidence follows what is right."""

import numpy as np
import pytest

from bot import tuning
from bot.answer import Answerer, Doubt
from bot.app import TUNING
from bot.errors import PortsideError
from bot.golden import Golden
from bot.retrieval import PARTS
from bot.settings import read_settings
from bot.tuning import CONFIDENCE, Example, _isotonic, fit_doubt, fit_fusion, tune

USEFUL = PARTS.index("passage_vector")


def examples(useful: int, questions: int = 200, candidates: int = 12) -> list[Example]:
    """Return questions whose right candidate is high in the part `useful` and like all others in the rest."""
    random = np.random.default_rng(7)
    made = []
    for _ in range(questions):
        parts = random.random((candidates, len(PARTS))).astype(np.float32) * 0.6
        right = np.zeros(candidates, dtype=bool)
        right[random.integers(candidates)] = True
        parts[right, useful] = 0.9
        made.append(Example(parts, right, 1.0))
    return made


@pytest.mark.parametrize("part", ["passage_vector", "words", "heading_vector"])
def test_the_part_that_tells_the_right_section_gets_the_weight(part: str) -> None:
    found = fit_fusion(examples(PARTS.index(part)), PARTS)
    others = [weight for name, weight in found.items() if name != part]
    assert found[part] > 3 * max(others)
    assert all(weight >= 0 for weight in found.values())


def test_the_page_is_not_learned_and_parts_that_are_not_allowed_get_no_weight() -> None:
    assert set(fit_fusion(examples(USEFUL), PARTS)) == set(PARTS) - {"page"}
    assert set(fit_fusion(examples(USEFUL), ("passage_vector", "words"))) == {"passage_vector", "words"}


def test_a_weighty_question_counts_as_much_as_many() -> None:
    words = PARTS.index("words")
    few_heavy = [Example(example.parts, example.right, 50.0) for example in examples(words, questions=20)]
    found = fit_fusion([*examples(USEFUL, questions=100), *few_heavy], PARTS)
    assert found["words"] > found["passage_vector"]


def test_a_part_that_misleads_gets_no_weight() -> None:
    made = examples(USEFUL)
    for example in made:
        example.parts[example.right, PARTS.index("words")] = 0.0
    assert fit_fusion(made, PARTS)["words"] == 0.0


def test_confidence_learns_which_questions_are_answered(answerer: Answerer) -> None:
    asked = [question for section in answerer.retriever.index.sections if not section.outside for question in section.questions]
    known = [Golden(f"k{n}", question, "in_scope", "t", "tune") for n, question in enumerate(asked)]
    foreign = [
        "how do I cook borscht",
        "who won the world cup",
        "best guitar strings",
        "tax return deadline",
        "train a puppy",
        "write a poem",
    ]
    unknown = [Golden(f"u{n}", question, "far", "t", "tune") for n, question in enumerate(foreign * 3)]
    learned = fit_doubt([(answerer, known + unknown, 1.0)])
    doubt = Doubt(**learned)  # type: ignore[arg-type]
    assert 0 < doubt.unsure_at <= doubt.answer_at < 1
    assert [knot[1] for knot in doubt.knots] == sorted(knot[1] for knot in doubt.knots)
    fitted = Answerer(answerer.retriever, doubt)
    assert fitted.find("ingress udp").confidence > 0.8
    assert fitted.find("paint a bathroom ceiling").confidence < 0.3


def test_the_line_of_confidence_rises_and_stays_off_certainty() -> None:
    random = np.random.default_rng(5)
    probabilities = random.random(400)
    right = (random.random(400) < probabilities**2).astype(float)
    knots = _isotonic(probabilities, right, np.full(400, 1 / 400))
    places, confidences = zip(*knots, strict=True)
    assert list(places) == sorted(places)
    assert list(confidences) == sorted(confidences)
    assert (min(confidences), max(confidences)) == CONFIDENCE
    assert abs(float(np.interp(0.8, places, confidences)) - 0.64) < 0.12


def test_without_fresh_questions_nothing_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "create_answerer", lambda _: None)
    monkeypatch.setattr(tuning, "read_golden", lambda: [Golden("g", "ingress udp", "in_scope", "t", "tune", mended=True)] * 200)
    before = TUNING.read_bytes()
    with pytest.raises(PortsideError, match="write new ones into quality"):
        tune(read_settings())
    assert TUNING.read_bytes() == before
