"""Toy sets: points in the plane that no straight line tells apart.

Knows NumPy and the checks at the door. Each gives x (2, N), one column a sample, and labels (N,) of whole
numbers from 0, in an order shuffled by `rng`; None takes a fresh generator. `noise` is the standard
deviation of a normal number added to each coordinate.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nn import checks

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.intp]


def moons(
    samples: int = 100, noise: float = 0.1, rng: np.random.Generator | None = None
) -> tuple[Array, Labels]:
    """Two half circles, each with an end within the other.

    Class 0 is (cos t, sin t), class 1 (1 - cos t, 1/2 - sin t), for t evenly spaced from 0 to π.

    >>> x, labels = moons(100, rng=np.random.default_rng(0))
    >>> x.shape, np.bincount(labels)
    ((2, 100), array([50, 50]))
    """
    first, second = (np.linspace(0.0, np.pi, count) for count in _counts(samples, 2))
    return _noisy_and_shuffled(
        [
            np.array([np.cos(first), np.sin(first)]),
            np.array([1.0 - np.cos(second), 0.5 - np.sin(second)]),
        ],
        noise,
        rng,
    )


def circles(
    samples: int = 100, noise: float = 0.1, factor: float = 0.5, rng: np.random.Generator | None = None
) -> tuple[Array, Labels]:
    """A circle of radius 1, class 0, around one of radius `factor`, class 1; factor is in (0, 1).

    >>> x, labels = circles(100, noise=0.0, rng=np.random.default_rng(0))
    >>> np.hypot(*x[:, labels == 1]).max().round(6)
    np.float64(0.5)
    """
    radii = 1.0, checks.open_share("factor", factor)
    angles = (np.linspace(0.0, 2.0 * np.pi, count, endpoint=False) for count in _counts(samples, 2))
    points = [np.array([np.cos(t), np.sin(t)]) * r for t, r in zip(angles, radii, strict=True)]
    return _noisy_and_shuffled(points, noise, rng)


def spiral(
    samples: int = 300, noise: float = 0.02, classes: int = 3, rng: np.random.Generator | None = None
) -> tuple[Array, Labels]:
    """Arms from the centre out to radius 1, one a class, each turning by 4 radians.

    Point t of arm k is t (sin φ, cos φ) with φ = 4 t + 2π k / classes, for t evenly spaced in (0, 1]. After
    the spiral of Stanford's course CS231n, with equal angles between the arms, the noise on the coordinates
    and no point at the centre, which all classes would claim.

    >>> x, labels = spiral(300, rng=np.random.default_rng(0))
    >>> x.shape, np.bincount(labels)
    ((2, 300), array([100, 100, 100]))
    """
    arms = []
    for k, count in enumerate(_counts(samples, checks.count("classes", classes, least=2))):
        t = np.arange(1, count + 1) / count
        phi = 4.0 * t + 2.0 * np.pi * k / classes
        arms.append(np.array([t * np.sin(phi), t * np.cos(phi)]))
    return _noisy_and_shuffled(arms, noise, rng)


def xor(
    samples: int = 4, noise: float = 0.0, rng: np.random.Generator | None = None
) -> tuple[Array, Labels]:
    """The corners of the unit square, in turn; class 1 where one coordinate is 1, class 0 where none or both.

    >>> x, labels = xor(rng=np.random.default_rng(0))
    >>> sorted(zip(*x.astype(int).tolist(), labels.tolist()))
    [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
    """
    corners = np.array([[0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]])      # class 0, then class 1
    points = [corners[:, 2 * k + np.arange(count) % 2] for k, count in enumerate(_counts(samples, 2))]
    return _noisy_and_shuffled(points, noise, rng)


def _counts(samples: int, classes: int) -> list[int]:
    """How many samples each class gets: all the same, the last ones one more where it does not divide."""
    samples = checks.count("samples", samples, least=classes)
    return [(samples + k) // classes for k in range(classes)]


def _noisy_and_shuffled(
    points: list[Array], noise: float, rng: np.random.Generator | None
) -> tuple[Array, Labels]:
    noise, rng = checks.not_negative("noise", noise), checks.generator(rng)
    x = np.hstack(points)
    x += noise * rng.standard_normal(x.shape)
    labels = np.repeat(np.arange(len(points)), [part.shape[1] for part in points])
    order = rng.permutation(len(labels))
    return x[:, order], labels[order]
