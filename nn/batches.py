"""Minibatches: samples in a new order each epoch, some at a time.

Knows NumPy alone. x is (features, N), one column a sample.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

GATHERED = 2**16        # inputs brought together at a time: batch by batch costs calls, all at once memory


@dataclass
class Samples:
    """Some of the data: x (inputs, N), y (outputs, N) or (N,), and weights (N,) if they have any."""

    x: Array
    y: Array
    weights: Array | None = None

    def __len__(self) -> int:
        return int(self.x.shape[1])

    def laid_out(self) -> Samples:
        """The same, in the order in memory that `taken` is quickest with."""
        return Samples(np.asfortranarray(self.x), np.ascontiguousarray(self.y), self.weights)

    def taken(self, batch: npt.NDArray[np.intp]) -> Samples:
        """These of them."""
        weights = None if self.weights is None else self.weights[batch]
        return Samples(self.x.T.take(batch, axis=0).T, self.y.take(batch, axis=-1), weights)

    def minibatches(self, batch_size: int | None, rng: np.random.Generator) -> Iterator[Samples]:
        """One epoch: each sample once in a new order, so many at a time; None: all at once, in order."""
        if batch_size is None:
            yield self
            return
        order = rng.permutation(len(self))
        gathered = batch_size * max(1, GATHERED // (batch_size * len(self.x)))
        for start in range(0, len(order), gathered):
            some = self.taken(order[start : start + gathered])
            for first in range(0, len(some), batch_size):
                yield some.slice(first, first + batch_size)

    def slice(self, start: int, stop: int) -> Samples:
        """Those between, not copied."""
        weights = None if self.weights is None else self.weights[start:stop]
        return Samples(self.x[:, start:stop], self.y[..., start:stop], weights)

    def fingerprint(self) -> str:
        """Tells these samples from others, but not from those that somebody made to look like them."""
        parts = (self.x, self.y) if self.weights is None else (self.x, self.y, self.weights)
        sums = [zlib.crc32(np.ascontiguousarray(part).data) for part in parts]
        return " ".join(f"{'×'.join(map(str, p.shape))}:{s:08x}" for p, s in zip(parts, sums, strict=True))

    @property
    def mass(self) -> float:
        """How much they count for in a mean."""
        return len(self) if self.weights is None else float(self.weights.sum())


def minibatches(
    x: Array, y: Array, batch_size: int | None, rng: np.random.Generator
) -> Iterator[tuple[Array, Array]]:
    """One epoch: every sample once, in a new order, batch_size at a time; None gives x and y whole.

    x is (features, N) and y (targets, N); the last batch may be smaller. Quickest where a sample's
    numbers are adjacent in memory, as in np.asfortranarray(x).

    >>> x = np.array([[1.0, 2.0, 3.0]])
    >>> epoch = minibatches(x, 10 * x, 2, np.random.default_rng(0))
    >>> [(x_batch.shape, bool((y_batch == 10 * x_batch).all())) for x_batch, y_batch in epoch]
    [((1, 2), True), ((1, 1), True)]
    """
    for part in Samples(x, y).minibatches(batch_size, rng):
        yield part.x, part.y
