"""An operand as the text reads it, and the ways by which its gradient gets back to where it was read from.

    operand                            read as                        its gradient
    an array, or a view of it          z1[:, :2].T                    dz1[:, :2] += d.T
    one scalar, or rows, repeated      b1, which NumPy repeats        db1 += d.sum(axis=1, keepdims=True)
    entries picked here and there      z1[[0, 2], [1, 0]]             dz1[[0, 2], [1, 0]] += d
    arrays side by side                np.concatenate([z1, z2])       each gets its part of d
    some of it constant                np.where(mask1, z1, 0.0)       np.where(mask1, d, 0.0)

This room knows arrays, views and expressions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from autograd.lifting.source.arrays import Array
from autograd.lifting.source.constants import in_brackets
from autograd.lifting.source.expressions import (
    Expression,
    Shape,
    called,
    filled,
    named,
    piece,
    suffixed,
)
from autograd.lifting.source.views import View, element, indexed, reshaped


@dataclass(slots=True)
class Contribution:
    """What is to be added to an array's gradient.

    view     to where in it; None if `index` says so
    index    the places, as text
    repeats  whether some of them come several times
    """

    array: Array
    piece: Expression
    view: View | None
    index: str = ""
    repeats: bool = False


class Reading(ABC):
    """An operand. An axis of size 1 in its `shape` stands for all of its operation's."""

    shape: Shape

    @abstractmethod
    def read(self) -> Expression:
        """The text."""

    def cost(self) -> int:
        """How much there is to read."""
        return 0

    def arrays(self) -> list[Array]:
        """Where it reads."""
        return []

    def pull(self, d: Expression, shape: Shape) -> Iterator[Contribution]:
        """What arrives at the arrays, where d is the gradient by the operand in its operation's shape."""
        yield from ()


class Number(Reading):
    """The same number everywhere."""

    shape: Shape = ()

    def __init__(self, number: float) -> None:
        self.number = number

    def read(self) -> Expression:
        return piece(self.number)


class Data(Reading):
    """An array of numbers."""

    def __init__(self, text: Expression) -> None:
        self._text, self.shape = text, text.shape

    def cost(self) -> int:
        return 1

    def read(self) -> Expression:
        return self._text


class Viewed(Reading):
    """A view of an array."""

    def __init__(self, array: Array, view: View) -> None:
        self.array, self.view = array, view
        self.shape = view.read(named("", array.shape)).shape

    def cost(self) -> int:
        return self.view.cost

    def read(self) -> Expression:
        return self.view.read(self.array.value)

    def arrays(self) -> list[Array]:
        return [self.array]

    def pull(self, d: Expression, shape: Shape) -> Iterator[Contribution]:
        samples: Shape = ("N",) if self.array.varies else ()
        own = summed(d, shape, self.shape, keep=self.shape == self.array.shape)
        yield Contribution(self.array, self.view.brought_back(own, samples), self.view)


@dataclass(eq=False, slots=True)
class Picked(Reading):
    """Entries of an array anywhere, by an index."""

    array: Array
    index: str
    repeats: bool
    shape: Shape
    rows: bool  # whether it is an index of whole rows

    def cost(self) -> int:
        return 6 if self.rows else 8

    def read(self) -> Expression:
        return suffixed(self.array.value, in_brackets(self.index), self.shape)

    def arrays(self) -> list[Array]:
        return [self.array]

    def pull(self, d: Expression, shape: Shape) -> Iterator[Contribution]:
        own = summed(d, shape, self.shape)
        yield Contribution(self.array, own, None, self.index, self.repeats)


