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
from itertools import repeat

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
    data       the leaves' numbers as recorded, nan elsewhere (M,)
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
        wanted = np.array([primitive.name in names for primitive in self.primitives])
        return wanted[self.kinds]

    @property
    def constant(self) -> npt.NDArray[np.bool_]:
        """Which nodes were plain numbers in somebody's expression."""
        found: npt.NDArray[np.bool_] = self.kinds == 1
        return found


def the_one(numbers: Floats) -> float | None:
    """The number that all these are, if they are one: zeros of two signs are two, nan is none.

    >>> the_one(np.array([2.0, 2.0])), the_one(np.array([0.0, -0.0]))
    (2.0, None)
    """
    first = numbers[0]
    same = (numbers == first).all() and (np.signbit(numbers) == np.signbit(first)).all()
    return float(first) if same else None


def read(roots: Sequence[Value]) -> Recording:
    """The graph below the roots.

    >>> a, b = Value(2.0), Value(3.0)
    >>> graph = read([a * b + a])
    >>> graph.start.tolist(), graph.operands.tolist()
    ([0, 0, 0, 2, 4], [0, 1, 2, 0])
    """
    nodes = topological_order(*roots)
    size = len(nodes)
    index = dict(zip(nodes, range(size), strict=True))
    made_by = [node.primitive for node in nodes]
    primitives = [LEAF, CONSTANT, *sorted(set(made_by) - {LEAF, CONSTANT}, key=lambda row: row.name)]
    number = {primitive: i for i, primitive in enumerate(primitives)}
    kinds = np.fromiter(map(number.__getitem__, made_by), np.int64, size)

    first, second = [node._a for node in nodes], [node._b for node in nodes]
    columns = np.empty((2, size), dtype=np.int64)  # of operands, -1 for none and for a tuple of them
    for column, operands in zip(columns, (first, second), strict=True):
        column[:] = np.fromiter(map(index.get, operands, repeat(-1)), np.int64, size)
    there = columns >= 0
    counts = there.sum(axis=0)
    many = np.flatnonzero((counts == 0) & (kinds > 1)).tolist()
    counts[many] = [len(first[i]) for i in many]
    start = np.concatenate([[0], np.cumsum(counts)])
    found = np.empty(start[-1], dtype=np.int64)
    for k in (0, 1):
        found[start[:-1][there[k]] + k] = columns[k][there[k]]
    for i in many:
        found[start[i] : start[i + 1]] = list(map(index.__getitem__, first[i]))

    leaves = np.flatnonzero(kinds < 2)
    data = np.full(size, np.nan)
    data[leaves] = [nodes[i]._data for i in leaves.tolist()]
    return Recording(
        nodes=nodes,
        kinds=kinds,
        primitives=primitives,
        start=start,
        operands=found,
        data=data,
        outputs=np.array([index[root] for root in roots], dtype=np.int64),
    )
