"""Rows of the table written again in place, where measuring shows that it pays; tests hold each to its row.

A rule allocates its intermediate results and starts from nothing; going backwards it does not know what going
forwards has computed. In a small program, where a call costs half a microsecond, that is most of the time:

    relu          np.where of two conditions     maximum, and the sign of the value as derivative
    power         ∂ with a case for n = 0        n xⁿ⁻¹, for a number n
    logsumexp     exp(x - y), computed anew      the exponentials of the value, over their sum

This room knows NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Step = Callable[[], Any]
Pull = Callable[[int, Array, Array], list[Step]]  # which operand, the results' gradient, where to put its own


def kernel(name: str, operands: Sequence[Any], y: Array) -> tuple[list[Step], Pull] | None:
    """The calls that compute y, and what gives those of the derivatives; None: as the table has it.

    operands   arrays that broadcast to y's shape, or numbers; of an operation of any number of operands one
               array of them all, along its first axis
    """
    if name == "relu":
        return _relu(operands[0], y)
    if name == "power" and isinstance(operands[1], float) and operands[1] != 0.0:
        return _power(operands[0], operands[1], y)
    if name == "logsumexp":
        return _logsumexp(np.asarray(operands), y)
    return None


def _relu(x: Array, y: Array) -> tuple[list[Step], Pull]:
    def maximum() -> None:
        np.maximum(x, 0.0, out=y)
        np.add(y, 0.0, y)  # which zero maximum(-0.0, 0.0) is depends on the processor

    def pull(_: int, dy: Array, dx: Array) -> list[Step]:
        sign = np.empty_like(y)  # 1, 0 or nan, as the derivative is
        return [partial(np.sign, y, sign), partial(np.multiply, dy, sign, dx)]

    return [maximum], pull


def _power(x: Array, n: float, y: Array) -> tuple[list[Step], Pull]:
    def pull(_: int, dy: Array, dx: Array) -> list[Step]:
        slope = np.empty_like(y)
        return [
            partial(np.power, x, n - 1, slope),
            partial(np.multiply, slope, n, slope),
            partial(np.multiply, dy, slope, dx),
        ]

    return [partial(np.power, x, n, y)], pull


def _logsumexp(xs: Array, y: Array) -> tuple[list[Step], Pull]:
    exponentials = np.empty((len(xs), *y.shape), y.dtype)
    top, total, share = np.empty_like(y), np.empty_like(y), np.empty_like(y)
    unbounded = np.empty(y.shape, dtype=bool)

    def value() -> None:
        np.maximum.reduce(xs, 0, out=top)
        np.isinf(top, unbounded)
        np.putmask(top, unbounded, 0.0)  # infinity less infinity would be nan
        np.subtract(xs, top, exponentials)
        np.exp(exponentials, exponentials)
        np.add.reduce(exponentials, 0, out=total)
        np.log(total, y)
        np.add(y, top, y)

    def pull(_: int, dy: Array, dxs: Array) -> list[Step]:
        nothing = np.empty(y.shape, dtype=bool)

        def softmax() -> None:
            np.equal(total, 0.0, nothing)
            np.divide(dy, total, share)
            np.putmask(share, nothing, 0.0)  # of operands that are all -inf
            np.multiply(exponentials, share, dxs)

        return [softmax]

    return [value], pull
