"""Operations on scalars: one line each.

    v[7] = v[3] * v[4] + W[0, 1]        dv[3] += dv[7] * v[4]; dv[4] += dv[7] * v[3]; dW[0, 1] += dv[7]

This room knows steps, readings and rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd.lifting.source.expressions import Expression, Shape, piece, total
from autograd.lifting.source.operations import Let, Pull, number_or_text, sections_of
from autograd.lifting.source.reader import Reader
from autograd.lifting.source.rules import partial, section_partials, value
from autograd.lifting.source.steps import ScalarStep
from autograd.primitives import Primitive


class ScalarOperation:
    """One line of the text, and those that bring its gradient back."""

    mask = fill = None

    def __init__(self, step: ScalarStep, reader: Reader, varies: bool) -> None:
        self.step, self._varies = step, varies
        self.out = np.array(step.out)
        self._shape: Shape = ("N",) if varies else ()
        self.readings = [reader.read(np.array(i), varies) for i in step.operands]

    def value(self) -> Expression:
        """The result."""
        operands, primitive = list(map(number_or_text, self.readings)), self.step.primitive
        if primitive is None:
            return total([piece(c * _product(factors)) for c, factors in self._terms(operands)])
        if primitive.arity is None:
            return value(primitive, self._sections(primitive, operands))
        return value(primitive, operands)

    def pull(self, d: Expression, y: Expression, let: Let) -> Iterator[Pull]:
        """For each operand its gradient; `let` gives a name to what several lines need."""
        operands, primitive = list(map(number_or_text, self.readings)), self.step.primitive
        if primitive is None:
            yield from self._pull_sum(d, operands)
        elif primitive.arity is None:
            partials = section_partials(primitive, y, self._sections(primitive, operands))
            rows = [row for one in partials for row in let(d * one)]
            for reading, row in zip(self.readings, rows, strict=True):
                yield Pull(reading, row, self._shape, False)
        else:
            for i, reading in enumerate(self.readings):
                if reading.arrays():
                    yield Pull(reading, d * partial(primitive, i, y, operands), self._shape, False)

    def _pull_sum(self, d: Expression, operands: Sequence[Any]) -> Iterator[Pull]:
        pairs = self.step.pairs
        for k, (coefficient, factors) in enumerate(self._terms(operands)):
            if k >= pairs:
                yield Pull(self.readings[pairs + k], coefficient * d, self._shape, False)
                continue
            for factor, other in ((k, factors[1]), (pairs + k, factors[0])):
                if self.readings[factor].arrays():
                    yield Pull(self.readings[factor], coefficient * d * other, self._shape, False)

    def _terms(self, operands: Sequence[Any]) -> Iterator[tuple[float, list[Any]]]:
        """Each term's coefficient, and its two factors or the term itself."""
        pairs = self.step.pairs
        for k, coefficient in enumerate(self.step.coefficients):
            yield coefficient, [operands[k], operands[pairs + k]] if k < pairs else [operands[pairs + k]]

    def _sections(self, primitive: Primitive, operands: Sequence[Any]) -> list[Expression]:
        size = len(operands) // sections_of(primitive)
        return [self._stacked(operands[k : k + size]) for k in range(0, len(operands), size)]

    def _stacked(self, operands: Sequence[Any]) -> Expression:
        pieces, places = list(map(piece, operands)), ", ".join(["{}"] * len(operands))
        if not self._varies:
            return Expression(f"np.array([{places}])", pieces, (len(pieces),))
        form = f"np.stack([np.broadcast_to(x, N) for x in ({places},)])"
        return Expression(form, pieces, (len(pieces), "N"))


def _product(factors: Sequence[Any]) -> Any:
    return factors[0] * factors[1] if len(factors) == 2 else factors[0]
