"""Matrix products.

    z = W @ a + b                               dW += dz @ a.T              da += W.T @ dz
    s = np.einsum("bkr,bkc->brc", q, k)         dq += np.einsum("brc,bkc->bkr", ds, k), ...

Where samples are columns, or where there are none, `@` says it; einsum says everything else, with the letters
batch, row, column, k, and n for samples.

This room knows operations.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograd.lifting.recording import Floats, Ints
from autograd.lifting.source.expressions import Expression, Shape, filled, named, total, transposed
from autograd.lifting.source.operations import Let, Operation, Pull, with_all_axes
from autograd.lifting.source.reader import Reader
from autograd.lifting.source.readings import Reading
from autograd.lifting.source.steps import Step
from autograd.lifting.source.sums import Part
from autograd.lifting.source.views import reshaped


class Product(Operation):
    """Z = L R, and plain terms."""

    def __init__(self, step: Step, left: Ints, right: Ints, reader: Reader) -> None:
        super().__init__(step, reader, step.out.shape)
        self.left, self._left_shape = _factor(reader, left, "constant")
        self.right, self._right_shape = _factor(reader, right, "X")
        self._coefficient, self._weights = _coefficients(step.pair_coefficients, self._left_shape, reader)
        self._terms = [
            Part(reader.read(term, step.varies), None, float(c), self.shape)
            for term, c in zip(step.terms, step.term_coefficients, strict=True)
        ]
        samples = ["N" in shape for shape in (self._left_shape, self._right_shape)]
        self._is_matmul = not step.varies or (step.axes == "r" and samples == [False, True])

    @property
    def readings(self) -> list[Reading]:
        return [self.left, self.right, *[term.left for term in self._terms]]

    def value(self) -> Expression:
        left, right = self._factors()
        terms = [term.text(self.shape) for term in self._terms]
        return filled(total([self._coefficient * self._product(left, right), *terms]), self.shape)

    def pull(self, d: Expression, y: Expression, let: Let) -> Iterator[Pull]:
        left, right = self._factors()
        scaled = let(self._coefficient * d) if self._coefficient != 1.0 else d
        if self._is_matmul:
            by_left, by_right = scaled @ right.T, left.T @ scaled
        else:
            a, b, out = self._letters()
            by_left = _einsum(out, b, a, scaled, right, left)
            by_right = _einsum(a, out, b, left, scaled, right)
        if self._weights is not None:
            by_left = by_left * self._weights
        yield Pull(self.left, by_left, self._left_shape, True)
        yield Pull(self.right, by_right, self._right_shape, True)
        for term in self._terms:
            yield from term.pull(d, self.shape)

    def _factors(self) -> tuple[Expression, Expression]:
        left = filled(with_all_axes(self.left.read(), self._left_shape), self._left_shape)
        right = filled(with_all_axes(self.right.read(), self._right_shape), self._right_shape)
        return left if self._weights is None else left * self._weights, right

    def _letters(self) -> tuple[str, str, str]:
        axes, samples = (
            self.step.axes,
            ["n" if "N" in s else "" for s in (self._left_shape, self._right_shape)],
        )
        return f"{axes.replace('c', '')}k{samples[0]}", f"{axes.replace('r', 'k')}{samples[1]}", f"{axes}n"

    def _product(self, left: Expression, right: Expression) -> Expression:
        if self._is_matmul:
            return left @ right
        a, b, out = self._letters()
        if "n" in a + b:
            return _einsum(a, b, out, left, right, named("", self.shape))
        product = _einsum(a, b, self.step.axes, left, right, named("", self.out.shape))
        return reshaped(product, (*product.shape, 1))  # only the terms vary


def _factor(reader: Reader, scalars: Ints, stem: str) -> tuple[Reading, Shape]:
    varies = bool(reader.known.varies[scalars].any())
    return reader.read(scalars, varies, stem), (*scalars.shape, "N") if varies else scalars.shape


def _coefficients(coefficients: Floats, left_shape: Shape, reader: Reader) -> tuple[float, Expression | None]:
    """A number for all pairs; or 1, and a row of numbers that the left factor is multiplied by."""
    if (coefficients == coefficients[0]).all():
        return float(coefficients[0]), None
    row = coefficients.reshape(-1, 1) if "N" in left_shape else coefficients
    return 1.0, reader.constants.array(row, "weights")


def _einsum(a: str, b: str, out: str, left: Expression, right: Expression, like: Expression) -> Expression:
    """The product by letters, of the shape of `like`; letters take the place of transposing."""
    a, left = _untransposed(a, left)
    b, right = _untransposed(b, right)
    order = like.order or tuple(range(len(out)))
    back = np.argsort(order).tolist()
    letters, shape = "".join(out[k] for k in back), tuple(like.shape[k] for k in back)
    return transposed(Expression(f'np.einsum("{a},{b}->{letters}", {{}}, {{}})', (left, right), shape), order)


def _untransposed(letters: str, x: Expression) -> tuple[str, Expression]:
    if x.order is None:
        return letters, x
    return "".join(letters[k] for k in np.argsort(x.order)), x.operands[0]
