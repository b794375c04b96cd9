"""Learns the numbers in bot/tuning.json: how much each part of a score weighs, and what confidence a score deserves.

Fusion: a softmax over sections, fitted to the handbook's own questions (each with itself left out of the index) and to the tuning
half of the golden questions. Doubt: a logistic regression on the tuning half. The reporting half is never read here.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from tqdm import tqdm

from bot.answer import Answerer, Doubt
from bot.app import TUNING, create_answerer
from bot.golden import Golden, is_right, read_golden
from bot.index import Index, build
from bot.retrieval import PARTS, Query, Retriever, asked_without
from bot.settings import Settings

CANDIDATES = 60  # sections a question that the softmax is taken over: the best by an even sum of parts
OWN_QUESTIONS = 800  # of the handbook that are asked
GOLDEN_WEIGHT = 20.0  # of a golden question against one of the handbook's own: fewer, but in the manner of real ones (5-fold, 1 to 100)
FUSION_RIDGE, DOUBT_RIDGE = 0.001, 0.01  # L2 penalties a question (fusion: 0.0005 to 0.01 tried, 5-fold)
LEAST_SCALE = 1e-3  # of a signal that hardly varies: the file keeps four digits, and zero cannot divide
PAGE_WEIGHT = 0.15  # of the reader's page: a hint that decides between near equals, not learned (no question tells the page)
# Where the model's probability is cut: the trade-off stands in "The price of refusing" on the page of the measurements.
UNSURE_CUT, ANSWER_CUT = 0.3, 0.5
TILT = 0.005
OUTSIDE_QUESTIONS, OUTSIDE_WEIGHT = 300, 0.15  # of the outside page that confidence learns from, beside the golden ones
WITHOUT_QUESTIONS = ("heading_vector", "passage_vector", "section_words", "heading_words", "sentence_passage_vector")


@dataclass(frozen=True, slots=True)
class Example:
    """One question's candidates: parts of their scores (candidates, PARTS), which of them are right, and its weight."""

    parts: np.ndarray
    right: np.ndarray
    weight: float


def tune(settings: Settings) -> int:
    """Learn weights and confidence and write bot/tuning.json."""
    answerer = create_answerer(settings)
    golden = [question for question in read_golden() if question.half == "tune"]
    examples = [*_own_examples(answerer.retriever), *_golden_examples(answerer.retriever, golden)]
    entries = _outside_entries(answerer.retriever)
    learned = {}
    for name, allowed in (("with_questions", PARTS), ("without_questions", WITHOUT_QUESTIONS)):
        fusion = fit_fusion(examples, allowed) | {"page": PAGE_WEIGHT}
        full = Retriever(answerer.retriever.index, fusion)
        bare = allowed is WITHOUT_QUESTIONS
        retriever = Retriever(_without_questions(full.index), fusion) if bare else full
        outside = [retriever.query(full.index.texts[entry]) if bare else asked_without(full, entry) for entry in entries]
        doubt = fit_doubt(Answerer(retriever, answerer.doubt), golden, outside)
        learned[name] = {"fusion": fusion, "doubt": doubt}
        print(name, json.dumps(learned[name], indent=1))
    TUNING.write_text(json.dumps(learned, indent=2) + "\n", encoding="utf-8")
    print(f"Wrote {TUNING}")
    return 0


def _own_examples(retriever: Retriever) -> Iterable[Example]:
    index = retriever.index
    entries = np.arange(*index.spans["question"])
    chosen = np.random.default_rng(0).permutation(entries)[:OWN_QUESTIONS]
    for entry in tqdm(chosen, desc="Handbook's own questions", unit="question"):
        yield _example(asked_without(retriever, int(entry)).parts, {int(index.owner[entry])}, 1.0)


def _golden_examples(retriever: Retriever, golden: Sequence[Golden]) -> Iterable[Example]:
    numbers = {section.url: number for number, section in enumerate(retriever.index.sections)}
    for question in tqdm(golden, desc="Golden questions, tuning half", unit="question"):
        right = {numbers[url] for url in question.sections if url in numbers}
        if right and not question.history:
            yield _example(retriever.query(question.question).parts, right, GOLDEN_WEIGHT)


def _example(parts: np.ndarray, right: set[int], weight: float) -> Example:
    candidates = set(np.argsort(-parts.sum(axis=1))[:CANDIDATES].tolist()) | right
    chosen = np.array(sorted(candidates))
    return Example(parts[chosen], np.isin(chosen, list(right)), weight)


