"""Constant factors, and what they are called: m, 1/m, 2, the number of outputs, their products.

This room knows NumPy, nothing of the project.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

Counts = Mapping[str, float]

TOO_LARGE = {
    "2": "a 2 too many",
    "m": "the mean's 1/m is missing",
    "outputs": "the mean's 1/outputs is missing",
    "weights.sum()": "the weighted mean's 1/weights.sum() is missing",
}
TOO_SMALL = {
    "2": "a 2 is missing",
    "m": "it is divided by m once too often",
    "outputs": "it is divided by the outputs once too often",
    "weights.sum()": "it is divided by the sum of the weights once too often",
}


def ratio(candidate: Any, true: Any) -> float:
    """The factor that brings `true` nearest to `candidate`, by least squares; nan where `true` is 0.

    >>> ratio(np.array([2.0, 4.0]), np.array([1.0, 2.0]))
    2.0
    """
    scale = float(np.max(np.abs(true), initial=0.0))
    if not scale:
        return float("nan")
    unit = true / scale  # squares of small gradients would underflow
    return float(np.sum(candidate * unit) / np.sum(unit * unit) / scale)


def readings(factor: float, counts: Counts, tolerance: float) -> list[tuple[float, str, str]]:
    """The simplest products of 2 and the counts that are this factor: value, name and what it means.

    counts  {"m": samples, "outputs": outputs}, and "weights.sum()" where samples have weights; a count of 1
            cannot be seen and is never named

    >>> readings(32.0, {"m": 32, "outputs": 1}, 1e-12)
    [(32.0, 'm', "the mean's 1/m is missing")]
    >>> [name for _, name, _ in readings(4.0, {"m": 4, "outputs": 2}, 1e-12)]
    ['m']
    >>> [name for _, name, _ in readings(2.0, {"m": 4, "outputs": 2}, 1e-12)]   # nobody can tell
    ['2', 'outputs']
    """
    found = [row for row in _products(tuple(counts.items())) if abs(row[1] - factor) <= tolerance * row[1]]
    simplest = min((parts for parts, *_ in found), default=0)
    return [(value, name, meaning) for parts, value, name, meaning in found if parts == simplest]


@lru_cache
def _products(counts: tuple[tuple[str, float], ...]) -> list[tuple[int, float, str, str]]:
    """All of them: how many parts, value, name, meaning."""
    values = {"2": 2.0, **{name: count for name, count in counts if count != 1}}
    rows = []
    for signs in product((0, 1, -1), repeat=len(values)):
        powers = dict(zip(values, signs, strict=True))
        value = math.prod(values[name] ** power for name, power in powers.items())
        rows.append((sum(map(abs, signs)), value, _name(powers), _meaning(powers)))
    return sorted(row for row in rows if row[0])


def _name(powers: Mapping[str, int]) -> str:
    above = "·".join(name for name, power in powers.items() if power > 0)
    below = [name for name, power in powers.items() if power < 0]
    return f"{above or 1}/{'/'.join(below)}" if below else above


def _meaning(powers: Mapping[str, int]) -> str:
    phrases = [TOO_LARGE[n] if p > 0 else TOO_SMALL[n] for n, p in powers.items() if p]
    return ", ".join(phrases)
