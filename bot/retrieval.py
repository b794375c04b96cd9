"""Question → sections, best first. Each section gets a few numbers between 0 and 1 from vectors and words; a weighted sum ranks.

The weights come from outside (bot/tuning.json, learned by `python -m bot tune`). Knows nothing of answers or refusals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import faiss
import numpy as np

from bot.adapter import adapt
from bot.glossary import english
from bot.index import KINDS, Index, expanded_terms
from bot.sections import Section

# What a section is scored by. The ablation in `python -m bot check` shows what each is worth.
PARTS = (
    "question_vector",  # cosine to the nearest of the section's questions
    "question_vectors",  # mean cosine to its NEAREST nearest questions
    "heading_vector",
    "passage_vector",  # nearest passage
    "question_words",  # BM25, best of its questions
    "section_words",  # BM25 of headings and body
    "expanded_words",  # BM25 of headings, body and all questions of the section together
    "heading_words",  # BM25 of the headings alone
    "page",  # 1 for sections of the page that the reader is on
)
NEIGHBORS = 512  # entries that FAISS returns; the rest count as the last of them
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
        self._pages = np.array([section.url.split("#")[0] for section in index.sections])
        self._outside = np.array([section.outside for section in index.sections], dtype=bool)
        self._runs = {kind: _runs(index.owner[slice(*index.spans[kind])]) for kind in KINDS}
        self._table = _table(self._runs["question"][1], index.spans["question"][1] - index.spans["question"][0])

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
        scores = np.where(self._outside == outside, query.parts @ self.weights, -np.inf)
        order = [int(number) for number in np.argsort(-scores, kind="stable")[:k] if np.isfinite(scores[number])]
        return [self._hit(number, float(scores[number]), query.parts[number]) for number in order]

    def _parts(self, vector: np.ndarray, terms: list[str], page: str, without_entry: int | None) -> np.ndarray:
        similar = self._similarities(vector, without_entry)
        question_words = self.index.question_words.scores(terms)
        if without_entry is not None:
            question_words[without_entry] = 0.0
        columns = {
            "question_vector": self._best(similar, "question"),
            "question_vectors": self._mean_of_nearest(similar),
            "heading_vector": self._best(similar, "heading"),
            "passage_vector": self._best(similar, "passage"),
            "question_words": self._best(question_words, "question"),
            "section_words": self.index.section_words.scores(terms),
            "expanded_words": self._expanded_words(terms, without_entry),
            "heading_words": self.index.heading_words.scores(terms),
            "page": (self._pages == page).astype(np.float32),
        }
        return np.stack([np.maximum(columns[part], 0.0) for part in PARTS], axis=1)

    def _expanded_words(self, terms: list[str], without_entry: int | None) -> np.ndarray:
        scores = self.index.expanded_words.scores(terms)
        if without_entry is not None:
            owner = int(self.index.owner[without_entry])
            kept = expanded_terms(self.index.sections[owner], self.index.vocabulary, without=[self.index.texts[without_entry]])
            scores[owner] = self.index.expanded_words.score_of(terms, kept)
        return scores

    def _similarities(self, vector: np.ndarray, without_entry: int | None) -> np.ndarray:
        """Return cosines (entries,): to questions by the adapted vectors, to headings and passages by those of the encoder."""
        questions = _cosines(self.index.near_questions, adapt(vector[None], self.index.adapter))
        if without_entry is not None:
            questions[without_entry] = questions.min()
        return np.concatenate([questions, _cosines(self.index.near_texts, vector[None])])

    def _best(self, values: np.ndarray, kind: str) -> np.ndarray:
        """Return each section's highest value among its entries of `kind`, 0 where it has none."""
        start, end = self.index.spans[kind]
        best = np.zeros(len(self.index.sections), dtype=np.float32)
        if end > start:
            owners, firsts = self._runs[kind]
            best[owners] = np.maximum.reduceat(values[start:end], firsts)
        return best

    def _mean_of_nearest(self, values: np.ndarray) -> np.ndarray:
        """Return each section's mean of its NEAREST highest values among its questions, 0 where it has none."""
        start, end = self.index.spans["question"]
        mean = np.zeros(len(self.index.sections), dtype=np.float32)
        if end > start:
            owners, _ = self._runs["question"]
            padded = np.append(values[start:end], np.float32(-1.0))[self._table]
            nearest = -np.partition(-padded, min(NEAREST, padded.shape[1]) - 1, axis=1)[:, :NEAREST]
            counted = nearest > -1.0
            mean[owners] = (nearest * counted).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
        return mean

    def _hit(self, number: int, score: float, parts: np.ndarray) -> Hit:
        return Hit(self.index.sections[number], score, dict(zip(PARTS, map(float, parts), strict=True)))


def _cosines(near: faiss.Index, row: np.ndarray) -> np.ndarray:
    """Return the cosines of `row` (1, dimension) to all entries of `near`; beyond the NEIGHBORS nearest, that of the last of them."""
    if not near.ntotal:
        return np.zeros(0, dtype=np.float32)
    cosines, entries = near.search(row, min(NEIGHBORS, near.ntotal))
    similar = np.full(near.ntotal, cosines[0, -1], dtype=np.float32)
    similar[entries[0]] = cosines[0]
    return similar


def _runs(owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sections that own entries, and the place of the first entry of each (entries stand in section order)."""
    return np.unique(owners, return_index=True)


def _table(firsts: np.ndarray, entries: int) -> np.ndarray:
    """Return the entries of each owner, given its first, as a rectangle (owners, most), filled up with `entries`, one past the last."""
    lengths = np.diff(np.append(firsts, entries))
    most = int(lengths.max(initial=0))
    columns = np.arange(most)
    return np.where(columns < lengths[:, None], firsts[:, None] + columns, entries)


def has_questions(index: Index) -> bool:
    """Whether the site's authors wrote questions beside its sections."""
    return bool(index.spans[KINDS[0]][1])


def leave_one_out(retriever: Retriever, entries: Sequence[int]) -> list[int]:
    """Return, for each question entry asked with itself left out of the index, the rank (1 is best) of its own section."""
    ranks = []
    for entry in entries:
        scores = asked_without(retriever, int(entry)).parts @ retriever.weights
        ranks.append(1 + int((scores > scores[retriever.index.owner[entry]]).sum()))
    return ranks


def asked_without(retriever: Retriever, entry: int) -> Query:
    """Return the query of a question entry's own text, with that entry left out of the index."""
    query = retriever.query(retriever.index.texts[entry])
    return retriever.measured(query.vector, query.text, without_entry=entry)
