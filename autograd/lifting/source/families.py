"""Scalars that belong together by their labels, in the shape of the numbers in these.

    x0 x1 x2                    (3,)
    token0.0 ... token16.27     (17, 28)
    l0.n0.w0 ... l2.n3.w5       an array for each l, if the ls differ in size
    a                           ()

This room knows names.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from autograd.lifting.recording import Ints
from autograd.lifting.source.naming import numbers_in, skeleton

_MOST = 8  # arrays that one family is divided into


def families(scalars: Sequence[int], labels: dict[int, str]) -> Iterator[Ints]:
    """Each family of these scalars, in order of first appearance, by the words of their labels.

    >>> labels = {5: "w0.0", 6: "w1.0", 7: "b", 8: "w0.1", 9: "w1.1"}
    >>> [family.tolist() for family in families([5, 6, 7, 8, 9], labels)]
    [[[5, 8], [6, 9]], 7]
    """
    found: dict[str, list[int]] = {}
    for i in scalars:
        found.setdefault(skeleton(labels.get(i, "")), []).append(i)
    for family in found.values():
        numbers = [numbers_in(labels.get(i, "")) for i in family]
        alike = len(set(map(len, numbers))) == 1
        yield from _shaped(np.array(family), np.array(numbers) if alike else np.zeros((len(family), 0), int))


def _shaped(scalars: Ints, numbers: Ints) -> Iterator[Ints]:
    """Scalars by the numbers in their labels (n, m): as many axes as numbers differ.

    Where not every combination is there, the first number that differs is tried apart from the others.
    """
    varied = numbers[:, (numbers != numbers[0]).any(axis=0)]
    if varied.shape[1] == 0:
        yield scalars.reshape(() if len(scalars) == 1 else -1)
        return
    axes = [np.unique(column, return_inverse=True)[1] for column in varied.T]
    shape = tuple(int(axis.max()) + 1 for axis in axes)
    if math.prod(shape) == len(scalars) == len(np.unique(varied, axis=0)):
        shaped = np.empty(shape, dtype=np.int64)
        shaped[tuple(axes)] = scalars
        yield shaped
    elif shape[0] > _MOST:
        yield scalars
    else:
        for k in range(shape[0]):
            mine = axes[0] == k
            yield from _shaped(scalars[mine], varied[mine, 1:])
