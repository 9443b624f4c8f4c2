"""What the text says of an operation, forwards and backwards.

    a = np.tanh(z)                              dz += da * (1 - a * a)
    lse = np.log(np.sum(np.exp(z), axis=0))     dz += dlse * np.exp(z - lse)

This room knows steps, readings and rules.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd.lifting.source.expressions import Expression, Shape, filled
from autograd.lifting.source.reader import Reader
from autograd.lifting.source.readings import Number, Reading
from autograd.lifting.source.rules import FIRST, Axis, partial, section_partials, value
from autograd.lifting.source.steps import Step
from autograd.lifting.source.views import reshaped
from autograd.primitives import Primitive

Dims = tuple[int, ...]
Let = Callable[[Expression], Expression]


class Pull(NamedTuple):
    """The gradient by an operand, `piece` in the operation's `shape`; of which the operand may be a part.

    is_linear   whether it is 0 wherever the gradient by the results is, whatever the operands are
    """

    reading: Reading
    piece: Expression
    shape: Shape
    is_linear: bool


class Operation(ABC):
    """A step as it is written.

    out    the results, in the shape of the text
    shape  that, with samples
    mask   which of the results there are, if not all
    fill   what to put where there is none, if it matters
    """

    def __init__(self, step: Step, reader: Reader, dims: Dims) -> None:
        self.step, self.fill = step, step.fill
        self.out = step.out.reshape(dims)
        self.shape: Shape = (*dims, "N") if step.varies else dims
        self.mask = None if step.holes is None else reader.mask(~step.holes.reshape(dims), step.varies)

    @property
    @abstractmethod
    def readings(self) -> list[Reading]:
        """What it reads."""

    @abstractmethod
    def value(self) -> Expression:
        """The results."""

    @abstractmethod
    def pull(self, d: Expression, y: Expression, let: Let) -> Iterator[Pull]:
        """The gradient by each operand.

        d    the gradient by the results y
        let  gives a name to what several operands need
        """


class Application(Operation):
    """y = f(x, …) of a primitive: one result by its operands `terms`, or by any number of them in sections.

    last   whether any number of operands lie along a last axis instead of a first one
    """

    def __init__(
        self, step: Step, primitive: Primitive, reader: Reader, dims: Dims, last: bool = False
    ) -> None:
        super().__init__(step, reader, (*dims, 1) if last else dims)
        self.primitive = primitive
        self._axis = Axis(len(dims)) if last else FIRST
        self._sections: list[tuple[Reading, Shape]] = []
        self._terms = [reader.read(term.reshape(self.out.shape), step.varies) for term in step.terms]
        if step.stack is not None:
            for section in np.split(step.stack, sections_of(primitive)):
                rows = section.reshape(len(section), *dims)
                scalars = np.moveaxis(rows, 0, -1) if last else rows
                shape: Shape = (*scalars.shape, "N") if step.varies else scalars.shape
                self._sections.append((reader.read(scalars, step.varies), shape))

    @property
    def readings(self) -> list[Reading]:
        return [*self._terms, *[reading for reading, _ in self._sections]]

    def value(self) -> Expression:
        return filled(value(self.primitive, self._operands(), self._axis), self.shape)

    def pull(self, d: Expression, y: Expression, let: Let) -> Iterator[Pull]:
        operands = self._operands()
        if self._sections:
            partials = section_partials(self.primitive, y, operands, self._axis)
            for (reading, shape), one in zip(self._sections, partials, strict=True):
                yield Pull(reading, d * one, shape, False)
        for i, reading in enumerate(self._terms):
            if reading.arrays():
                slope = partial(self.primitive, i, y, operands)
                is_number = not isinstance(slope, Expression)
                yield Pull(reading, slope * d if is_number else d * slope, self.shape, is_number)

    def _operands(self) -> list[Any]:
        if self._sections:
            return [self._along_axis(reading.read(), shape) for reading, shape in self._sections]
        return [number_or_text(reading) for reading in self._terms]

    def _along_axis(self, x: Expression, shape: Shape) -> Expression:
        """With all its operands along their axis, even if they are the same."""
        axis, x = self._axis.number, with_all_axes(x, shape)
        return filled(x, (*x.shape[:axis], shape[axis], *x.shape[axis + 1 :]))


def sections_of(primitive: Primitive) -> int:
    """In how many parts of one length its operands come."""
    return 2 if primitive.name == "softmax_cross_entropy" else 1


def number_or_text(reading: Reading) -> Any:
    """What rules work on: a number as such, anything else as its text."""
    return reading.number if isinstance(reading, Number) else reading.read()


def with_all_axes(x: Expression, shape: Shape) -> Expression:
    """With axes of size 1 in front, as many as the shape has."""
    return reshaped(x, (1,) * (len(shape) - len(x.shape)) + tuple(x.shape)) if x.shape else x
