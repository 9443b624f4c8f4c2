"""Labels, splits and outliers: what is done to data before a network sees it.

Knows NumPy and the checks at the door. x is (features, N), one column a sample; labels are (N,).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nn import checks

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


def one_hot(labels: npt.ArrayLike, classes: int | None = None) -> Array:
    """Targets (classes, N) for labels (N,) of whole numbers from 0: 1.0 in the row of each one's class.

    classes  how many there are; None: one more than the largest label. Name them all where a part of the
             data may lack the last.

    >>> one_hot([2, 0, 1])
    array([[0., 1., 0.],
           [0., 0., 1.],
           [1., 0., 0.]])
    """
    numbers = np.asarray(labels)
    if numbers.dtype.kind not in "iu":
        raise TypeError(
            f"labels: expected whole numbers 0, 1, …, got dtype {numbers.dtype}; number other labels first: "
            "names, labels = np.unique(labels, return_inverse=True)"
        )
    _check_length(numbers)
    known = int(numbers.max()) + 1 if classes is None else checks.count("classes", classes, least=1)
    return checks.labels("labels", numbers, known)


def random_split(
    samples: int, share: float, rng: np.random.Generator | None = None
) -> tuple[Indices, Indices]:
    """Two parts of range(samples) in random order: the indices to train with, and those held out.

    share  held out, above 0 and below 1, rounded up to whole samples

    >>> train, held_out = random_split(5, share=0.3, rng=np.random.default_rng(0))
    >>> len(train), len(held_out)
    (3, 2)
    """
    return stratified_split(np.zeros(checks.count("samples", samples, least=2)), share, rng)


def stratified_split(
    labels: npt.ArrayLike, share: float, rng: np.random.Generator | None = None
) -> tuple[Indices, Indices]:
    """As random_split, with each class of labels (N,) in both parts in its proportion.

    Proportions are whole numbers of samples: what rounding down leaves over goes to the classes with the
    largest remainders. Labels may be numbers or text. Raises ValueError for a class of one sample, and for
    parts too small to have one sample a class.

    >>> labels = np.array([0, 0, 0, 0, 1, 1])
    >>> train, held_out = stratified_split(labels, share=0.5, rng=np.random.default_rng(0))
    >>> np.bincount(labels[train]), np.bincount(labels[held_out])
    (array([2, 1]), array([2, 1]))
    """
    share, rng = checks.open_share("share", share), checks.generator(rng)
    names = np.asarray(labels)
    _check_length(names)
    classes, numbers, counts = np.unique(names, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        raise ValueError(
            f"labels: class {classes[counts.argmin()]} has one sample, which cannot be in both parts; "
            "leave it out, or use random_split."
        )
    held_out = held_out_count(len(numbers), share)
    kept = len(numbers) - held_out
    if min(held_out, kept) < len(classes):
        raise ValueError(
            f"share: {share} of {len(numbers)} samples makes parts of {kept} and {held_out}; "
            f"expected at least {len(classes)} in each, one a class."
        )
    parts: tuple[list[Indices], list[Indices]] = [], []
    for number, taken in enumerate(_proportional(counts, held_out)):
        members = rng.permutation(np.flatnonzero(numbers == number))
        parts[0].append(members[taken:])
        parts[1].append(members[:taken])
    return rng.permutation(np.concatenate(parts[0])), rng.permutation(np.concatenate(parts[1]))


def held_out_count(samples: int, share: float) -> int:
    """How many of the samples a share is, rounded up.

    >>> held_out_count(100, 0.07)                           # though 0.07 · 100 is above 7
    7
    """
    return math.ceil(share * samples - 1e-9)


def _proportional(counts: Indices, total: int) -> Indices:
    """Whole numbers in proportion to counts that add up to total, by largest remainder."""
    whole, remainder = np.divmod(counts * total, counts.sum())     # in whole numbers: no rounding decides
    largest = np.argsort(-remainder, kind="stable")[: total - whole.sum()]
    whole[largest] += 1
    return whole


class Outlier(NamedTuple):
    """One number far from its feature's others: `score` robust standard deviations above the median."""

    feature: int
    sample: int
    value: float
    median: float
    score: float

    def __str__(self) -> str:
        side = "above" if self.score > 0 else "below"
        return (
            f"feature {self.feature}, sample {self.sample}: {self.value:g} is {abs(self.score):.1f} robust "
            f"standard deviations {side} the median {self.median:g}"
        )


def find_outliers(x: npt.ArrayLike, threshold: float = 3.5) -> list[Outlier]:
    """The numbers of x (features, N) whose score exceeds the threshold in size, the largest first.

    The score is (x - median) / (1.4826 · MAD), the MAD being the median of |x - median|: for a normal feature
    1.4826 MAD is the standard deviation, and unlike that it does not grow with the outliers themselves.
    Where more than half the numbers are equal the MAD is 0, and 1.2533 · the mean of |x - median| takes its
    place; then every rare value counts as far. Nothing is dropped: look at each, then decide. Iglewicz &
    Hoaglin 1993, "How to detect and handle outliers", whose threshold is 3.5.

    >>> for outlier in find_outliers([[1.0, 2.0, 3.0, 4.0, 500.0]]):
    ...     print(outlier)
    feature 0, sample 4: 500 is 335.2 robust standard deviations above the median 3
    """
    x, threshold = checks.columns("x", x), checks.positive("threshold", threshold)
    with np.errstate(all="ignore"):
        medians = np.median(x, axis=1, keepdims=True)
        distances = np.abs(x - medians)
        mad = np.median(distances, axis=1, keepdims=True)
        mean = distances.mean(axis=1, keepdims=True)
        spread = np.where(mad > 0, 1.482602218505602 * mad, math.sqrt(math.pi / 2) * mean)
        scores = np.where(distances > 0, (x - medians) / spread, 0.0)
    found = [
        Outlier(int(i), int(n), float(x[i, n]), float(medians[i, 0]), float(scores[i, n]))
        for i, n in np.argwhere(np.abs(scores) > threshold)
    ]
    return sorted(found, key=lambda outlier: -abs(outlier.score))


def _check_length(labels: npt.NDArray[np.generic]) -> None:
    if labels.ndim != 1 or len(labels) == 0:
        raise ValueError(f"labels: expected shape (N,) with N >= 1, got {labels.shape}")
