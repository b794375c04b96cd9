"""Vectors of questions → a small network that brings those of one section together: what people ask in other words lies nearer then.

Learned by a build, in about a minute, from the questions beside the sections alone; the encoder stays as it is. Knows no text.
"""

import math
from dataclasses import dataclass

import numpy as np

LEAST = 1000  # questions; fewer teach too little, and the vectors stay as they are
EPOCHS = 12  # so many steps are made as it takes to draw each question so many times
BATCH = 1024  # sections in a step, a pair of questions each, that are told apart from one another
DIMENSION = 192  # of adapted vectors: half as much to compare as MiniLM's 384, and as good
HIDDEN = 1024  # units
SPREAD = 8.0  # by which vectors are multiplied on the way to the hidden units, whose curve would be a straight line to small numbers
SHARPNESS = 20.0  # by which cosines are multiplied before the softmax; sentence-transformers' default
RATE = 2e-3  # of learning, falling to zero
DROPPED = 0.3  # share of hidden units that a step leaves out (Srivastava et al., 2014)
TINY = 1e-12  # of a vector's length, so that an empty one stays empty


@dataclass(frozen=True, slots=True)
class Adapter:
    """The weights of x → y + gelu(SPREAD · y · up + bias) · down, where y = x · straight."""

    straight: np.ndarray  # (dimension, adapted dimension)
    up: np.ndarray  # (adapted dimension, hidden)
    bias: np.ndarray  # (hidden,)
    down: np.ndarray  # (hidden, adapted dimension)


def identity(dimension: int) -> Adapter:
    """Return the adapter that changes nothing."""
    bare = np.zeros((dimension, 0), dtype=np.float32)
    return Adapter(np.eye(dimension, dtype=np.float32), bare, bare[0], bare.T)


def adapt(vectors: np.ndarray, adapter: Adapter) -> np.ndarray:
    """Return `vectors` (any number, dimension) as `adapter` moves them: unit vectors (any number, adapted dimension)."""
    moved = vectors @ adapter.straight
    if adapter.bias.size:
        moved = moved + _gelu(SPREAD * moved @ adapter.up + adapter.bias) @ adapter.down
    return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), TINY), dtype=np.float32)


def learn(vectors: np.ndarray, owners: np.ndarray, seed: int = 0, progress: bool = False) -> Adapter:
    """Return an adapter for `adapt`: the identity where there is too little to learn from.

    `vectors` are unit vectors of questions (questions, dimension), `owners` their sections. Of two questions of a section each has to
    find the other among those of other sections (InfoNCE in both directions, van den Oord et al., 2018).
    """
    dimension = vectors.shape[1]
    groups = [np.flatnonzero(owners == owner) for owner in np.unique(owners)]
    groups = [group for group in groups if len(group) > 1]
    if len(vectors) < LEAST or not groups:
        return identity(dimension)
    import torch
    from torch.nn.functional import cross_entropy, dropout, gelu, normalize
    from tqdm import tqdm

    random = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        axes = _main_axes(vectors, min(DIMENSION, dimension))
        width = axes.shape[1]
        up = torch.empty(width, HIDDEN).uniform_(-(width**-0.5), width**-0.5)
        weights = [torch.from_numpy(axes), up, torch.zeros(HIDDEN), torch.zeros(HIDDEN, width)]
        straight, up, bias, down = (weight.requires_grad_() for weight in weights)

        def moved(chosen: np.ndarray) -> torch.Tensor:
            rows = torch.from_numpy(np.asarray(vectors[chosen], dtype=np.float32)) @ straight
            return normalize(rows + dropout(gelu(SPREAD * rows @ up + bias, approximate="tanh"), DROPPED) @ down, dim=1)

        steps = EPOCHS * -(-sum(map(len, groups)) // BATCH)
        optimizer = torch.optim.Adam(weights, lr=RATE)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
        for _ in tqdm(range(steps), desc="Learning from the questions", unit="step", disable=not progress):
            chosen = random.permutation(len(groups))[:BATCH]
            pairs = np.array([random.choice(groups[number], 2, replace=False) for number in chosen])
            scores = SHARPNESS * moved(pairs[:, 0]) @ moved(pairs[:, 1]).T
            own = torch.arange(len(scores))
            optimizer.zero_grad()
            (cross_entropy(scores, own) + cross_entropy(scores.T, own)).backward()
            optimizer.step()
            schedule.step()
        return Adapter(*(weight.detach().numpy().copy() for weight in weights))


def _main_axes(vectors: np.ndarray, count: int) -> np.ndarray:
    """Return the directions (dimension, count) that tell most of `vectors`: where learning begins."""
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    return np.ascontiguousarray(axes[:, ::-1][:, :count], dtype=np.float32)


def _gelu(values: np.ndarray) -> np.ndarray:
    """Return the Gaussian error linear unit of `values`, by tanh (Hendrycks & Gimpel, 2016, section 2)."""
    return np.asarray(0.5 * values * (1 + np.tanh(math.sqrt(2 / math.pi) * (values + 0.044715 * values * values * values))))
