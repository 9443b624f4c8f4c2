"""Pass 1: a recorded graph as arrays of integers, on which the next passes work without Python loops.

    a, b = Value(2.0), Value(3.0)
    c = a * b + a

    node       0 a     1 b     2 a * b       3 c
    kind       LEAF    LEAF    multiply      add
    operands   -       -       0, 1          2, 0

This room knows Value and the walk over its graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autograd.graph import topological_order
from autograd.primitives import Primitive
from autograd.value import CONSTANT, LEAF, Value

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Recording:
    """A graph of M nodes in topological order, with E uses of operands.

    nodes      the recorded Values (M,)
    kinds      which of `primitives` made each (M,); LEAF is the first of them, CONSTANT the second
    operands   (E,); those of node i are operands[start[i]:start[i + 1]], and start is (M + 1,)
    data       the numbers as recorded (M,)
    outputs    places of the roots, in the order given
    """

    nodes: list[Value]
    kinds: Ints
    primitives: list[Primitive]
    start: Ints
    operands: Ints
    data: Floats
    outputs: Ints

    def of_kind(self, *names: str) -> npt.NDArray[np.bool_]:
        """Which nodes were made by the primitives of these names."""
        wanted = [i for i, primitive in enumerate(self.primitives) if primitive.name in names]
        return np.isin(self.kinds, wanted)

    @property
    def constant(self) -> npt.NDArray[np.bool_]:
        """Which nodes were plain numbers in somebody's expression."""
        found: npt.NDArray[np.bool_] = self.kinds == 1
        return found


class _Roots:
    """What has several roots for its operands."""

    def __init__(self, roots: Sequence[Value]) -> None:
        self._a, self._b = tuple(roots), None


def read(roots: Sequence[Value]) -> Recording:
    """The graph below the roots.

    >>> a, b = Value(2.0), Value(3.0)
    >>> graph = read([a * b + a])
    >>> graph.start.tolist(), graph.operands.tolist()
    ([0, 0, 0, 2, 4], [0, 1, 2, 0])
    """
    nodes = topological_order(_Roots(roots))[:-1]
    place = dict(zip(nodes, range(len(nodes)), strict=True)).__getitem__
    first, second = [node._a for node in nodes], [node._b for node in nodes]
    many = [i for i, a in enumerate(first) if a.__class__ is tuple]

    columns = np.empty((2, len(nodes)), dtype=np.int64)  # of operands, -1 for none
    for column, operand in zip(columns, (first, second), strict=True):
        column[:] = [-1 if x is None or x.__class__ is tuple else place(x) for x in operand]
    there = columns >= 0
    counts = there.sum(axis=0)
    counts[many] = [len(first[i]) for i in many]
    start = np.concatenate([[0], np.cumsum(counts)])
    operands = np.empty(start[-1], dtype=np.int64)
    for k in (0, 1):
        operands[start[:-1][there[k]] + k] = columns[k][there[k]]
    for i in many:
        operands[start[i] : start[i + 1]] = list(map(place, first[i]))

    made_by = [node.primitive for node in nodes]
    keys = list(map(id, made_by))  # a primitive's own hash goes through all its rules
    primitives = {id(LEAF): LEAF, id(CONSTANT): CONSTANT} | dict(zip(keys, made_by, strict=True))
    number = {key: i for i, key in enumerate(primitives)}
    return Recording(
        nodes=nodes,
        kinds=np.array([number[key] for key in keys], dtype=np.int64),
        primitives=list(primitives.values()),
        start=start,
        operands=operands,
        data=np.array([node._data for node in nodes], dtype=np.float64),
        outputs=np.array([place(root) for root in roots], dtype=np.int64),
    )
