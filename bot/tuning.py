"""Learns the numbers in bot/tuning.json: how much each part of a score weighs, and what confidence a score deserves.

Fusion: a softmax over sections, fitted to the handbook's own questions (each with itself left out of the index) and to the tuning
half of the golden questions. Doubt: a logistic regression on the tuning half, in which questions that the handbook was amended for weigh
less: how they do now says little about new ones. The reporting half is never read here.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from tqdm import tqdm

from bot.answer import Answerer, Doubt
from bot.app import TUNING, create_answerer
from bot.errors import PortsideError
from bot.golden import Golden, is_right, read_golden
from bot.index import Index, without_lessons, without_questions
from bot.retrieval import PARTS, Query, Retriever, asked_without, has_questions
from bot.settings import Settings

CANDIDATES = 60  # sections a question that the softmax is taken over: the best by an even sum of parts
OWN_QUESTIONS = 800  # of the handbook that are asked
GOLDEN_WEIGHT = 20.0  # of a golden question against one of the handbook's own: fewer, but in the manner of real ones (5-fold, 1 to 100)
FUSION_RIDGE, DOUBT_RIDGE = 0.001, 0.001  # L2 penalties a question (0.0005 to 0.01 and 0.001 to 0.01 tried, 5-fold and 10-fold)
FOLDS = 10  # in which confidence is calibrated on questions that its regression did not see
LEAST_SCALE = 1e-3  # of a signal that hardly varies: the file keeps four digits, and zero cannot divide
PAGE_WEIGHT = 0.15  # of the reader's page: a hint that decides between near equals, not learned (no question tells the page)
# Confidence from which the closest section is shown, and from which it is shown without a caveat, on a site with questions and on one
# without, where confidence is lower throughout. The trade-off stands in "The price of refusing" on the page of the measurements.
CUTS = {True: (0.45, 0.65), False: (0.15, 0.5)}
CONFIDENCE = (0.01, 0.99)  # least and most: no question is certain
LEAST_FRESH = 60  # golden questions in scope that the handbook was not amended for, to learn confidence from
OUTSIDE_QUESTIONS, OUTSIDE_WEIGHT = 300, 0.15  # of the outside page that confidence learns from, beside the golden ones
MENDED_WEIGHT = 0.5  # of a question that the handbook was amended for, when confidence is learned: it still tells inside from outside
IN_SCOPE_SHARE = 0.6  # of all weight when confidence is learned: readers of a handbook mostly ask about its subject
# Of the parts, what each kind of site needs: where questions stand beside the headings, headings add nothing (5-fold, within the noise).
WITH_QUESTIONS = ("question_vector", "question_vectors", "passage_vector", "words")
WITHOUT_QUESTIONS = ("heading_vector", "passage_vector", "words", "heading_words")
ALL = dict.fromkeys(PARTS, 1.0)  # weights with which every part is measured


@dataclass(frozen=True, slots=True)
class Example:
    """One question's candidates: parts of their scores (candidates, PARTS), which of them are right, and its weight."""

    parts: np.ndarray
    right: np.ndarray
    weight: float


