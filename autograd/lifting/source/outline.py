"""What a program's text computes, array by array: for those who draw it.

    W0      (16, 2)
    z0      (16, 100)    @       W0 @ X + b0
    a0      (16, 100)    tanh    np.tanh(z0)

This room knows arrays and operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograd.lifting.blocks import NOTHING
from autograd.lifting.grids import ANY
from autograd.lifting.recording import Ints
from autograd.lifting.source.arrays import Array, Arrays
from autograd.lifting.source.expressions import Shape
from autograd.lifting.source.operations import Operation
from autograd.lifting.source.tapes import ScalarOperation

MATMUL, SUM = "@", "Σ"


@dataclass(frozen=True, slots=True)
class Outlined:
    """One array of a program.

    name       as the text has it; a place in the vector of what runs one by one has one like v[3]
    shape      with "N" for the axis of samples
    symbol     of its operation: @ of a matrix product, Σ of another sum, else the table's; "" for a leaf
    formula    the text of its operation; "" for a leaf
    reads      places in the outline of the arrays that it is computed from, each once
    is_output  whether the program's value is there
    """

    name: str
    shape: Shape
    symbol: str
    formula: str
    reads: tuple[int, ...]
    is_output: bool


@dataclass(frozen=True, slots=True)
class Outline:
    """A program's arrays, leaves first and operands before results, and how many scalars were recorded."""

    arrays: list[Outlined]
    scalars: int


def outlined(
    arrays: Arrays, operations: Sequence[Operation | ScalarOperation], outputs: Ints
) -> list[Outlined]:
    """The leaves, and what each operation computes; every array has its name already.

    outputs  numbers of the scalars whose sum is the value
    """
    places = [*[leaf.scalars for leaf in arrays.leaves], *[operation.out for operation in operations]]
    maker = np.full(len(arrays.owner), NOTHING)
    for k, scalars in enumerate(places):
        maker[scalars] = k
    made = set(maker[outputs].tolist())
    found = []
    for k, leaf in enumerate(arrays.leaves):
        found.append(Outlined(*_named(arrays, leaf.scalars), "", "", (), k in made))
    for k, operation in enumerate(operations, len(found)):
        makers = maker[_numbers_read(operation)]
        reads = tuple(np.unique(makers[makers != NOTHING]).tolist())
        name, shape = _named(arrays, operation.out)
        found.append(Outlined(name, shape, _symbol(operation), str(operation.value()), reads, k in made))
    return found


def _numbers_read(operation: Operation | ScalarOperation) -> Ints:
    if isinstance(operation, ScalarOperation):
        return np.array(operation.step.operands, dtype=np.int64)
    read = np.concatenate([part.ravel() for part in operation.step.parts])
    present: Ints = read[read != ANY]
    return present


def _symbol(operation: Operation | ScalarOperation) -> str:
    if isinstance(operation, Operation) and operation.step.is_product:
        return MATMUL
    primitive = operation.step.primitive
    return SUM if primitive is None else primitive.symbol


def _named(arrays: Arrays, scalars: Ints) -> tuple[str, Shape]:
    """The name and the shape of the array, or of the part of a vector, that holds these scalars."""
    array: Array = arrays.all[arrays.owner[scalars.flat[0]]]
    if array.kind != "vector":
        return array.name, array.shape
    begin = int(arrays.place[scalars.flat[0]])
    samples = ("N",) if array.varies else ()
    if scalars.ndim == 0:
        return f"{array.name}[{begin}]", samples
    return f"{array.name}[{begin}:{begin + scalars.size}]", (scalars.size, *samples)
