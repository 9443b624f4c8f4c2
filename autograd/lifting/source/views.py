"""How to reach some places of an array by reshaping, slicing and transposing it, as a person would.

    array (6, 4)      places wanted                         as NumPy has it
                      all of them, columns as rows          a.T
                      of each row the first two             a[:, :2]
                      2 x 3 rows, regrouped                 a.reshape(2, 3, 4).transpose(1, 0, 2)
    array (337,)      0 1 3 4 6 7 ... as (16, 2)            a[0:48].reshape(16, 3)[:, :2]

Places are counted as NumPy counts them, along the last axis first. An array may have an axis of samples
behind the others, which is always taken whole.

This room knows grids and expressions.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from autograd.lifting.grids import ANY, Grid, common_shape, factored, fitted
from autograd.lifting.recording import Ints
from autograd.lifting.source.expressions import Expression, Shape, filled, shape_text, suffixed, transposed

Dims = tuple[int, ...]
Entry = int | slice | None


@dataclass(frozen=True, slots=True)
class View:
    """Steps from an array to some of its places; shapes are those without samples.

    dims     the array's shape
    window   which of its places to look at, if not all
    radix    the shape to give those
    entries  what to take along each axis of that
    order    of the axes that are left
    grid     their sizes, in this order
    shape    to give them at the end
    """

    dims: Dims
    window: slice | None
    radix: Dims
    entries: tuple[int | slice, ...]
    order: Dims
    grid: Dims
    shape: Dims

    @property
    def is_whole(self) -> bool:
        """Whether it reaches all of the array."""
        return math.prod(self.grid) == math.prod(self.dims)

    @property
    def is_plain(self) -> bool:
        """Whether it is the array itself, but for axes of size 1 in front."""
        same = len(self.dims) <= len(self.shape) and _bare(self.shape) == _bare(self.dims)
        return same and self.is_whole and self._keeps_order

    @property
    def reshapes(self) -> bool:
        """Whether it has to look at the array in another shape before it takes from it."""
        return self.window is not None or self.radix != self.dims

    @property
    def cost(self) -> int:
        """How much there would be to read."""
        if self.is_plain:
            return 0
        regrouped = _without_ones(self.shape) != self.grid
        return 1 + 2 * self.reshapes + 2 * (not self._keeps_order) + 2 * regrouped

    @property
    def _keeps_order(self) -> bool:
        return self.order == tuple(sorted(self.order))

    def read(self, array: Expression) -> Expression:
        """The text for an array of this shape."""
        if self.is_plain:
            return array
        samples = array.shape[len(self.dims) :]
        if self._keeps_order and _without_ones(self.shape) == self.grid:
            if self.is_whole:
                return reshaped(array, (*_bare(self.shape), *samples))
            return indexed(self._looked_at(array, samples), self._entries_with_new_axes())
        taken = indexed(self._looked_at(array, samples), self.entries)
        return reshaped(transposed(taken, self._whole_order(samples)), (*self.shape, *samples))

    def target(self, array: Expression) -> Expression:
        """The text as far as it can be assigned to; of all of the array, the array."""
        samples = array.shape[len(self.dims) :]
        if self.is_whole:
            return array
        if self._takes_window:
            return self._windowed(array, samples)
        return indexed(self._looked_at(array, samples), self.entries)

    @property
    def _takes_window(self) -> bool:
        return self.window is not None and math.prod(self.grid) == math.prod(self.radix)

    def _windowed(self, array: Expression, samples: Shape) -> Expression:
        if self.window is None:
            return array
        text = f"[{self.window.start}:{self.window.stop}]"
        return suffixed(array, text, (self.window.stop - self.window.start, *samples))

    def _looked_at(self, array: Expression, samples: Shape) -> Expression:
        return reshaped(self._windowed(array, samples), (*self.radix, *samples))

    def _entries_with_new_axes(self) -> list[Entry]:
        entries: list[Entry] = []
        rest = list(self.entries)
        for size in _bare(self.shape):
            if size == 1:
                entries.append(None)
                continue
            while not isinstance(rest[0], slice):
                entries.append(rest.pop(0))
            entries.append(rest.pop(0))
        return entries + rest

    def _whole_order(self, samples: Shape) -> Dims:
        return (*self.order, *range(len(self.order), len(self.order) + len(samples)))

    def brought_back(self, array: Expression, samples: Shape) -> Expression:
        """What to assign to the target, of an array of the view's own axes without those of size 1."""
        if self.is_plain:
            return reshaped(array, (*self.dims, *samples))
        array = reshaped(array, (*self.grid, *samples))
        array = transposed(array, np.argsort(self._whole_order(samples)).tolist())
        if self.is_whole or self._takes_window:
            shape = self.dims if self.is_whole else (math.prod(self.grid),)
            return reshaped(array, (*shape, *samples))
        return array


def view(dims: Dims, places: Ints) -> View | None:
    """The view of an array of this shape that has these places, some of which may be ANY; None if none has.

    >>> from autograd.lifting.source.expressions import named
    >>> print(view((6, 4), np.array([[0, 4, 8], [1, 5, 9]])).read(named("a", (6, 4))))
    a[:3, :2].T
    """
    grid = _grid(places.squeeze())
    if grid is None or not all(stride > 0 for stride in grid.strides):
        return None
    if grid.offset < 0 or grid.offset + _reach(grid) >= math.prod(dims):
        return None
    for window, radix in _radices(dims, grid):
        offset = grid.offset - (window.start if window is not None else 0)
        fit = _entries(radix, offset, grid)
        if fit is not None:
            return View(dims, window, radix, *fit, grid.shape, places.shape)
    return None


