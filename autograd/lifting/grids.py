"""Arithmetic grids: sets of registers that an array can be a strided view of.

    registers              grid                                       as NumPy has it
    [4, 5, 6, 7, 8, 9]     offset 4, shape (6,), strides (1,)         file[4:10]
    [0, 2, 4, 1, 3, 5]     offset 0, shape (2, 3), strides (1, 2)     file[0:6].reshape(3, 2).T
    [7, 7, 8, 8]           offset 7, shape (2, 2), strides (1, 0)     each of two registers repeated

This room knows NumPy alone.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

ANY = -1  # in place of a register: whichever there is
_MOST_AXES = 5


class Grid(NamedTuple):
    """The registers offset + i·strides, for i below shape."""

    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def registers(self) -> Ints:
        """Which they are, in this shape."""
        return self.offset + sum(
            np.arange(size).reshape(-1, *[1] * (len(self.shape) - axis - 1)) * stride
            for axis, (size, stride) in enumerate(zip(self.shape, self.strides, strict=True))
        ) + np.zeros(self.shape, dtype=np.int64)  # fmt: skip

    def without(self, axes: Sequence[int]) -> Grid:
        """The first registers along these axes."""
        kept = [k for k in range(len(self.shape)) if k not in axes]
        return Grid(self.offset, tuple(self.shape[k] for k in kept), tuple(self.strides[k] for k in kept))


def fitted(registers: Ints) -> Grid | None:
    """The grid with these registers, axis by axis, if there is one; ANY may stand for what is not there.

    >>> fitted(np.array([[0, 2, 4], [1, 3, ANY]]))
    Grid(offset=0, shape=(2, 3), strides=(1, 2))
    """
    known = registers != ANY
    strides = []
    for axis in range(registers.ndim):
        here = registers.swapaxes(0, axis)
        both = known.swapaxes(0, axis)
        pairs = both[1:] & both[:-1]
        if registers.shape[axis] == 1:
            strides.append(0)
        elif not pairs.any():
            return None
        else:
            first = np.unravel_index(np.argmax(pairs), pairs.shape)
            strides.append(int(here[1:][first] - here[:-1][first]))
    first = np.unravel_index(np.argmax(known), known.shape)
    offset = int(registers[first]) - sum(int(i) * s for i, s in zip(first, strides, strict=True))
    grid = Grid(offset, registers.shape, tuple(strides))
    return grid if bool(((grid.registers == registers) | ~known).all()) else None


def factored(registers: Ints) -> Grid | None:
    """The grid that goes through this list of registers, of as few axes as it takes, if there is one.

    >>> factored(np.array([0, 2, 4, 1, 3, 5]))
    Grid(offset=0, shape=(2, 3), strides=(1, 2))
    """
    shape: list[int] = []
    strides: list[int] = []
    rest = registers
    while len(rest) > 1:
        step = rest[1] - rest[0]
        breaks = np.flatnonzero(np.diff(rest) != step)
        size = int(breaks[0]) + 1 if len(breaks) else len(rest)
        if len(rest) % size or len(shape) == _MOST_AXES:
            return None
        rows = rest.reshape(-1, size)
        if (rows != rows[:, :1] + step * np.arange(size)).any():
            return None
        shape.insert(0, size)
        strides.insert(0, int(step))
        rest = rows[:, 0]
    return Grid(int(registers[0]), tuple(shape) or (1,), tuple(strides) or (0,))


def common_shape(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...] | None:
    """A shape that grids of all these shapes, of one size, can be cut into.

    >>> common_shape([(6, 4), (24,), (2, 12)])
    (2, 3, 4)
    """
    borders = {1}
    for shape in shapes:
        borders |= set(accumulate(reversed(shape), operator.mul))
    steps = sorted(borders)
    if any(b % a for a, b in pairwise(steps)):
        return None
    return tuple(b // a for a, b in pairwise(steps))[::-1] or (1,)


def contiguous(begin: int, shape: Sequence[int]) -> Grid:
    """Registers side by side from `begin`, the last axis quickest.

    >>> contiguous(3, (2, 2))
    Grid(offset=3, shape=(2, 2), strides=(2, 1))
    """
    strides = [1]
    for size in reversed(shape[1:]):
        strides.insert(0, strides[0] * size)
    return Grid(begin, tuple(int(size) for size in shape), tuple(strides))
