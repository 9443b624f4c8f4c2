"""Samples that are left out: of the whole pass, or of one array.

This room knows the true pass and the claims.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nn.diagnosing.claims import Variant, claim
from nn.diagnosing.passes import Array, TruePass

Kept = npt.NDArray[np.bool_]


class _Part(NamedTuple):
    """Some of the samples: what it is called to count no others, in words, and whether each is counted."""

    kind: str
    words: str
    kept: Kept


def parts(true: TruePass, dz: Array, db: Array, tolerance: float) -> Iterator[Variant]:
    """dz_L where only some samples count: those that explain the bias gradient `db`."""
    m, place = true.samples, f"dz{true.top}"
    if m == 1 or db.shape != (len(dz), 1) or not np.isfinite(db).all():
        return
    weights = np.ones(m) if true.weights is None else true.weights
    both = np.vstack([dz, weights])
    families = {  # sums over the last k samples, over the first k, over all but one; k from 1 on
        "last": np.cumsum(both[:, ::-1], axis=1)[:, :-1],
        "first": np.cumsum(both, axis=1)[:, :-1],
        "but": both.sum(axis=1, keepdims=True) - both[:, 1:-1],
    }
    for family, found in families.items():
        sums, counted = found[:-1], found[-1]
        means = true.counted / counted
        for scales, words in ((np.ones_like(counted), ""), (means, ", divided by their number")):
            misses = np.minimum(*(np.abs(sums * scale - db).max(axis=0) for scale in (scales, m)))
            for k in np.flatnonzero(misses <= tolerance * np.abs(db).max()).tolist():
                part = _part(family, k + 1, m)
                says = f"{place} is {part.words}{words}."
                yield claim(part.kind, part.words + words, place, says), dz * part.kept * scales[k]


def _part(family: str, k: int, m: int) -> _Part:
    """The last or the first k of m samples, or all but the one in column k."""
    columns = np.arange(m)
    if family == "but":
        return _skipping(f"that in column {k}", columns != k)
    kept = columns >= m - k if family == "last" else columns < k
    if k == 1:
        return _Part(f"{family} sample only", f"that of the {family} sample of {m} only", kept)
    if k == m - 1:
        return _skipping("the first" if family == "last" else "the last", kept)
    return _Part("part of the batch only", f"that of the {family} {k} samples of {m} only", kept)


def _skipping(which: str, kept: Kept) -> _Part:
    return _Part("one sample skipped", f"made without one sample of {len(kept)}, {which}", kept)


def parts_of_array(place: str, m: int, made: Callable[[slice], Array]) -> Iterator[Variant]:
    """An array as `made` of some columns: of the last or the first one, or without it."""
    if m == 1:
        return
    for end, one, others in (("last", slice(-1, None), slice(-1)), ("first", slice(1), slice(1, None))):
        says = f"{place} counts only the {end} sample."
        yield claim(f"{end} sample only", "", place, says), made(one)
        if m > 2:
            says = f"{place} leaves out the {end} sample."
            yield claim("one sample skipped", f"the {end}", place, says), made(others)