@dataclass(eq=False, slots=True)
class Joined(Reading):
    """Operands of some `sizes` one after the other along an axis."""

    axis: int
    parts: list[Reading]
    sizes: list[int]
    shape: Shape

    def cost(self) -> int:
        return 5 + sum(part.cost() for part in self.parts)

    def read(self) -> Expression:
        texts = [filled(part.read(), self._shape(n)) for part, n in zip(self.parts, self.sizes, strict=True)]
        axis = f", axis={self.axis}" if self.axis else ""
        return Expression(f"np.concatenate([{_places(texts)}]{axis})", texts, self.shape)

    def _shape(self, size: int) -> Shape:
        return (*self.shape[: self.axis], size, *self.shape[self.axis + 1 :])

    def arrays(self) -> list[Array]:
        return [array for part in self.parts for array in part.arrays()]

    def pull(self, d: Expression, shape: Shape) -> Iterator[Contribution]:
        own, begin = summed(d, shape, self.shape), 0
        for part, size in zip(self.parts, self.sizes, strict=True):
            entries = [*[slice(None)] * self.axis, slice(begin, begin + size)]
            yield from part.pull(indexed(own, entries), self._shape(size))
            begin += size


@dataclass(slots=True)
class Route:
    """Which entries of an operand come from an array, as text; and their index in the array."""

    array: Array
    entries: str
    index: str
    repeats: bool


@dataclass(eq=False, slots=True)
class Pooled(Reading):
    """Entries anywhere in several arrays: `index` has them in all these arrays laid side by side."""

    routes: list[Route]
    index: str
    shape: Shape

    def cost(self) -> int:
        return 12

    def read(self) -> Expression:
        flat = []
        for array in self.arrays():
            size = array.scalars.size
            row = reshaped(array.value, (size, "N") if array.varies else (size,))
            if not array.varies and "N" in self.shape:
                row = filled(reshaped(row, (size, 1)), (size, "N"))
            flat.append(row)
        return Expression(f"np.concatenate([{_places(flat)}]){in_brackets(self.index)}", flat, self.shape)

    def arrays(self) -> list[Array]:
        return [route.array for route in self.routes]

    def pull(self, d: Expression, shape: Shape) -> Iterator[Contribution]:
        own = summed(d, shape, self.shape)
        samples: Shape = ("N",) if "N" in self.shape else ()
        for route in self.routes:
            part = suffixed(own, in_brackets(route.entries), ("M", *samples))  # M entries
            if samples and not route.array.varies:
                part = suffixed(part, ".sum(axis=1)", ("M",))
            if route.array.dims:
                yield Contribution(route.array, part, None, route.index, route.repeats)
            else:
                whole = suffixed(part, ".sum(axis=0)", route.array.shape)
                yield Contribution(route.array, whole, element((), 0))


@dataclass(eq=False, slots=True)
class Masked(Reading):
    """One operand where the mask says so, numbers elsewhere."""

    mask: Expression
    there: Reading
    elsewhere: Reading
    shape: Shape

    def cost(self) -> int:
        return 5 + self.there.cost()

    def read(self) -> Expression:
        return called("np.where", self.mask, self.there.read(), self.elsewhere.read())

    def arrays(self) -> list[Array]:
        return self.there.arrays()

    def pull(self, d: Expression, shape: Shape) -> Iterator[Contribution]:
        yield from self.there.pull(called("np.where", self.mask, d, 0.0), shape)


def _places(texts: list[Expression]) -> str:
    return ", ".join(["{}"] * len(texts))


def summed(d: Expression, shape: Shape, own: Shape, keep: bool = True, by: str = "sum") -> Expression:
    """An array in an operation's shape, summed over the axes along which an operand is repeated.

    own   the operand's shape; without `keep`, the axes that are summed over are left out
    by    "mean" for the mean over these axes
    """
    if d.is_negative:
        return -summed(-d, shape, own, keep, by)
    d = filled(d, shape)
    if own == ():
        return suffixed(d, f".{by}()", ()) if shape else d
    ahead = len(shape) - len(own)
    padded = (1,) * ahead + tuple(own)
    axes = [k for k, (a, b) in enumerate(zip(shape, padded, strict=True)) if b == 1 != a]
    if axes:
        keeps = keep and min(axes) >= ahead
        which = f"axis={axes[0] if len(axes) == 1 else tuple(axes)}" + ", keepdims=True" * keeps
        left = [1 if k in axes else size for k, size in enumerate(shape) if keeps or k not in axes]
        d = suffixed(d, f".{by}({which})", tuple(left))
    return reshaped(d, own) if keep else d
