"""THE table: every differentiable operation, one row each; every rule of differentiation, once.

A row's rules are written over a namespace `m` (see `namespaces`), so that one row serves Python floats and
NumPy arrays alike. `value(m, *operands)` is the operation; `partials[i](m, y, *operands)` is its partial
derivative by operand i, where y is the value: tanh' = 1 - y² needs nothing else. An operation of any number
of operands (`arity` None) takes them as one sequence, and its single rule returns all partials at once.

This room knows nothing of the project but the namespaces' names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Rule = Callable[..., Any]
Interval = tuple[float, float]

REAL: Interval = (-1e3, 1e3)
POSITIVE: Interval = (1e-6, 1e3)
EXPONENT: Interval = (-8.0, 8.0)


@dataclass(frozen=True, slots=True)
class Primitive:
    """One differentiable operation.

    name      as NumPy has it, where NumPy has it: "multiply"
    symbol    for graphs and formulas: "×"
    arity     number of operands; None: any number
    value     value(m, *operands); with arity None value(m, operands)
    partials  one rule per operand; with arity None a single rule for all
    domain    an open interval for each operand within which value and partials are finite and smooth, apart
              from kinks: where tests draw their operands; with arity None one interval for all
    kinks     operands of a unary operation at which its derivative jumps

    >>> from autograd.namespaces import SCALAR
    >>> PRIMITIVES["multiply"].partials[0](SCALAR, 6.0, 2.0, 3.0)      # d(xy)/dx = y
    3.0
    """

    name: str
    symbol: str
    arity: int | None
    value: Rule
    partials: tuple[Rule, ...]
    domain: tuple[Interval, ...]
    kinks: tuple[float, ...] = ()

    def evaluate(self, m: Any, operands: Any) -> Any:
        """The operation's value on a sequence of operands."""
        return self.value(m, operands) if self.arity is None else self.value(m, *operands)

    def differentiate(self, m: Any, y: Any, operands: Any) -> tuple[Any, ...]:
        """Every partial derivative, in the operands' order; y is the value."""
        if self.arity is None:
            return tuple(self.partials[0](m, y, operands))
        return tuple([rule(m, y, *operands) for rule in self.partials])


def _relu(m: Any, x: Any) -> Any:
    return m.where(x > 0, x, m.where(x <= 0, 0.0, x))  # the last branch is for nan, which stays nan


def _sigmoid(m: Any, x: Any) -> Any:
    e = m.exp(-abs(x))  # in (0, 1]: neither branch can overflow
    return m.where(x >= 0, 1 / (1 + e), e / (1 + e))


def _logsumexp(m: Any, xs: Any) -> Any:
    top = m.max(xs)
    top = m.where(abs(top) < float("inf"), top, 0.0)  # inf - inf would be nan
    return top + m.log(m.sum([m.exp(x - top) for x in xs]))


def _dot(m: Any, operands: Any) -> Any:
    n = len(operands) // 2
    return m.dot(operands[:n], operands[n:-1]) + operands[-1]


def _dot_partials(m: Any, y: Any, operands: Any) -> Any:
    n = len(operands) // 2
    return (*operands[n:-1], *operands[:n], 1.0)


_ROWS = (
    Primitive(
        "add", "+", 2,
        value=lambda m, a, b: a + b,
        partials=(lambda m, y, a, b: 1.0, lambda m, y, a, b: 1.0),
        domain=(REAL, REAL),
    ),
    Primitive(
        "subtract", "−", 2,
        value=lambda m, a, b: a - b,
        partials=(lambda m, y, a, b: 1.0, lambda m, y, a, b: -1.0),
        domain=(REAL, REAL),
    ),
    Primitive(
        "multiply", "×", 2,
        value=lambda m, a, b: a * b,
        partials=(lambda m, y, a, b: b, lambda m, y, a, b: a),
        domain=(REAL, REAL),
    ),
    Primitive(
        "divide", "÷", 2,
        value=lambda m, a, b: m.divide(a, b),
        # -(a/b)/b and not -a/b²: b² may overflow where the quotient does not
        partials=(lambda m, y, a, b: m.divide(1.0, b), lambda m, y, a, b: -m.divide(y, b)),
        domain=(REAL, POSITIVE),
    ),
    Primitive(
        "power", "^", 2,
        value=lambda m, x, n: m.power(x, n),
        partials=(
            lambda m, y, x, n: m.where(m.equal(n, 0), 0.0, n * m.power(x, n - 1)),
            lambda m, y, x, n: m.where(m.equal(x, 0) & (n >= 0), 0.0, y * m.log(x)),
        ),
        domain=((1e-2, 1e2), EXPONENT),
    ),
    Primitive(
        "negative", "−", 1,
        value=lambda m, x: -x,
        partials=(lambda m, y, x: -1.0,),
        domain=(REAL,),
    ),
    Primitive(
        "absolute", "abs", 1,
        value=lambda m, x: abs(x),
        partials=(lambda m, y, x: m.sign(x),),
        domain=(REAL,),
        kinks=(0.0,),
    ),
    Primitive(
        "exp", "exp", 1,
        value=lambda m, x: m.exp(x),
        partials=(lambda m, y, x: y,),
        domain=((-700.0, 700.0),),
    ),
    Primitive(
        "log", "log", 1,
        value=lambda m, x: m.log(x),
        partials=(lambda m, y, x: m.divide(1.0, x),),
        domain=(POSITIVE,),
    ),
    Primitive(
        "sqrt", "sqrt", 1,
        value=lambda m, x: m.sqrt(x),
        partials=(lambda m, y, x: m.divide(0.5, y),),
        domain=(POSITIVE,),
    ),
    Primitive(
        "tanh", "tanh", 1,
        value=lambda m, x: m.tanh(x),
        partials=(lambda m, y, x: 1 - y * y,),
        domain=(REAL,),
    ),
    Primitive(
        "sigmoid", "σ", 1,
        value=_sigmoid,
        partials=(lambda m, y, x: y * (1 - y),),
        domain=((-700.0, 700.0),),
    ),
    Primitive(
        "relu", "relu", 1,
        value=_relu,
        partials=(lambda m, y, x: m.where(x > 0, 1.0, m.where(x <= 0, 0.0, x)),),
        domain=(REAL,),
        kinks=(0.0,),
    ),
    Primitive(
        "softplus", "softplus", 1,
        value=lambda m, x: _relu(m, x) + m.log1p(m.exp(-abs(x))),
        partials=(lambda m, y, x: -m.expm1(-y),),  # σ(x), without losing digits where it is small
        domain=((-700.0, 700.0),),
    ),
    Primitive(
        "sum", "Σ", None,
        value=lambda m, xs: m.sum(xs),
        partials=(lambda m, y, xs: (1.0,) * len(xs),),
        domain=(REAL,),
    ),
    Primitive(
        "dot", "w·x", None,  # operands: w1 … wn, x1 … xn, bias
        value=_dot,
        partials=(_dot_partials,),
        domain=(REAL,),
    ),
    Primitive(
        "logsumexp", "logsumexp", None,
        value=_logsumexp,
        partials=(lambda m, y, xs: [m.where(m.equal(y, -float("inf")), 0.0, m.exp(x - y)) for x in xs],),
        domain=((-700.0, 700.0),),
    ),
)  # fmt: skip

PRIMITIVES: dict[str, Primitive] = {row.name: row for row in _ROWS}