def tune(settings: Settings, mended: bool = False) -> int:
    """Learn weights and confidence and write bot/tuning.json; with `mended`, confidence from every question of the tuning half."""
    answerer = create_answerer(settings)
    golden = [question for question in read_golden() if question.half == "tune"]
    fresh = [question for question in golden if mended or not question.mended]
    if sum(question.in_scope for question in fresh) < LEAST_FRESH:
        raise PortsideError(
            f"Confidence wants questions that the handbook was not amended for, at least {LEAST_FRESH} in scope: "
            "write new ones into quality/golden-in-scope.jsonl first (see CONTRIBUTING.md), or run it with --mended and know that "
            "the bot will be too sure of itself."
        )
    mended_ones = [question for question in golden if question not in fresh]
    index, entries = answerer.retriever.index, _outside_entries(answerer.retriever)
    learned = {}
    for name, allowed in (("with_questions", WITH_QUESTIONS), ("without_questions", WITHOUT_QUESTIONS)):
        bare = without_questions(index) if allowed is WITHOUT_QUESTIONS else None
        own, on_fresh, on_mended = _own_examples(index, bare), *(_golden_examples(bare or index, asked) for asked in (fresh, mended_ones))
        # Weights and adapter of an answerer here never saw what it is asked.
        unseen = bare or without_lessons(index, entries)
        to_fresh, to_mended = (
            Answerer(Retriever(unseen, _weights([*own, *seen], allowed)), answerer.doubt) for seen in (on_mended, on_fresh)
        )
        outside = [to_fresh.retriever.query(index.texts[entry]) if bare else asked_without(to_fresh.retriever, entry) for entry in entries]
        doubt = fit_doubt([(to_fresh, fresh, 1.0), (to_mended, mended_ones, MENDED_WEIGHT)], outside)
        learned[name] = {"fusion": _weights([*own, *on_fresh, *on_mended], allowed), "doubt": doubt}
        print(name, json.dumps(learned[name], indent=1))
    TUNING.write_text(json.dumps(learned, indent=2) + "\n", encoding="utf-8")
    print(f"Wrote {TUNING}")
    return 0


def _weights(examples: Sequence[Example], allowed: Iterable[str]) -> dict[str, float]:
    return fit_fusion(examples, allowed) | {"page": PAGE_WEIGHT}


def _own_examples(index: Index, bare: Index | None) -> list[Example]:
    """Return examples of the handbook's own questions, each asked with itself left out of `index`, or asked `bare`, which has none."""
    chosen = [int(entry) for entry in np.random.default_rng(0).permutation(np.arange(*index.spans["question"]))[:OWN_QUESTIONS]]
    blind = Retriever(bare or without_lessons(index, chosen), ALL)
    numbers = {section.url: number for number, section in enumerate(blind.index.sections)}
    examples = []
    for entry in tqdm(chosen, desc="Handbook's own questions", unit="question"):
        owner = numbers.get(index.sections[index.owner[entry]].url)
        if owner is not None:  # a section about the outside is not in the bare one
            query = blind.query(index.texts[entry]) if bare else asked_without(blind, entry)
            examples.append(_example(query.parts, {owner}, 1.0))
    return examples


def _golden_examples(index: Index, golden: Sequence[Golden]) -> list[Example]:
    retriever, numbers = Retriever(index, ALL), {section.url: number for number, section in enumerate(index.sections)}
    examples = []
    for question in tqdm(golden, desc="Golden questions, tuning half", unit="question"):
        right = {numbers[url] for url in question.sections if url in numbers}
        if right and not question.history:
            examples.append(_example(retriever.query(question.question).parts, right, GOLDEN_WEIGHT))
    return examples


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


def _isotonic(probabilities: np.ndarray, right: np.ndarray, share: np.ndarray) -> list[tuple[float, float]]:
    """Return the rising line from a probability to the share of right answers at it, as knots.

    A knot stands at the middle of each level of an isotonic regression (Oron & Flournoy, 2017).
    """
    from sklearn.isotonic import IsotonicRegression

    levels = IsotonicRegression().fit(probabilities, right, sample_weight=share).predict(probabilities)
    knots = [(0.0, CONFIDENCE[0])]
    for level in np.unique(levels):
        there = levels == level
        confidence = (level * there.sum() + 1) / (there.sum() + 2)  # Laplace's rule of succession: few questions prove little
        confidence = max(knots[-1][1], float(np.clip(confidence, *CONFIDENCE)))
        knots.append((float(np.average(probabilities[there], weights=share[there])), confidence))
    return [*knots, (1.0, CONFIDENCE[1])]


