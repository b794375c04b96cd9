"""Question → sections, best first. Each section gets a few numbers between 0 and 1 from vectors and words; a weighted sum ranks.

The weights come from outside (bot/tuning.json, learned by `python -m bot tune`). Knows nothing of answers or refusals.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import faiss
import numpy as np

from bot.adapter import adapt
from bot.glossary import english
from bot.index import KINDS, Index, all_terms
from bot.sections import Section

# What a section is scored by. The ablation in `python -m bot check` shows what each is worth.
PARTS = (
    "question_vector",  # cosine to the nearest of the section's questions
    "question_vectors",  # mean cosine to its NEAREST nearest questions
    "heading_vector",
    "passage_vector",  # nearest passage
    "words",  # BM25 of headings, body and all questions of the section together
    "heading_words",  # BM25 of the headings alone
    "page",  # 1 for sections of the page that the reader is on
)
NEIGHBORS = 256  # entries that FAISS returns; the rest count as the last of them
NEAREST = 3  # questions of a section that are averaged: one lucky neighbor weighs less than three


@dataclass(frozen=True, slots=True)
class Hit:
    """A section, its score (higher is better; comparable within one index) and the parts that the score is made of."""

    section: Section
    score: float
    parts: dict[str, float]


@dataclass(frozen=True, slots=True)
class Query:
    """A question made ready: its vector, its terms, and what every section is worth to it."""

    text: str
    vector: np.ndarray  # (dimension,)
    terms: list[str]
    parts: np.ndarray  # (sections, PARTS) of every section's score
    scope: float  # above 0: more like the questions that the site answers than like those it leaves to others


class Retriever:
    """Ranks the sections of one index."""

    def __init__(self, index: Index, weights: Mapping[str, float]) -> None:
        self.index = index
        self.weights = np.array([weights.get(part, 0.0) for part in PARTS], dtype=np.float32)
        self.named_weights = dict(weights)
        pages = [section.url.split("#")[0] for section in index.sections]
        self._pages = {page: number for number, page in enumerate(dict.fromkeys(pages))}
        self._page_of = np.array([self._pages[page] for page in pages], dtype=np.int32)
        outside = np.array([section.outside for section in index.sections], dtype=bool)
        self._numbers = {kind: np.flatnonzero(outside == kind) for kind in (False, True)}
        self._counts = {kind: np.bincount(index.owner[slice(*index.spans[kind])], minlength=len(index.sections)) for kind in KINDS}

    def query(self, question: str, page: str = "") -> Query:
        """Return `question` in English words, typing errors mended, encoded and measured against every section."""
        mended = self.index.vocabulary.mend(english(question))
        return self.measured(self.index.encoder.encode([mended])[0], mended, page)

    def measured(self, vector: np.ndarray, text: str, page: str = "", without_entry: int | None = None) -> Query:
        """Return the query of `text` with the parts of every section's score; `without_entry` leaves one entry out, to measure."""
        terms = self.index.vocabulary.terms(text)
        parts = self._parts(vector, terms, page, without_entry)
        return Query(text, vector, terms, parts, float(vector @ self.index.scope[:-1] + self.index.scope[-1]))

    def search(self, query: Query, k: int = 5, outside: bool = False) -> list[Hit]:
        """Return the k best hits, best first: sections that answer, or (`outside`) sections about what the site leaves to others."""
        numbers = self._numbers[outside]
        scores = (query.parts @ self.weights)[numbers]
        best = np.argpartition(-scores, k)[:k] if k < len(scores) else np.arange(len(scores))
        return [self._hit(int(numbers[place]), float(scores[place]), query) for place in best[np.argsort(-scores[best], kind="stable")]]

    def _parts(self, vector: np.ndarray, terms: list[str], page: str, without_entry: int | None) -> np.ndarray:
        """Return every section's parts (sections, PARTS); those that weigh nothing are left at 0."""
        questions = _neighbors(self.index.near_questions, adapt(vector[None], self.index.adapter), without_entry)
        texts = _neighbors(self.index.near_texts, vector[None]).after(self.index.spans["question"][1])
        made: dict[str, Callable[[], np.ndarray]] = {
            "question_vector": lambda: self._best(questions, "question"),
            "question_vectors": lambda: self._mean_of_nearest(questions),
            "heading_vector": lambda: self._best(texts, "heading"),
            "passage_vector": lambda: self._best(texts, "passage"),
            "words": lambda: self._words(terms, without_entry),
            "heading_words": lambda: self.index.heading_words.scores(terms),
            "page": lambda: self._page_of == self._pages.get(page, -1),
        }
        parts = np.zeros((len(PARTS), len(self.index.sections)), dtype=np.float32)
        for number in np.flatnonzero(self.weights):
            np.maximum(made[PARTS[number]](), 0.0, out=parts[number])
        return parts.T

    def _words(self, terms: list[str], without_entry: int | None) -> np.ndarray:
        scores = self.index.words.scores(terms)
        if without_entry is not None:
            owner = int(self.index.owner[without_entry])
            kept = all_terms(self.index.sections[owner], self.index.vocabulary, without=[self.index.texts[without_entry]])
            scores[owner] = self.index.words.score_of(terms, kept)
        return scores

    def _best(self, neighbors: "_Neighbors", kind: str) -> np.ndarray:
        """Return each section's highest cosine among its entries of `kind`, 0 where it has none."""
        start, end = self.index.spans[kind]
        of_kind = (neighbors.entries >= start) & (neighbors.entries < end)
        best = np.where(self._counts[kind] > 0, neighbors.rest, np.float32(0.0))
        best[self.index.owner[neighbors.entries[of_kind]][::-1]] = neighbors.cosines[of_kind][::-1]  # the nearest is written last
        return best

    def _mean_of_nearest(self, neighbors: "_Neighbors") -> np.ndarray:
        """Return each section's mean of its NEAREST highest cosines among its questions, 0 where it has none."""
        order = np.argsort(self.index.owner[neighbors.entries], kind="stable")
        owners, cosines = self.index.owner[neighbors.entries[order]], neighbors.cosines[order]
        starts = np.flatnonzero(np.diff(owners, prepend=-1))  # where the next section's entries begin, the nearest of each first
        kept = np.arange(len(owners)) - np.repeat(starts, np.diff(starts, append=len(owners))) < NEAREST
        found = np.bincount(owners[kept], minlength=len(self.index.sections))
        total = np.bincount(owners[kept], cosines[kept], minlength=len(self.index.sections))
        counted = np.minimum(self._counts["question"], NEAREST)
        return np.asarray((total + (counted - found) * neighbors.rest) / np.maximum(counted, 1), dtype=np.float32)

    def _hit(self, number: int, score: float, query: Query) -> Hit:
        return Hit(self.index.sections[number], score, dict(zip(PARTS, query.parts[number].tolist(), strict=True)))


