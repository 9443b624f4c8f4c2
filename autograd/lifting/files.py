"""The register files as arrays, and how contributions to gradients reach them.

Every file of values has one of gradients beside it. Going backwards, the first contribution to a stretch of
gradients is written there directly, later ones are added; what is read several times collects a sum.

    operand            a view            a repeated view         gathered, some twice
    contribution d     target = d        target = d.sum(axis)    file[registers] += sums of d

This room knows grids and operands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.lifting.grids import Grid
from autograd.lifting.layout import Operand
from autograd.lifting.recording import Ints

Array = npt.NDArray[Any]
Step = Callable[[], Any]


class Files:
    """Values and gradients of all registers, and the calls that work on them.

    values, gradients    arrays (S,) of what is the same in all samples, (D, samples) of what varies
    wanted               which registers are to get a gradient, of each file
    forwards, backwards  the calls, in order
    """

    def __init__(self, sizes: Sequence[int], samples: int, dtype: npt.DTypeLike) -> None:
        self.samples = samples
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        shapes: list[tuple[int, ...]] = [(sizes[0],), (sizes[1], samples)]
        self.values = [np.zeros(shape, self.dtype) for shape in shapes]
        self.gradients = [np.zeros(shape, self.dtype) for shape in shapes]
        self.wanted = [np.zeros(size, dtype=bool) for size in sizes]
        self._touched = [np.zeros(size, dtype=bool) for size in sizes]
        self.forwards: list[Step] = []
        self.backwards: list[Step] = []

    def view(self, files: Sequence[Array], grid: Grid, varies: bool) -> Array:
        """A file's registers on a grid, with the samples as last axis where they vary."""
        file = files[varies]
        unit = file.itemsize * (self.samples if varies else 1)
        shape, strides = grid.shape, tuple(stride * unit for stride in grid.strides)
        if varies:
            shape, strides = (*shape, self.samples), (*strides, file.itemsize)
        return np.ndarray(shape, self.dtype, file.data, grid.offset * unit, strides)

    def scratch(self, shape: Sequence[int]) -> Array:
        """An array for intermediate results."""
        return np.empty(tuple(shape), self.dtype)

    def wants(self, operand: Operand) -> bool:
        """Whether any of its registers is to get a gradient."""
        return bool(self.wanted[operand.varies][operand.index].any())

    def first_touch(self, varies: bool, registers: Any) -> bool:
        """Whether none of these gradients has been written yet; from now on they all have."""
        touched = self._touched[varies]
        first = not touched[registers].any()
        touched[registers] = True
        return first

    def contribute(
        self,
        operand: Operand,
        varies: bool,
        write: Callable[[Array], Sequence[Step]],
        holes: Array | None = None,
    ) -> None:
        """Let `write` say how to put an operand's gradient into an array, and see to it that it arrives.

        varies  whether that array has an axis of samples
        holes   where it holds nothing
        """
        grid = operand.grid
        direct = grid is not None and operand.varies == varies and _no_register_twice(grid)
        at_once = grid is not None and direct and self.first_touch(varies, operand.index)
        shape = (*operand.index.shape, self.samples) if varies else operand.index.shape
        target = self.view(self.gradients, grid, varies) if grid and at_once else self.scratch(shape)
        self.backwards += write(target)
        if holes is not None:  # 0 times infinity is not 0
            self.backwards.append(partial(np.putmask, target, np.broadcast_to(holes, shape), 0.0))
        if not at_once:
            self.pass_on(operand, target)

    def pass_on(self, operand: Operand, array: Array) -> None:
        """Add an array of contributions to the gradients of the operand's registers."""
        index, grid = operand.index, operand.grid
        over_samples = array.ndim > index.ndim and not operand.varies
        if grid is not None:
            repeated = [k for k in range(index.ndim) if grid.strides[k] == 0 and grid.shape[k] > 1]
            small = grid.without(repeated)
            if _no_register_twice(small):
                axes = (*repeated, index.ndim) if over_samples else tuple(repeated)
                target = self.view(self.gradients, small, operand.varies)
                first = self.first_touch(operand.varies, small.registers)
                self.backwards.append(_collect(array, axes, target, first))
                return
        if over_samples:
            total = self.scratch(index.shape)
            self.backwards.append(partial(np.add.reduce, array, index.ndim, None, total))
            array = total
        self.first_touch(operand.varies, index)
        self.backwards.append(_scatter(self.gradients[operand.varies], index, array))


def _no_register_twice(grid: Grid) -> bool:
    registers = grid.registers
    return registers.size == 1 or len(np.unique(registers)) == registers.size


def _collect(array: Array, axes: tuple[int, ...], target: Array, first: bool) -> Step:
    """Write or add an array, summed over some axes, to gradients."""
    if not axes:
        return partial(np.copyto, target, array) if first else partial(np.add, target, array, target)
    if first:
        return lambda: np.add.reduce(array, axes, out=target)
    total = np.empty_like(target, order="C")

    def reduce_and_add() -> None:
        np.add.reduce(array, axes, out=total)
        np.add(target, total, target)

    return reduce_and_add


def _scatter(file: Array, index: Ints, array: Array) -> Step:
    """Add entries to gradients anywhere, to some perhaps several times."""
    flat = index.ravel()
    shape = (len(flat), *file.shape[1:])
    registers, inverse, counts = np.unique(flat, return_inverse=True, return_counts=True)
    if len(registers) == len(flat):

        def add() -> None:
            file[flat] += array.reshape(shape)

        return add
    order = np.argsort(inverse, kind="stable")
    starts = np.cumsum(counts) - counts

    def add_sums() -> None:
        file[registers] += np.add.reduceat(array.reshape(shape)[order], starts, axis=0)

    return add_sums
