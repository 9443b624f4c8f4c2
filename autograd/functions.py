"""The primitives as functions: numbers in, a number out; any Value in, a Value out; arrays elementwise.

This room knows the table and `Value`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, overload

import numpy as np

from autograd.namespaces import ARRAY, SCALAR
from autograd.primitives import PRIMITIVES, Primitive
from autograd.value import Real, Value, as_value, real, record


class Unary(Protocol):
    """A function of one number, Value or array."""

    @overload
    def __call__(self, x: Value) -> Value: ...
    @overload
    def __call__(self, x: Real) -> float: ...
    @overload
    def __call__(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]: ...


def _unary(name: str) -> Unary:
    primitive = PRIMITIVES[name]

    def function(x: Any) -> Any:
        if isinstance(x, Value):
            return record(primitive, x)
        if not isinstance(x, np.ndarray):
            return primitive.value(SCALAR, real(x, f"operand of {name!r}"))
        if x.dtype == object:
            return np.frompyfunc(function, 1, 1)(x)
        with np.errstate(all="ignore"):
            return primitive.value(ARRAY, x)

    function.__name__ = name
    function.__doc__ = f"{primitive.symbol} of a number, a Value or an array; the row {name!r} of the table."
    return function


exp = _unary("exp")
log = _unary("log")
sqrt = _unary("sqrt")
tanh = _unary("tanh")
sigmoid = _unary("sigmoid")
relu = _unary("relu")
softplus = _unary("softplus")


def sum(xs: Iterable[Value | Real]) -> Any:
    """The sum of any number of operands as one node; 0.0 of none.

    >>> xs = [Value(1.0), Value(2.0), 3.0]
    >>> sum(xs).data
    6.0
    """
    return _apply(PRIMITIVES["sum"], list(xs))


def dot(ws: Iterable[Value | Real], xs: Iterable[Value | Real], bias: Value | Real = 0.0) -> Any:
    """w1·x1 + … + wn·xn + bias as one node, instead of 2n nodes.

    ws and xs have equal length n, else ValueError.

    >>> w, x = [Value(1.0), Value(2.0)], [3.0, 4.0]
    >>> y = dot(w, x, bias=0.5)
    >>> y.backward()
    >>> y.data, [wi.grad for wi in w]                # dy/dw = x
    (11.5, [3.0, 4.0])
    """
    ws, xs = list(ws), list(xs)
    if len(ws) != len(xs):
        raise ValueError(f"dot: expected as many weights as inputs, got {len(ws)} and {len(xs)}")
    return _apply(PRIMITIVES["dot"], [*ws, *xs, bias])


def logsumexp(xs: Iterable[Value | Real]) -> Any:
    """log(exp(x1) + … + exp(xn)) as one node, without overflow; ValueError of none.

    >>> logsumexp([1000.0, 1000.0])                  # 1000 + log 2
    1000.6931471805599
    """
    operands = list(xs)
    if not operands:
        raise ValueError("logsumexp: expected at least one operand, got none")
    return _apply(PRIMITIVES["logsumexp"], operands)


def softmax(xs: Iterable[Value | Real]) -> list[Any]:
    """exp(xi) / (exp(x1) + … + exp(xn)) for each operand, as exp(xi - logsumexp(xs)).

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    operands = list(xs)
    total = logsumexp(operands)
    return [exp(x - total) for x in operands]


def _apply(primitive: Primitive, operands: list[Any]) -> Any:
    if any(isinstance(x, Value) for x in operands):
        return record(primitive, *[as_value(x, primitive.name) for x in operands])
    return primitive.value(SCALAR, [real(x, f"operand of {primitive.name!r}") for x in operands])
