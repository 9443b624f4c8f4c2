"""THE table: every differentiable operation, one row each; every rule of differentiation, once.

A row's rules are written over a namespace `m` (see `namespaces`), so that one row serves Python floats and
NumPy arrays alike. `value(m, *operands)` is the operation; `partials[i](m, y, *operands)` is its partial
derivative by operand i, where y is the value: tanh' = 1 - y² needs nothing else. An operation of any number
of operands (`arity` None) takes them as one sequence, and its single rule returns all partials at once.

This room knows nothing of the project but the namespaces' names.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Rule = Callable[..., Any]
Interval = tuple[float, float]

REAL: Interval = (-1e3, 1e3)
POSITIVE: Interval = (1e-6, 1e3)
EXPONENT: Interval = (-8.0, 8.0)
UNIT: Interval = (-0.999, 0.999)
LOW: Interval = (-9.0, -3.0)
HIGH: Interval = (3.0, 9.0)
EXPONENTIAL: Interval = (-700.0, 700.0)

INF = math.inf
LN2 = math.log(2)
LN10 = math.log(10)
TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)
SQRT_HALF = math.sqrt(0.5)
NORMAL = 1 / math.sqrt(2 * math.pi)  # the normal density at 0


@dataclass(frozen=True, slots=True, eq=False)  # a row is itself: hashing its rules would take a microsecond
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
    ufunc     NumPy's name for it, where that differs

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
    ufunc: str = ""

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


def _log_sigmoid(m: Any, x: Any) -> Any:
    return m.where(x > 0, 0.0, x) - m.log1p(m.exp(-abs(x)))


def _share(m: Any, ahead: Any, behind: Any, a: Any, b: Any) -> Any:
    """The part of max' or min' that goes to a: 1, 0, or ½ each where equal; nan takes it."""
    ahead = ahead | m.isnan(a)
    behind = behind | m.isnan(b)
    return m.where(ahead, m.where(behind, 0.5, 1.0), m.where(behind, 0.0, 0.5))


def _over_square(m: Any, numerator: Any, a: Any, b: Any) -> Any:
    """What numerator / (a² + b²) is, 0 at the origin; the squares themselves may overflow."""
    h = m.hypot(a, b)
    return m.where(m.equal(h, 0), 0.0, m.divide(m.divide(numerator, h), h))


def _products_of_others(m: Any, y: Any, xs: Any) -> list[Any]:
    """For each operand the product of all others, without dividing: from the left times from the right."""
    left, right = [1.0], [1.0]
    for x, z in zip(xs[:-1], reversed(xs[1:]), strict=True):
        left.append(left[-1] * x)
        right.append(right[-1] * z)
    return [a * b for a, b in zip(left, reversed(right), strict=True)]


def _logsumexp(m: Any, xs: Any) -> Any:
    top = m.max(xs)
    top = m.where(abs(top) < INF, top, 0.0)  # inf - inf would be nan
    return top + m.log(m.sum(m.each(lambda x: m.exp(x - top), xs)))


def _softmax(m: Any, total: Any, xs: Any) -> Any:
    total = m.where(m.equal(total, -INF), INF, total)  # of none but -inf the softmax is 0 here
    return m.each(lambda x: m.exp(x - total), xs)


def _dot(m: Any, operands: Any) -> Any:
    n = len(operands) // 2
    return m.dot(operands[:n], operands[n:-1]) + operands[-1]


def _dot_partials(m: Any, y: Any, operands: Any) -> Any:
    n = len(operands) // 2
    return (*operands[n:-1], *operands[:n], 1.0)


def _surprises(m: Any, zs: Any) -> Any:
    """What -log softmax(z) is for each logit; shifted first, so that large logits cost no digits."""
    top = m.max(zs)
    shifted = m.each(lambda z: z - top, zs)
    total = m.log(m.sum(m.each(m.exp, shifted)))
    return m.each(lambda z: total - z, shifted)


def _softmax_cross_entropy(m: Any, operands: Any) -> Any:
    n = len(operands) // 2
    return m.dot(operands[n:], _surprises(m, operands[:n]))


def _softmax_cross_entropy_partials(m: Any, y: Any, operands: Any) -> Any:
    n = len(operands) // 2
    surprises, weight = _surprises(m, operands[:n]), m.sum(operands[n:])
    gradient = m.each(lambda s, t: m.exp(-s) * weight - t, surprises, operands[n:])
    return (*gradient, *surprises)


# fmt: off
_ROWS = (
    Primitive("add", "+", 2, lambda m, a, b: a + b, (lambda m, y, a, b: 1.0, lambda m, y, a, b: 1.0),
              (REAL, REAL)),
    Primitive("subtract", "−", 2, lambda m, a, b: a - b,
              (lambda m, y, a, b: 1.0, lambda m, y, a, b: -1.0), (REAL, REAL)),
    Primitive("multiply", "×", 2, lambda m, a, b: a * b, (lambda m, y, a, b: b, lambda m, y, a, b: a),
              (REAL, REAL)),
    # by b not -a/b²: b² may overflow
    Primitive("divide", "÷", 2, lambda m, a, b: m.divide(a, b),
              (lambda m, y, a, b: m.divide(1.0, b), lambda m, y, a, b: -m.divide(y, b)), (REAL, POSITIVE)),
    Primitive("power", "^", 2, lambda m, x, n: m.power(x, n),
              (lambda m, y, x, n: m.where(m.equal(n, 0), 0.0, n * m.power(x, n - 1)),
              lambda m, y, x, n: m.where(m.equal(x, 0) & (n >= 0), 0.0, y * m.log(x))),
              ((1e-2, 1e2), EXPONENT)),
    Primitive("negative", "−", 1, lambda m, x: -x, (lambda m, y, x: -1.0,), (REAL,)),
    Primitive("absolute", "abs", 1, lambda m, x: abs(x), (lambda m, y, x: m.sign(x),), (REAL,), kinks=(0.0,)),
    Primitive("exp", "exp", 1, lambda m, x: m.exp(x), (lambda m, y, x: y,), (EXPONENTIAL,)),
    Primitive("exp2", "exp2", 1, lambda m, x: m.exp2(x), (lambda m, y, x: LN2 * y,), (EXPONENTIAL,)),
    # not y + 1, which rounds to 0 near y = -1
    Primitive("expm1", "expm1", 1, lambda m, x: m.expm1(x), (lambda m, y, x: m.exp(x),), (EXPONENTIAL,)),
    Primitive("log", "log", 1, lambda m, x: m.log(x), (lambda m, y, x: m.divide(1.0, x),), (POSITIVE,)),
    Primitive("log2", "log2", 1, lambda m, x: m.log2(x), (lambda m, y, x: m.divide(1 / LN2, x),),
              (POSITIVE,)),
    Primitive("log10", "log10", 1, lambda m, x: m.log10(x), (lambda m, y, x: m.divide(1 / LN10, x),),
              (POSITIVE,)),
    Primitive("log1p", "log1p", 1, lambda m, x: m.log1p(x), (lambda m, y, x: m.divide(1.0, 1 + x),),
              ((-0.99, 1e3),)),
    Primitive("sqrt", "sqrt", 1, lambda m, x: m.sqrt(x), (lambda m, y, x: m.divide(0.5, y),), (POSITIVE,)),
    Primitive("cbrt", "cbrt", 1, lambda m, x: m.cbrt(x), (lambda m, y, x: m.divide(1 / 3, y * y),),
              (POSITIVE,)),
    Primitive("sin", "sin", 1, lambda m, x: m.sin(x), (lambda m, y, x: m.cos(x),), (REAL,)),
    Primitive("cos", "cos", 1, lambda m, x: m.cos(x), (lambda m, y, x: -m.sin(x),), (REAL,)),
    Primitive("tan", "tan", 1, lambda m, x: m.tan(x), (lambda m, y, x: 1 + y * y,), ((-1.5, 1.5),)),
    Primitive("asin", "asin", 1, lambda m, x: m.asin(x),
              (lambda m, y, x: m.divide(1.0, m.sqrt((1 - x) * (1 + x))),), (UNIT,), ufunc="arcsin"),
    Primitive("acos", "acos", 1, lambda m, x: m.acos(x),
              (lambda m, y, x: -m.divide(1.0, m.sqrt((1 - x) * (1 + x))),), (UNIT,), ufunc="arccos"),
    Primitive("atan", "atan", 1, lambda m, x: m.atan(x), (lambda m, y, x: m.divide(1.0, 1 + x * x),),
              (REAL,), ufunc="arctan"),
    Primitive("atan2", "atan2", 2, lambda m, a, b: m.atan2(a, b),
              (lambda m, y, a, b: _over_square(m, b, a, b), lambda m, y, a, b: -_over_square(m, a, a, b)),
              (REAL, POSITIVE), ufunc="arctan2"),
    Primitive("sinh", "sinh", 1, lambda m, x: m.sinh(x), (lambda m, y, x: m.cosh(x),), (EXPONENTIAL,)),
    Primitive("cosh", "cosh", 1, lambda m, x: m.cosh(x), (lambda m, y, x: m.sinh(x),), (EXPONENTIAL,)),
    Primitive("tanh", "tanh", 1, lambda m, x: m.tanh(x), (lambda m, y, x: 1 - y * y,), (REAL,)),
    Primitive("asinh", "asinh", 1, lambda m, x: m.asinh(x),
              (lambda m, y, x: m.divide(1.0, m.hypot(1.0, x)),), (REAL,), ufunc="arcsinh"),
    Primitive("acosh", "acosh", 1, lambda m, x: m.acosh(x),
              (lambda m, y, x: m.divide(1.0, m.sqrt(x - 1) * m.sqrt(x + 1)),), ((1.0, 1e3),),
              ufunc="arccosh"),
    Primitive("atanh", "atanh", 1, lambda m, x: m.atanh(x),
              (lambda m, y, x: m.divide(1.0, (1 - x) * (1 + x)),), (UNIT,), ufunc="arctanh"),
    Primitive("erf", "erf", 1, lambda m, x: m.erf(x), (lambda m, y, x: TWO_OVER_SQRT_PI * m.exp(-x * x),),
              ((-6.0, 6.0),)),
    Primitive("erfc", "erfc", 1, lambda m, x: m.erfc(x),
              (lambda m, y, x: -TWO_OVER_SQRT_PI * m.exp(-x * x),), ((-6.0, 6.0),)),
    Primitive("sigmoid", "σ", 1, lambda m, x: m.sigmoid(x), (lambda m, y, x: y * (1 - y),), (EXPONENTIAL,)),
    # 1 - σ(x), with every digit
    Primitive("logsigmoid", "log σ", 1, _log_sigmoid, (lambda m, y, x: -m.expm1(y),), (EXPONENTIAL,)),
    # σ(x), with every digit
    Primitive("softplus", "softplus", 1, lambda m, x: _relu(m, x) + m.log1p(m.exp(-abs(x))),
              (lambda m, y, x: -m.expm1(-y),), (EXPONENTIAL,)),
    Primitive("relu", "relu", 1, _relu, (lambda m, y, x: m.where(x > 0, 1.0, m.where(x <= 0, 0.0, x)),),
              (REAL,), kinks=(0.0,)),
    Primitive("leaky_relu", "leaky relu", 2, lambda m, x, slope: m.where(x > 0, x, slope * x),
              (lambda m, y, x, slope: m.where(x > 0, 1.0, slope),
              lambda m, y, x, slope: m.where(x > 0, 0.0, x)), (REAL, REAL)),
    Primitive("elu", "elu", 2, lambda m, x, scale: m.where(x > 0, x, scale * m.expm1(x)),
              (lambda m, y, x, scale: m.where(x > 0, 1.0, scale * m.exp(x)),
              lambda m, y, x, scale: m.where(x > 0, 0.0, m.expm1(x))), (EXPONENTIAL, REAL)),
    Primitive("gelu", "gelu", 1, lambda m, x: 0.5 * x * m.erfc(-SQRT_HALF * x),
              (lambda m, y, x: 0.5 * m.erfc(-SQRT_HALF * x) + NORMAL * x * m.exp(-0.5 * x * x),),
              ((-6.0, 6.0),)),
    Primitive("silu", "silu", 1, lambda m, x: x * m.sigmoid(x),
              (lambda m, y, x: m.sigmoid(x) + y * m.sigmoid(-x),), (EXPONENTIAL,)),
    Primitive("maximum", "max", 2,
              lambda m, a, b: m.where((a > b) | m.isnan(a), a, m.where((b > a) | m.isnan(b), b, a)),
              (lambda m, y, a, b: _share(m, a > b, b > a, a, b),
              lambda m, y, a, b: _share(m, b > a, a > b, b, a)), (REAL, REAL)),
    Primitive("minimum", "min", 2,
              lambda m, a, b: m.where((a < b) | m.isnan(a), a, m.where((b < a) | m.isnan(b), b, a)),
              (lambda m, y, a, b: _share(m, a < b, b < a, a, b),
              lambda m, y, a, b: _share(m, b < a, a < b, b, a)), (REAL, REAL)),
    Primitive("clip", "clip", 3,
              lambda m, x, low, high: m.where(m.isnan(low) | m.isnan(high), low + high,
                                              m.where(x < low, low, m.where(x > high, high, x))),
              (lambda m, y, x, low, high: m.where((x < low) | (x > high), 0.0, 1.0),
              lambda m, y, x, low, high: m.where(x < low, 1.0, 0.0),
              lambda m, y, x, low, high: m.where(x > high, 1.0, 0.0)), (REAL, LOW, HIGH)),
    Primitive("where", "where", 3, lambda m, c, a, b: m.where(c, a, b), (lambda m, y, c, a, b: 0.0,
              lambda m, y, c, a, b: m.where(c, 1.0, 0.0), lambda m, y, c, a, b: m.where(c, 0.0, 1.0)),
              (REAL, REAL, REAL)),
    Primitive("hypot", "hypot", 2, lambda m, a, b: m.hypot(a, b),
              (lambda m, y, a, b: m.where(m.equal(y, 0), 0.0, m.divide(a, y)),
              lambda m, y, a, b: m.where(m.equal(y, 0), 0.0, m.divide(b, y))), (REAL, REAL)),
    Primitive("binary_cross_entropy_with_logits", "bce", 2,
              lambda m, z, t: _relu(m, z) - z * t + m.log1p(m.exp(-abs(z))),
              (lambda m, y, z, t: m.sigmoid(z) - t, lambda m, y, z, t: -z), (EXPONENTIAL, (0.0, 1.0))),
    Primitive("sum", "Σ", None, lambda m, xs: m.sum(xs), (lambda m, y, xs: [1.0 for _ in xs],), (REAL,)),
    Primitive("prod", "Π", None, lambda m, xs: math.prod(xs, start=1.0), (_products_of_others,), (EXPONENT,)),
    Primitive("mean", "mean", None, lambda m, xs: m.sum(xs) * (1 / len(xs)),
              (lambda m, y, xs: [1 / len(xs) for _ in xs],), (REAL,)),
    Primitive("norm", "norm", None, lambda m, xs: m.norm(xs),
              (lambda m, y, xs: m.each(lambda x: m.where(m.equal(y, 0), 0.0, m.divide(x, y)), xs),), (REAL,)),
    # w1 … wn, x1 … xn, bias
    Primitive("dot", "w·x", None, _dot, (_dot_partials,), (REAL,)),
    Primitive("logsumexp", "logsumexp", None, _logsumexp, (_softmax,), (EXPONENTIAL,)),
    # z1 … zn, t1 … tn
    Primitive("softmax_cross_entropy", "cross-entropy", None, _softmax_cross_entropy,
              (_softmax_cross_entropy_partials,), (EXPONENTIAL,)),
)
# fmt: on

PRIMITIVES: dict[str, Primitive] = {row.name: row for row in _ROWS}
