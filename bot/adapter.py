"""Vectors of questions → a matrix that brings those of one section together: what people ask in other words lies nearer afterwards.

Learned at each build, in seconds, from the questions beside the sections alone; the encoder stays as it is. Knows no text.
"""

import numpy as np

LEAST = 1000  # questions; fewer teach too little, and the vectors stay as they are
EPOCHS = 10  # so many steps are made as it takes to draw each question so many times
BATCH = 1024  # sections in a step, a pair of questions each, that are told apart from one another
SHARPNESS = 20.0  # by which cosines are multiplied before the softmax; sentence-transformers' default
RATE = 1e-3  # of learning, falling to zero
TINY = 1e-12  # of a vector's length, so that an empty one stays empty
ADAM = (0.9, 0.999, 1e-8)  # Kingma & Ba (2015), algorithm 1


def learn(vectors: np.ndarray, owners: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return a matrix (dimension, dimension) for `adapt`: the identity where there is too little to learn from.

    `vectors` are unit vectors of questions (questions, dimension), `owners` their sections. Of two questions of a section each has to
    find the other among those of other sections (InfoNCE in both directions, van den Oord et al., 2018).
    """
    dimension = vectors.shape[1]
    groups = [np.flatnonzero(owners == owner) for owner in np.unique(owners)]
    groups = [group for group in groups if len(group) > 1]
    matrix: np.ndarray = np.eye(dimension, dtype=np.float32)
    if len(vectors) < LEAST or not groups:
        return matrix
    random = np.random.default_rng(seed)
    first: np.ndarray = np.zeros_like(matrix)
    second: np.ndarray = np.zeros_like(matrix)
    steps = EPOCHS * -(-sum(map(len, groups)) // BATCH)
    for step in range(1, steps + 1):
        chosen = random.permutation(len(groups))[:BATCH]
        pairs = np.array([random.choice(groups[number], 2, replace=False) for number in chosen])
        slope = _slope(matrix, vectors[pairs[:, 0]], vectors[pairs[:, 1]])
        first = ADAM[0] * first + (1 - ADAM[0]) * slope
        second = ADAM[1] * second + (1 - ADAM[1]) * slope**2
        mean, spread = first / (1 - ADAM[0] ** step), second / (1 - ADAM[1] ** step)
        matrix -= RATE * (1 - (step - 1) / steps) * mean / (np.sqrt(spread) + ADAM[2])
    return matrix


def adapt(vectors: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return `vectors` (any number, dimension) multiplied by `matrix`, as unit vectors."""
    moved = vectors @ matrix
    return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), TINY), dtype=np.float32)


def _slope(matrix: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the gradient of the mean loss of the pairs (left[n], right[n]) by the matrix."""
    moved = left @ matrix, right @ matrix
    lengths = [np.linalg.norm(side, axis=1, keepdims=True) for side in moved]
    units = [side / length for side, length in zip(moved, lengths, strict=True)]
    scores = SHARPNESS * units[0] @ units[1].T
    wrong = (_softmax(scores, 1) + _softmax(scores, 0)) / 2 - np.eye(len(left), dtype=np.float32)
    pulls = SHARPNESS / len(left) * (wrong @ units[1]), SHARPNESS / len(left) * (wrong.T @ units[0])
    turned = [
        (pull - unit * (pull * unit).sum(axis=1, keepdims=True)) / length for pull, unit, length in zip(pulls, units, lengths, strict=True)
    ]
    return np.asarray(left.T @ turned[0] + right.T @ turned[1], dtype=np.float32)


def _softmax(scores: np.ndarray, axis: int) -> np.ndarray:
    odds = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return np.asarray(odds / odds.sum(axis=axis, keepdims=True))
