"""Vectors of questions brought nearer to those of their section, on vectors made by hand."""

from dataclasses import astuple

import numpy as np
import pytest
import torch

from bot import adapter
from bot.adapter import Adapter, _gelu, adapt, identity, learn

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


def equal(one: Adapter, other: Adapter) -> bool:
    return all(np.array_equal(*weights) for weights in zip(astuple(one), astuple(other), strict=True))


def test_questions_of_a_section_that_were_never_seen_are_nearer_afterwards(asked: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, owners = asked
    seen = owners < SECTIONS * 5 // 6
    learned = learn(vectors[seen], owners[seen])
    assert lead(adapt(vectors[~seen], learned), owners[~seen]) > 1.1 * lead(vectors[~seen], owners[~seen])


def test_the_hidden_units_learn_too(asked: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, owners = asked
    learned = learn(vectors, owners)
    linear = Adapter(learned.straight, *astuple(identity(DIMENSION))[1:])
    assert lead(adapt(vectors, learned), owners) > 1.05 * lead(adapt(vectors, linear), owners)


def test_the_same_questions_give_the_same_adapter_and_leave_torch_s_random_numbers_alone(asked: tuple[np.ndarray, np.ndarray]) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    assert equal(learn(*asked), learn(*asked))
    assert torch.equal(torch.rand(3), expected)


def test_too_few_questions_or_none_in_common_teach_nothing(asked: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, owners = asked
    few = adapter.LEAST - 1
    for teaching in ((vectors[:few], owners[:few]), (vectors, np.arange(len(vectors))), (vectors[:0], owners[:0])):
        assert equal(learn(*teaching), identity(DIMENSION))


def test_adapted_vectors_have_length_one_and_the_identity_changes_nothing(asked: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, _ = asked
    random = np.random.default_rng(1)
    shapes = [(DIMENSION, DIMENSION), (DIMENSION, 5), (5,), (5, DIMENSION)]
    moving = Adapter(*(random.normal(size=shape).astype(np.float32) for shape in shapes))
    np.testing.assert_allclose(np.linalg.norm(adapt(vectors, moving), axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(adapt(vectors, identity(DIMENSION)), vectors, atol=1e-6)


def test_what_is_applied_is_what_was_learned() -> None:
    values = np.linspace(-4, 4, 33, dtype=np.float32)
    theirs = torch.nn.functional.gelu(torch.from_numpy(values), approximate="tanh").numpy()
    np.testing.assert_allclose(_gelu(values), theirs, atol=1e-6)