def _outside_entries(retriever: Retriever) -> list[int]:
    """Return some question entries of sections about what the site leaves to others: each must be refused."""
    index = retriever.index
    entries = [entry for entry in range(*index.spans["question"]) if index.sections[index.owner[entry]].outside]
    return [int(entry) for entry in np.random.default_rng(0).permutation(entries)[:OUTSIDE_QUESTIONS]]


def fit_doubt(asked: Sequence[tuple[Answerer, Sequence[Golden], float]], outside: Sequence[Query] = ()) -> dict[str, object]:
    """Return the logistic regression of "the best section's answer is right" on the signals, as `Doubt` takes it.

    `asked` holds golden questions, the answerer that they are put to, and what each weighs; `outside` queries that must be refused.
    """
    never_declines = Doubt({}, {}, {}, 0.0, 0.0, 0.0)
    rows, labels, shares, inside = [], [], [], []
    for answerer, golden, weight in asked:
        always = Answerer(answerer.retriever, never_declines)
        for question in tqdm(golden, desc="Confidence", unit="question"):
            rows.append(always.find(question.question, question.history).signals)
            labels.append(question.in_scope and is_right(question, always.ask(question.question, question.history)))
            shares.append(weight)
            inside.append(question.in_scope)
    count = len(rows)
    rows += [Answerer(asked[0][0].retriever, never_declines).judge(query).signals for query in outside]
    names = list(rows[0])
    signals, right = np.array([list(row.values()) for row in rows]), np.array(labels + [False] * len(outside), dtype=float)
    share, within = np.array(shares + [OUTSIDE_WEIGHT] * len(outside)), np.array(inside + [False] * len(outside))
    share = np.where(within, IN_SCOPE_SHARE * share / share[within].sum(), (1 - IN_SCOPE_SHARE) * share / max(share[~within].sum(), 1e-9))
    center, scale = signals.mean(axis=0), np.maximum(signals.std(axis=0), LEAST_SCALE)
    table = (signals - center) / scale

    found = _logistic(table, right, share)
    knots = _isotonic(_unseen_probabilities(table, right, share)[:count], right[:count], share[:count])
    unsure_at, answer_at = CUTS[has_questions(asked[0][0].retriever.index)]
    return {
        "weights": {name: round(float(value), 4) for name, value in zip(names, found[:-1], strict=True)},
        "center": {name: round(float(value), 4) for name, value in zip(names, center, strict=True)},
        "scale": {name: round(float(value), 4) for name, value in zip(names, scale, strict=True)},
        "bias": round(float(found[-1]), 4),
        "knots": [[round(place, 4), round(value, 4)] for place, value in knots],
        "answer_at": answer_at,
        "unsure_at": unsure_at,
    }


def _logistic(table: np.ndarray, right: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the weights of the columns and the bias, last, of a logistic regression with an L2 penalty on the weights."""

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = values[:-1], values[-1]
        logits = table @ weights + bias
        value = float(share @ (np.logaddexp(0, logits) - right * logits)) + DOUBT_RIDGE * float(weights @ weights)
        error = (_logit_to_probability(logits) - right) * share
        return value, np.append(error @ table + 2 * DOUBT_RIDGE * weights, error.sum())

    return np.asarray(minimize(loss, np.zeros(table.shape[1] + 1), jac=True, method="L-BFGS-B").x)


def _unseen_probabilities(table: np.ndarray, right: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return for each row the probability by a regression on the other folds: on its own rows a regression is too sure of itself."""
    folds = np.random.default_rng(0).permutation(len(table)) % FOLDS
    probabilities = np.zeros(len(table))
    for fold in range(FOLDS):
        values = _logistic(table[folds != fold], right[folds != fold], share[folds != fold] / share[folds != fold].sum())
        probabilities[folds == fold] = _logit_to_probability(table[folds == fold] @ values[:-1] + values[-1])
    return probabilities


def _logit_to_probability(logits: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-logits)))
