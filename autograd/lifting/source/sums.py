"""Sums of products and plain terms.

    s = (W ** 2).sum() + (b ** 2).sum()         dW += 2.0 * ds * W          db += 2.0 * ds * b
    s = x - y                                   dx += ds                    dy -= ds

The terms of a sum have no order: they are taken array by array.

This room knows operations.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.lifting.recording import Floats, Ints
from autograd.lifting.source.arrays import MOST, MOST_PARTS
from autograd.lifting.source.expressions import (
    Expression,
    Shape,
    filled,
    piece,
    quotient,
    raised,
    total,
)
from autograd.lifting.source.operations import Dims, Let, Operation, Pull, number_or_text
from autograd.lifting.source.reader import Reader
from autograd.lifting.source.readings import Number, Reading, summed
from autograd.lifting.source.steps import Step


@dataclass(eq=False, slots=True)
class Part:
    """Some terms of a sum, left * right or just left, in this shape; their sums have the result's.

    coefficient   of all of them, or of each
    """

    left: Reading
    right: Reading | None
    coefficient: float | Expression
    shape: Shape

    @property
    def readings(self) -> list[Reading]:
        return [self.left] if self.right is None or self.right is self.left else [self.left, self.right]

    def text(self, shape: Shape) -> Expression:
        """The terms' sum in the result's shape."""
        terms, count = self._terms(), self._count(shape)
        if isinstance(self.coefficient, Expression):
            return summed(self.coefficient * terms, self.shape, shape)
        if self.right is None and isinstance(self.left, Number):
            return piece(self.coefficient * self.left.number * count)
        if count == 1 and self.shape == shape:
            return self.coefficient * terms
        if count > 1 and self.coefficient == 1 / count:
            return summed(terms, self.shape, shape, by="mean")
        return self.coefficient * summed(terms, self.shape, shape)

    def pull(self, d: Expression, shape: Shape) -> Iterator[Pull]:
        """What reaches the factors, where d is the gradient by the result."""
        count = self._count(shape)
        if self.right is None:
            mean = count > 1 and self.coefficient == 1 / count
            yield Pull(self.left, quotient(d, count) if mean else self.coefficient * d, self.shape, True)
        elif self.right is self.left:
            yield Pull(self.left, 2.0 * self.coefficient * d * self.left.read(), self.shape, False)
        else:
            yield self._pull_factor(self.left, self.right, d)
            yield self._pull_factor(self.right, self.left, d)

    def _pull_factor(self, factor: Reading, other: Reading, d: Expression) -> Pull:
        if isinstance(other, Number) and not isinstance(self.coefficient, Expression):
            return Pull(factor, (self.coefficient * other.number) * d, self.shape, True)
        return Pull(factor, self.coefficient * d * other.read(), self.shape, False)

    def _terms(self) -> Expression:
        if self.right is None:
            return self.left.read()
        if self.right is self.left:
            return raised(self.left.read(), 2)
        return piece(number_or_text(self.left) * number_or_text(self.right))

    def _count(self, shape: Shape) -> int:
        """How many terms each result has."""
        sizes = [math.prod(n for n in s if isinstance(n, int)) for s in (self.shape, shape)]
        return sizes[0] // sizes[1]


class Sum(Operation):
    """A sum for each result; `last`: several terms lie along a last axis instead of a first one."""

    def __init__(self, step: Step, reader: Reader, dims: Dims, last: bool = False) -> None:
        super().__init__(step, reader, (*dims, 1) if last else dims)
        self._reader, self._dims, self._last = reader, dims, last
        self.parts: list[Part] = []
        if step.left is not None and step.right is not None:
            self._add([step.left, step.right], step.pair_coefficients)
        if step.stack is not None:
            self._add([step.stack], step.term_coefficients)
        for term, coefficient in zip(step.terms, step.term_coefficients, strict=False):
            self._add_part([term.reshape(1, -1)], np.array([coefficient]))

    @property
    def readings(self) -> list[Reading]:
        return [reading for part in self.parts for reading in part.readings]

    def value(self) -> Expression:
        return filled(total([part.text(self.shape) for part in self.parts]), self.shape)

    def pull(self, d: Expression, y: Expression, let: Let) -> Iterator[Pull]:
        for part in self.parts:
            yield from part.pull(d, self.shape)

    def _add(self, factors: list[Ints], coefficients: Floats) -> None:
        """Parts for these terms: a factor is (K, …)."""
        factors = [factor.reshape(len(factor), -1) for factor in factors]
        groups = self._groups(factors, coefficients)
        if len(groups) > (MOST_PARTS if factors[0].shape[1] == 1 else MOST):
            groups = [list(range(len(coefficients)))]
        for group in groups:
            group.sort(key=lambda k: int(self._reader.arrays.place[factors[0][k, 0]]))
            self._add_part([factor[group] for factor in factors], coefficients[group])

    def _groups(self, factors: list[Ints], coefficients: Floats) -> list[list[int]]:
        """The terms by the arrays that their factors are in, and by their coefficients."""
        found: dict[tuple[Any, ...], list[int]] = {}
        for k, coefficient in enumerate(coefficients.tolist()):
            key = [coefficient]
            for factor in factors:
                owners = self._reader.arrays.owner[factor[k]]
                key.append(int(owners[0]) if (owners == owners[0]).all() else (k,))
            found.setdefault(tuple(key), []).append(k)
        return list(found.values())

    def _add_part(self, factors: list[Ints], coefficients: Floats) -> None:
        shape, varies = self._part_shape(factors), self.step.varies
        same = len(factors) == 2 and np.array_equal(factors[0], factors[1])
        readings = [
            self._reader.read((factor.T if self._last else factor).reshape(shape), varies)
            for factor in (factors[:1] if same else factors)
        ]
        coefficient: float | Expression = float(coefficients[0])
        if (coefficients != coefficients[0]).any():
            behind = () if self._last else (1,) * len(self._dims)
            column = coefficients.reshape(-1, *behind, *(1,) * varies)
            coefficient = self._reader.constants.array(column, "weights")
        right = readings[0] if same else readings[1] if len(readings) == 2 else None
        self.parts.append(Part(readings[0], right, coefficient, (*shape, "N") if varies else shape))

    def _part_shape(self, factors: list[Ints]) -> Dims:
        """The shape to write terms (K, …) in: all of one result may have that of the array they are in."""
        count, size = factors[0].shape
        if size > 1 or self._dims:
            several = () if count == 1 and not self._last else (count,)
            return (*self._dims, *several) if self._last else (*several, *self._dims)
        arrays, draft = self._reader.arrays, self._reader.draft()
        shapes = [arrays.all[i].dims for factor in factors for i in arrays.of(factor)]
        shapes = [dims for dims in shapes if math.prod(dims) == count] + [(count,) if count > 1 else ()]
        costs = [
            sum(draft.read(factor.reshape(dims), self.step.varies).cost() for factor in factors)
            for dims in shapes
        ]
        return shapes[int(np.argmin(costs))]
