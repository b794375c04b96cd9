"""Question → sections, best first. Each section gets a few numbers between 0 and 1 from vectors and words; a weighted sum ranks.

The weights come from outside (bot/tuning.json, learned by `python -m bot tune`). Knows nothing of answers or refusals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.index import KINDS, Index, sentences
from bot.sections import Section

# What a section is scored by. The ablation in `python -m bot check` shows what each is worth.
PARTS = (
    "question_vector",  # cosine to the nearest of the section's questions
    "question_vectors",  # mean cosine to its NEAREST nearest questions
    "heading_vector",
    "passage_vector",  # nearest passage
    "question_words",  # BM25, best of its questions
    "section_words",  # BM25 of headings and body
    "sentence_question_vector",  # as above, best over the sentences of a long question
    "sentence_passage_vector",
    "page",  # 1 for sections of the page that the reader is on
)
NEAREST = 3  # questions of a section that are averaged: one lucky neighbor weighs less than three
MAX_SENTENCES = 6  # of a long question that are matched on their own; each costs one row of the encoder's batch
MIN_TERMS = 3  # that a sentence needs to be matched on its own ("Please help." has none)


@dataclass(frozen=True, slots=True)
class Hit:
    """A section, its score (higher is better; comparable within one index) and the parts that the score is made of."""

    section: Section
    score: float
    parts: dict[str, float]


@dataclass(frozen=True, slots=True)
class Query:
    """A question made ready: its vector and those of its sentences, one row each, and its terms."""

    text: str
    vectors: np.ndarray  # (1 + sentences, dimension), the whole question first
    terms: list[str]
    page: str = ""


class Retriever:
    """Ranks the sections of one index."""

    def __init__(self, index: Index, weights: Mapping[str, float]) -> None:
        self.index = index
        self.weights = np.array([weights.get(part, 0.0) for part in PARTS], dtype=np.float32)
        self._pages = np.array([section.url.split("#")[0] for section in index.sections])
        self._outside = np.array([section.outside for section in index.sections])

    def query(self, question: str, page: str = "") -> Query:
        """Return `question` with typing errors mended, encoded as a whole and by its sentences."""
        mended = self.index.vocabulary.mend(question)
        pieces = [piece for line in mended.splitlines() for piece in sentences(line)]
        pieces = [piece for piece in pieces if len(self.index.vocabulary.terms(piece)) >= MIN_TERMS]
        texts = [mended, *(pieces[:MAX_SENTENCES] if len(pieces) > 1 else [])]
        return Query(mended, self.index.encoder.encode(texts), self.index.vocabulary.terms(mended), page)

    def search(self, query: Query, k: int = 5) -> list[Hit]:
        """Return the k best hits, best first."""
        parts = self.features(query)
        scores = parts @ self.weights
        return [self._hit(int(number), float(scores[number]), parts[number]) for number in np.argsort(-scores, kind="stable")[:k]]

    def features(self, query: Query, without_entry: int | None = None) -> np.ndarray:
        """Return a float32 array (sections, PARTS); `without_entry` leaves one entry out, for leave-one-out measurement."""
        similar = self._similarities(query.vectors)
        question_words = self.index.question_words.scores(query.terms)
        if without_entry is not None:
            similar[:, without_entry] = -1.0
            question_words[without_entry] = 0.0
        whole, sentence = similar[0], similar[1:].max(axis=0) if len(similar) > 1 else similar[0]
        questions = slice(*self.index.spans["question"])
        owners = self.index.owner[questions]
        columns = {
            "question_vector": self._best(whole, "question"),
            "question_vectors": self._mean_of_nearest(whole[questions], owners),
            "heading_vector": self._best(whole, "heading"),
            "passage_vector": self._best(whole, "passage"),
            "question_words": self._maximum(question_words[: len(owners)], owners),
            "section_words": self.index.section_words.scores(query.terms),
            "sentence_question_vector": self._best(sentence, "question"),
            "sentence_passage_vector": self._best(sentence, "passage"),
            "page": (self._pages == query.page).astype(np.float32),
        }
        return np.stack([np.maximum(columns[part], 0.0) for part in PARTS], axis=1)

    def _similarities(self, vectors: np.ndarray) -> np.ndarray:
        """Return cosines (rows of `vectors`, entries), through FAISS."""
        cosines, entries = self.index.vectors.search(vectors, self.index.vectors.ntotal)
        similar = np.empty_like(cosines)
        np.put_along_axis(similar, entries, cosines, axis=1)
        return similar

    def _best(self, similar: np.ndarray, kind: str) -> np.ndarray:
        span = slice(*self.index.spans[kind])
        return self._maximum(similar[span], self.index.owner[span])

    def _maximum(self, values: np.ndarray, owners: np.ndarray) -> np.ndarray:
        best = np.zeros(len(self.index.sections), dtype=np.float32)
        np.maximum.at(best, owners, values)
        return best

    def _mean_of_nearest(self, values: np.ndarray, owners: np.ndarray) -> np.ndarray:
        order = np.lexsort((-values, owners))
        sorted_owners = owners[order]
        rank = np.arange(len(order)) - np.searchsorted(sorted_owners, sorted_owners)
        near = rank < NEAREST
        total = np.bincount(sorted_owners[near], values[order][near], minlength=len(self.index.sections))
        count = np.bincount(sorted_owners[near], minlength=len(self.index.sections))
        return np.asarray(total / np.maximum(count, 1), dtype=np.float32)

    def _hit(self, number: int, score: float, parts: np.ndarray) -> Hit:
        return Hit(self.index.sections[number], score, dict(zip(PARTS, map(float, parts), strict=True)))


def has_questions(index: Index) -> bool:
    """Whether the site's authors wrote questions beside its sections."""
    return bool(index.spans[KINDS[0]][1])


def leave_one_out(retriever: Retriever, entries: Sequence[int]) -> list[int]:
    """Return, for each question entry asked with itself left out of the index, the rank (1 is best) of its own section."""
    ranks = []
    for entry in entries:
        query = retriever.query(retriever.index.texts[entry])
        scores = retriever.features(query, without_entry=entry) @ retriever.weights
        ranks.append(1 + int((scores > scores[retriever.index.owner[entry]]).sum()))
    return ranks
