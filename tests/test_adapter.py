"""Vectors of questions brought nearer to those of their section, on vectors made by hand."""

import numpy as np
import pytest

from bot import adapter
from bot.adapter import _slope, _softmax, adapt, learn

SECTIONS, EACH, DIMENSION = 60, 20, 24


def units(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture(scope="module")
def asked() -> tuple[np.ndarray, np.ndarray]:
    """Questions whose first half of dimensions tells the section and whose second half is noise; with their sections."""
    random = np.random.default_rng(3)
    topics = random.normal(size=(SECTIONS, DIMENSION // 2)).repeat(EACH, axis=0)
    noise = 2 * random.normal(size=(SECTIONS * EACH, DIMENSION // 2))
    return units(np.hstack([topics, noise])), np.arange(SECTIONS).repeat(EACH)


def lead(vectors: np.ndarray, owners: np.ndarray) -> float:
    """Return by how much two questions of a section are more alike, on average, than two of different ones."""
    cosines, same = vectors @ vectors.T, owners[:, None] == owners[None, :]
    return float(cosines[same & ~np.eye(len(owners), dtype=bool)].mean() - cosines[~same].mean())


def test_questions_of_a_section_that_were_never_seen_are_nearer_afterwards(asked: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, owners = asked
    seen = owners < SECTIONS * 5 // 6
    matrix = learn(vectors[seen], owners[seen])
    assert lead(adapt(vectors[~seen], matrix), owners[~seen]) > 1.01 * lead(vectors[~seen], owners[~seen])


def test_the_same_questions_give_the_same_matrix(asked: tuple[np.ndarray, np.ndarray]) -> None:
    np.testing.assert_array_equal(learn(*asked), learn(*asked))


def test_too_few_questions_or_none_in_common_teach_nothing(asked: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, owners = asked
    few = adapter.LEAST - 1
    for teaching in ((vectors[:few], owners[:few]), (vectors, np.arange(len(vectors))), (vectors[:0], owners[:0])):
        np.testing.assert_array_equal(learn(*teaching), np.eye(DIMENSION, dtype=np.float32))


def test_adapted_vectors_have_length_one_and_the_identity_changes_nothing(asked: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, _ = asked
    matrix = np.random.default_rng(1).normal(size=(DIMENSION, DIMENSION)).astype(np.float32)
    np.testing.assert_allclose(np.linalg.norm(adapt(vectors, matrix), axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(adapt(vectors, np.eye(DIMENSION, dtype=np.float32)), vectors, atol=1e-6)


def test_the_slope_is_that_of_the_loss() -> None:
    random = np.random.default_rng(0)
    matrix, left, right = np.eye(5) + 0.1 * random.normal(size=(5, 5)), random.normal(size=(4, 5)), random.normal(size=(4, 5))

    def loss(at: np.ndarray) -> float:
        one, other = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (left @ at, right @ at))
        scores = adapter.SHARPNESS * one @ other.T
        return float(-sum(np.log(np.diag(_softmax(scores, axis))).mean() for axis in (0, 1)) / 2)

    step, measured = 1e-5, np.zeros_like(matrix)
    for place in np.ndindex(matrix.shape):
        change = np.zeros_like(matrix)
        change[place] = step
        measured[place] = (loss(matrix + change) - loss(matrix - change)) / (2 * step)
    np.testing.assert_allclose(_slope(matrix, left, right), measured, atol=1e-4)
