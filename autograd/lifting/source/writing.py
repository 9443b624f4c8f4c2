"""In which shape a step is written: that in which its operands are read most simply.

    tanh of all in z1 (16, 100)         (16, 100) rather than (1600,), in which the layout has it
    sums of rows of x (7, 16)           (7, 1), terms along the last axis, rather than (7,) of x.T

This room knows operations of all kinds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from autograd.lifting.grids import factored
from autograd.lifting.source.arrays import Arrays
from autograd.lifting.source.operations import Application, Dims, Operation
from autograd.lifting.source.products import Product
from autograd.lifting.source.reader import Reader
from autograd.lifting.source.steps import Step
from autograd.lifting.source.sums import Sum

_ANY_AXIS = ("logsumexp", "norm")  # whose rules do not mind along which axis their operands are


def written(step: Step, reader: Reader) -> Operation:
    """The step as an operation of the text."""
    if step.is_product and step.left is not None and step.right is not None:
        return Product(step, step.left, step.right, reader)
    ways = [(dims, last) for dims in _shapes(step, reader.arrays) for last in _axes(step)]
    if len(ways) > 1:
        drafts = [_in_shape(step, reader.draft(), *way) for way in ways]
        costs = [sum(reading.cost() for reading in draft.readings) for draft in drafts]
        ways = ways[int(np.argmin(costs)) :]
    return _in_shape(step, reader, *ways[0])


def _in_shape(step: Step, reader: Reader, dims: Dims, last: bool) -> Operation:
    if step.primitive is None:
        return Sum(step, reader, dims, last)
    return Application(step, step.primitive, reader, dims, last)


def _axes(step: Step) -> tuple[bool, ...]:
    """Whether the several operands of a result may lie along a last axis, besides along a first one."""
    free = step.primitive is None or step.primitive.name in _ANY_AXIS
    return (False, True) if free and _several(step) and step.out.size > 1 else (False,)


def _several(step: Step) -> bool:
    return step.stack is not None or (step.left is not None and len(step.left) > 1)


def _shapes(step: Step, arrays: Arrays) -> list[Dims]:
    size = step.out.size
    if size == 1 and _several(step):
        return [()]
    found = [*_shapes_of_operands(step, arrays), tuple(n for n in step.out.shape if n > 1)]
    for part in step.parts:
        grid = factored(arrays.place[part.reshape(-1, size)[0]])
        found += [] if grid is None else [grid.shape]
    return list(dict.fromkeys(dims for dims in found if math.prod(dims) == size))


def _shapes_of_operands(step: Step, arrays: Arrays) -> Iterator[Dims]:
    """Those of the arrays, without one axis, or with as many rows as it takes."""
    for part in step.parts:
        for dims in [arrays.all[i].dims for i in arrays.of(part)]:
            yield from (dims, dims[1:], dims[:-1])
            if dims and step.out.size % dims[-1] == 0:
                yield step.out.size // dims[-1], dims[-1]