def element(dims: Dims, place: int) -> View:
    """The view of a single entry."""
    entries = tuple(map(int, np.unravel_index(place, dims))) if dims else ()
    return View(dims, None, dims, entries, (), (), ())


def _grid(wanted: Ints) -> Grid | None:
    grid = fitted(wanted)
    if grid is not None or (wanted == ANY).any():
        return grid
    parts = factored(wanted.ravel())
    shape = None if parts is None else common_shape([parts.shape, wanted.shape])
    return None if shape is None else fitted(wanted.reshape(shape))


def _reach(grid: Grid) -> int:
    return sum((size - 1) * stride for size, stride in zip(grid.shape, grid.strides, strict=True))


def _radices(dims: Dims, grid: Grid) -> Iterator[tuple[slice | None, Dims]]:
    """Shapes in which the grid may be a slice along each axis, the simplest first."""
    yield None, dims
    size = math.prod(dims)
    span = max((n * stride for n, stride in zip(grid.shape, grid.strides, strict=True)), default=1)
    inner = _between({1, span, *grid.strides})
    if inner is not None and span < size and len(dims) == 1:
        begin = min(grid.offset, size - span)
        yield slice(begin, begin + span), inner
    borders = {1, size, *accumulate(reversed(dims), operator.mul)}
    ends = {size * stride for size, stride in zip(grid.shape, grid.strides, strict=True)}
    strides = set(grid.strides)
    for steps in (
        borders | strides,
        borders | strides | ends,
        {1, size} | strides,
        {1, size} | strides | ends,
    ):
        refined = _between(steps)
        if refined is not None and refined != dims:
            yield None, refined


def _between(borders: set[int]) -> Dims | None:
    """The shape whose axes begin and end at these strides."""
    steps = sorted(borders)
    if any(b % a for a, b in pairwise(steps)):
        return None
    return tuple(b // a for a, b in pairwise(steps))[::-1]


def _entries(radix: Dims, offset: int, grid: Grid) -> tuple[tuple[int | slice, ...], Dims] | None:
    """What to take along each axis, and the order in which the grid has these axes; None if it is no fit."""
    units = [math.prod(radix[k + 1 :]) for k in range(len(radix))]
    digits = [(offset // unit) % size for unit, size in zip(units, radix, strict=True)]
    entries: list[int | slice] = list(digits)
    axes: list[int] = []
    for size, stride in zip(grid.shape, grid.strides, strict=True):
        k = next(k for k, unit in enumerate(units) if unit <= stride and radix[k] > 1)
        step = stride // units[k]
        end = digits[k] + step * (size - 1) + 1
        if stride % units[k] or k in axes or end > radix[k]:
            return None
        entries[k] = slice(digits[k], end, step)
        axes.append(k)
    return tuple(entries), tuple(sorted(axes).index(k) for k in axes)


# ---- steps as text


def reshaped(array: Expression, shape: Shape) -> Expression:
    """In another shape: by an index where only axes of size 1 come or go."""
    if array.shape == shape:
        return array
    if not array.shape:
        return filled(array, shape)  # a Python float has no index
    if _without_ones(array.shape) == _without_ones(shape):
        entries = _ones_moved(array.shape, shape)
        if entries is not None:
            return indexed(array, entries)
    text = str(shape[0]) if len(shape) == 1 else shape_text(shape)[1:-1]
    return suffixed(array, f".reshape({text})", shape)


def _ones_moved(before: Shape, after: Shape) -> tuple[Entry, ...] | None:
    """The index that drops axes of size 1 and makes new ones."""
    entries: list[Entry] = []
    rest = list(before)
    for size in after:
        if rest and rest[0] == size:
            entries.append(slice(None))
            rest.pop(0)
        elif size == 1:
            entries.append(None)
        else:
            while rest and rest[0] == 1:
                entries.append(0)
                rest.pop(0)
            if not rest or rest[0] != size:
                return None
            entries.append(slice(None))
            rest.pop(0)
    return (*entries, *[0] * len(rest)) if all(size == 1 for size in rest) else None


def indexed(array: Expression, entries: Sequence[Entry]) -> Expression:
    """Entries taken along the first axes."""
    shape: list[int | str] = []
    texts = []
    sizes = iter(array.shape)
    for entry in entries:
        if entry is None:
            shape.append(1)
            texts.append("None")
            continue
        size = next(sizes)
        if isinstance(entry, slice) and isinstance(size, int):
            shape.append(len(range(*entry.indices(size))))
            texts.append(_entry(entry, size))
        elif isinstance(entry, slice):
            shape.append(size)
            texts.append(":")
        else:
            texts.append(str(entry))
    shape += sizes
    while texts and texts[-1] == ":":
        texts.pop()
    return suffixed(array, f"[{', '.join(texts)}]", tuple(shape)) if texts else array


def _entry(entry: slice, size: int) -> str:
    begin, end, step = entry.start or 0, entry.stop, entry.step or 1
    if begin == 0 and end in (None, size):
        return ":" if step == 1 else f"::{step}"
    return f"{begin or ''}:{end}" + (f":{step}" if step > 1 else "")


def _without_ones(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)


def _bare(shape: Dims) -> Dims:
    """Without axes of size 1 in front."""
    first = next((k for k, size in enumerate(shape) if size != 1), len(shape))
    return shape[first:]