@dataclass(frozen=True, slots=True)
class _Neighbors:
    """The entries nearest to a vector, nearest first; all others count with the cosine `rest`."""

    entries: np.ndarray
    cosines: np.ndarray
    rest: np.float32

    def after(self, count: int) -> "_Neighbors":
        """Return the same where `count` entries stand before the first."""
        return replace(self, entries=self.entries + count)


def _neighbors(near: faiss.Index, row: np.ndarray, without_entry: int | None = None) -> _Neighbors:
    """Return the NEIGHBORS entries of `near` that are nearest to `row` (1, dimension); the rest count as the last of them."""
    if not near.ntotal:
        return _Neighbors(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32), np.float32(0.0))
    cosines, entries = near.search(row, min(NEIGHBORS, near.ntotal))
    kept = entries[0] != (-1 if without_entry is None else without_entry)
    return _Neighbors(entries[0][kept], cosines[0][kept], cosines[0, -1])


def has_questions(index: Index) -> bool:
    """Whether the site's authors wrote questions beside its sections."""
    return bool(index.spans[KINDS[0]][1])


def leave_one_out(retriever: Retriever, entries: Sequence[int], right: Sequence[Collection[int]] | None = None) -> list[int]:
    """Return, for each question entry asked with itself left out of the index, the rank (1 is best) of its own section.

    With `right`, of the best of those sections (numbers) instead.
    """
    owners = [[int(retriever.index.owner[entry])] for entry in entries]
    ranks = []
    for entry, sections in zip(entries, right or owners, strict=True):
        scores = asked_without(retriever, int(entry)).parts @ retriever.weights
        ranks.append(1 + int((scores > scores[list(sections)].max()).sum()))
    return ranks


def asked_without(retriever: Retriever, entry: int) -> Query:
    """Return the query of a question entry's own text, with that entry left out of the index."""
    query = retriever.query(retriever.index.texts[entry])
    return retriever.measured(query.vector, query.text, without_entry=entry)