def fit_fusion(examples: Sequence[Example], allowed: Iterable[str]) -> dict[str, float]:
    """Return a weight ≥ 0 a part: the softmax over candidates that gives the right ones the most probability."""
    columns = [PARTS.index(part) for part in allowed if part != "page"]
    total = sum(example.weight for example in examples)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = FUSION_RIDGE * float(weights @ weights), 2 * FUSION_RIDGE * weights
        for example in examples:
            parts = example.parts[:, columns]
            scores = parts @ weights
            odds = np.exp(scores - scores.max())
            share = odds / odds.sum()
            right = odds * example.right / max(float((odds * example.right).sum()), 1e-12)
            value -= example.weight / total * float(np.log(max(float(share[example.right].sum()), 1e-12)))
            slope = slope + example.weight / total * ((share - right) @ parts)
        return value, slope

    found = minimize(loss, np.ones(len(columns)), jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * len(columns))
    return {PARTS[column]: round(float(weight), 3) for column, weight in zip(columns, found.x, strict=True)}


def _isotonic(probabilities: np.ndarray, right: np.ndarray) -> list[tuple[float, float]]:
    """Return the rising line from a probability to the share of right answers at it, as knots; slightly tilted, so that it never stands."""
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0.01, y_max=0.98).fit(probabilities, right)
    inner = zip(fitted.X_thresholds_, fitted.y_thresholds_, strict=True)
    knots = {round(float(place), 4): float(value) + TILT * float(place) for place, value in inner}
    return [(0.0, 0.0), *sorted((place, value) for place, value in knots.items() if 0 < place < 1), (1.0, 0.99)]


def _outside_entries(retriever: Retriever) -> list[int]:
    """Return some question entries of sections about what the site leaves to others: each must be refused."""
    index = retriever.index
    entries = [entry for entry in range(*index.spans["question"]) if index.sections[index.owner[entry]].outside]
    return [int(entry) for entry in np.random.default_rng(0).permutation(entries)[:OUTSIDE_QUESTIONS]]


def _without_questions(index: Index) -> Index:
    """Return `index` as another site's would be: no questions, no page about the outside, so no signal that comes of them."""
    known = dict(zip(index.texts, index.vectors.reconstruct_n(0, index.vectors.ntotal), strict=True))
    sections = [replace(section, questions=()) for section in index.sections if not section.outside]
    return build(sections, {}, index.encoder, lambda texts: np.stack([known[text] for text in texts]), index.manifest)


def fit_doubt(answerer: Answerer, golden: Sequence[Golden], outside: Sequence[Query] = ()) -> dict[str, object]:
    """Return the logistic regression of "the best section's answer is right" on the signals, as `Doubt` takes it.

    `outside` holds further queries that must be refused.
    """
    always = Answerer(answerer.retriever, Doubt({}, {}, {}, 0.0, 0.0, 0.0))
    rows, labels, shares = [], [], []
    for question in tqdm(golden, desc="Confidence", unit="question"):
        rows.append(always.find(question.question, question.history).signals)
        labels.append(question.in_scope and is_right(question, always.ask(question.question, question.history)))
        shares.append(1.0)
    for query in outside:
        rows.append(always.judge(query).signals)
        labels.append(False)
        shares.append(OUTSIDE_WEIGHT)
    names = list(rows[0])
    signals, right, share = np.array([list(row.values()) for row in rows]), np.array(labels, dtype=float), np.array(shares)
    share = share / share.sum()
    center, scale = signals.mean(axis=0), np.maximum(signals.std(axis=0), LEAST_SCALE)
    table = (signals - center) / scale

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = values[:-1], values[-1]
        logits = table @ weights + bias
        value = float(share @ (np.logaddexp(0, logits) - right * logits)) + DOUBT_RIDGE * float(weights @ weights)
        error = (1 / (1 + np.exp(-logits)) - right) * share
        return value, np.append(error @ table + 2 * DOUBT_RIDGE * weights, error.sum())

    found = minimize(loss, np.zeros(len(center) + 1), jac=True, method="L-BFGS-B").x
    probabilities = 1 / (1 + np.exp(-(table @ found[:-1] + found[-1])))
    knots = _isotonic(probabilities[: len(golden)], right[: len(golden)])
    at_cut = [float(np.interp(cut, [knot[0] for knot in knots], [knot[1] for knot in knots])) for cut in (UNSURE_CUT, ANSWER_CUT)]
    return {
        "weights": {name: round(float(value), 4) for name, value in zip(names, found[:-1], strict=True)},
        "center": {name: round(float(value), 4) for name, value in zip(names, center, strict=True)},
        "scale": {name: round(float(value), 4) for name, value in zip(names, scale, strict=True)},
        "bias": round(float(found[-1]), 4),
        "knots": [[round(place, 4), round(value, 4)] for place, value in knots],
        "answer_at": round(at_cut[1], 4),
        "unsure_at": round(at_cut[0], 4),
    }
