"""How to read scalars, as simply as can be.

    all in one array, on a grid            a view
    all in one array                       entries picked from it; or whole rows
    in one array after the other           arrays side by side
    in any of several                      entries picked from all of them
    constants among them                   a mask, and their numbers

This room knows arrays, constants and readings.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.lifting.blocks import NOTHING
from autograd.lifting.grids import ANY
from autograd.lifting.recording import Ints, the_one
from autograd.lifting.registers import Booleans
from autograd.lifting.source.arrays import MOST, Array, Arrays
from autograd.lifting.source.constants import Constants
from autograd.lifting.source.expressions import Expression, Shape, broadcast
from autograd.lifting.source.readings import (
    Data,
    Joined,
    Masked,
    Number,
    Picked,
    Pooled,
    Reading,
    Route,
    Viewed,
)
from autograd.lifting.source.views import element, view


class Reader:
    """Finds readings of scalars, given by their numbers in an operation's shape without samples."""

    def __init__(self, arrays: Arrays, constants: Constants) -> None:
        self.arrays, self.constants = arrays, constants
        self.known = arrays.known

    def draft(self) -> Reader:
        """A reader to try something with."""
        return Reader(self.arrays, self.constants.draft())

    def read(self, scalars: Ints, varies: bool, stem: str = "constant") -> Reading:
        """The reading of these scalars, some of which may be ANY.

        varies  whether the operation has samples
        stem    what to call them if they are numbers
        """
        there = scalars != ANY
        constant = there & self.known.constant[scalars]
        if not (there & ~constant).any():
            return self._numbers(scalars, constant, varies, stem)
        owners = self.arrays.of(scalars)
        if len(owners) == 1 and not constant.any():
            return self._of_one(self.arrays.all[owners[0]], scalars, varies)
        joined = self._joined(scalars, constant, varies)
        if joined is not None:
            return joined
        if constant.any():
            return self._masked(scalars, constant, varies)
        return self._pooled([self.arrays.all[i] for i in owners], scalars, varies)

    def mask(self, mask: Booleans, varies: bool) -> Expression:
        """The text of a mask of an operation's shape."""
        return self.constants.mask(once(mask), varies)

    # ---- constants

    def _numbers(self, scalars: Ints, constant: Booleans, varies: bool, stem: str) -> Reading:
        data = self.known.data[scalars[constant]]
        if not data.size:
            return Number(0.0)
        number = math.nan if np.isnan(data).all() else the_one(data)
        if number is not None:
            return Number(number)
        small = once(np.where(constant, self.known.data[scalars], 0.0))
        return Data(self.constants.array(small[..., None] if varies else small, stem))

    def _masked(self, scalars: Ints, constant: Booleans, varies: bool) -> Reading:
        there = self.read(np.where(constant, ANY, scalars), varies)
        elsewhere = self._numbers(scalars, constant, varies, "constant")
        mask = self.mask(~constant, varies)
        return Masked(mask, there, elsewhere, broadcast(mask.shape, there.shape, elsewhere.shape))

    # ---- one array

    def _of_one(self, array: Array, scalars: Ints, varies: bool) -> Reading:
        if scalars.ndim == 0:
            return Viewed(array, element(array.dims, int(self.arrays.place[scalars])))
        places = once(np.where(scalars == ANY, ANY, self.arrays.place[scalars]))
        if varies and not array.varies:
            places = places[..., None]
        found = view(array.dims, places)
        return self._picked(array, places) if found is None else Viewed(array, found)

    def _picked(self, array: Array, places: Ints) -> Reading:
        places = np.where(places == ANY, places.max(), places)
        repeats = len(np.unique(places)) < places.size
        rows = _rows(places, array.dims)
        index = np.unravel_index(places, array.dims) if rows is None else [rows]
        shape: Shape = (*places.shape, "N") if array.varies else places.shape
        return Picked(array, self.constants.index(index), repeats, shape, rows is not None)

    # ---- several

    def _joined(self, scalars: Ints, constant: Booleans, varies: bool) -> Reading | None:
        """Stretches along an axis, each of one array or constant; None where there are none, or too many."""
        owners = np.where(constant, len(self.arrays.all), self.arrays.owner[scalars])
        owners[scalars == ANY] = NOTHING
        for axis, length in enumerate(scalars.shape):
            lines = np.moveaxis(owners, axis, 0).reshape(length, -1)
            first = lines.max(axis=1)
            borders = [0, *(np.flatnonzero(np.diff(first)) + 1).tolist(), length]
            if ((lines == first[:, None]) | (lines == NOTHING)).all() and 2 < len(borders) <= MOST + 1:
                stretches = [range(a, b) for a, b in pairwise(borders)]
                parts = [self.read(scalars.take(stretch, axis), varies) for stretch in stretches]
                return _side_by_side(parts, [len(s) for s in stretches], axis, scalars.ndim + varies)
        return None

    def _pooled(self, arrays: list[Array], scalars: Ints, varies: bool) -> Reading:
        scalars = once(scalars)
        samples = any(array.varies for array in arrays)
        if varies and not samples:
            scalars = scalars[..., None]
        index = np.zeros_like(scalars)
        routes, begin = [], 0
        for array in arrays:
            mine = np.isin(scalars, array.scalars)
            places = self.arrays.place[scalars[mine]]
            index[mine] = begin + places
            begin += array.scalars.size
            entries = self.constants.index(np.nonzero(mine))
            theirs = self.constants.index(np.unravel_index(places, array.dims)) if array.dims else ""
            routes.append(Route(array, entries, theirs, len(np.unique(places)) < len(places)))
        return Pooled(routes, self.constants.index([index]), (*index.shape, "N") if samples else index.shape)


def once(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One entry along the axes along which nothing changes; ANY, among integers, is like the others."""
    for axis in range(array.ndim):
        first = array.max(axis=axis, keepdims=True)
        anything = (array == ANY) & (array.dtype.kind == "i")
        same = (array == first) & (np.signbit(array) == np.signbit(first))  # 0 and -0 are two numbers
        if array.shape[axis] > 1 and (same | anything).all():
            array = first
    return array


def _rows(places: Ints, dims: tuple[int, ...]) -> Ints | None:
    """Which rows of a matrix these places are, if they are rows."""
    if len(dims) != 2 or places.ndim < 2 or places.shape[-1] != dims[1]:
        return None
    rows: Ints = places[..., 0] // dims[1]
    return rows if (places == rows[..., None] * dims[1] + np.arange(dims[1])).all() else None


def _side_by_side(parts: list[Reading], sizes: list[int], axis: int, ndim: int) -> Joined:
    shapes = []
    for part in parts:
        shape = (1,) * (ndim - len(part.shape)) + tuple(part.shape)
        shapes.append((*shape[:axis], 1, *shape[axis + 1 :]))
    whole = broadcast(*shapes)
    return Joined(axis, parts, sizes, (*whole[:axis], sum(sizes), *whole[axis + 1 :]))
