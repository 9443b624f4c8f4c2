"""The small namespaces that the rules in `primitives` are written over.

A rule says `m.exp(x)`; `m` is SCALAR for Python floats and ARRAY for NumPy arrays. Both give the IEEE 754
result and never raise: Python's `math` raises where NumPy returns inf or nan, and the functions below put
that right. `recording` makes the namespace of Values, for derivatives of derivatives; the documentation adds
one of formulas. This room knows `math` and NumPy, nothing of the project.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

INF = math.inf
NAN = math.nan

Unary = Callable[[Any], Any]
Binary = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Namespace:
    """Functions a rule may use besides the operators `+ - *`, comparisons and `abs`."""

    exp: Unary
    exp2: Unary
    expm1: Unary
    log: Unary
    log2: Unary
    log10: Unary
    log1p: Unary
    sqrt: Unary
    cbrt: Unary
    sin: Unary
    cos: Unary
    tan: Unary
    asin: Unary
    acos: Unary
    atan: Unary
    sinh: Unary
    cosh: Unary
    tanh: Unary
    asinh: Unary
    acosh: Unary
    atanh: Unary
    erf: Unary
    erfc: Unary
    sigmoid: Unary
    sign: Unary
    isnan: Unary
    divide: Binary
    power: Binary
    atan2: Binary
    hypot: Binary
    equal: Binary
    where: Callable[[Any, Any, Any], Any]
    sum: Callable[[Any], Any]  # of a sequence of operands, as the four below
    max: Callable[[Any], Any]
    norm: Callable[[Any], Any]
    dot: Callable[[Any, Any], Any]
    each: Callable[..., Any]  # each(f, xs, …): f of every operand, or of the operands side by side


def _total(function: Callable[[float], float], overflow: float = INF) -> Callable[[float], float]:
    """A function of `math`, with `overflow` where it overflows and nan outside its domain."""

    def total(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return overflow
        except ValueError:
            return NAN

    return total


def _logarithm(function: Callable[[float], float], pole: float = 0.0) -> Callable[[float], float]:
    def logarithm(x: float) -> float:
        if x > pole:
            return function(x)
        return -INF if x == pole else NAN

    return logarithm


def _divide(a: float, b: float) -> float:
    try:
        return a / b
    except ZeroDivisionError:
        if a == 0 or math.isnan(a):
            return NAN
        return math.copysign(INF, a) * math.copysign(1.0, b)


def _is_odd(y: float) -> bool:
    return y.is_integer() and y % 2 == 1


def _power(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except OverflowError:
        return -INF if x < 0 and _is_odd(y) else INF
    except ValueError:
        if x == 0:  # a pole: 0 ** negative
            return math.copysign(INF, x) if _is_odd(y) else INF
        return NAN  # a negative base with a broken exponent: never complex


def _sinh(x: float) -> float:
    try:
        return math.sinh(x)
    except OverflowError:
        return math.copysign(INF, x)


def _atanh(x: float) -> float:
    if abs(x) < 1:
        return math.atanh(x)
    return math.copysign(INF, x) if abs(x) == 1 else NAN


def _cbrt(x: float) -> float:
    return math.cbrt(x) if x else x  # C libraries differ in the sign of cbrt(-0.0)


def _sigmoid(x: float) -> float:
    e = math.exp(-abs(x))  # in [0, 1]: neither branch can overflow
    return 1 / (1 + e) if x >= 0 else e / (1 + e)


def _sign(x: float) -> float:
    if x > 0:
        return 1.0
    return -1.0 if x < 0 else x * 0.0 + 0.0  # 0 at both zeros, nan at nan


def _where(condition: Any, a: Any, b: Any) -> Any:
    return a if condition else b


def _sum(xs: Sequence[float]) -> float:
    return sum(xs, 0.0)


def _norm(xs: Sequence[float]) -> float:
    return math.hypot(*xs)


def _dot(ws: Sequence[float], xs: Sequence[float]) -> float:
    return sum(map(operator.mul, ws, xs), 0.0)


def _each(function: Callable[..., Any], *sequences: Sequence[Any]) -> list[Any]:
    return [function(*operands) for operands in zip(*sequences, strict=True)]


def _array_each(function: Callable[..., Any], *sequences: Any) -> Any:
    return function(*map(np.asarray, sequences))  # the operands are one more axis, in front


def _array_sigmoid(x: Any) -> Any:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def _elementwise(function: Callable[[float], float]) -> Unary:
    """The scalar function on every entry: where NumPy has no such function, right before fast."""
    on_objects = np.frompyfunc(function, 1, 1)
    return lambda x: on_objects(np.asarray(x, dtype=float)).astype(float)


def _special(name: str) -> Unary:
    """SciPy's `erf` or `erfc` where SciPy is installed, else the scalar one on every entry."""

    def function(x: Any) -> Any:
        try:
            from scipy import special
        except ImportError:
            return _elementwise(getattr(math, name))(x)
        return getattr(special, name)(x)

    return function


def _array_sum(xs: Any) -> Any:
    return np.add.reduce(xs, axis=0)


def _array_max(xs: Any) -> Any:
    return np.maximum.reduce(xs, axis=0)


def _array_norm(xs: Any) -> Any:
    return np.hypot.reduce(xs, axis=0)


def _array_dot(ws: Any, xs: Any) -> Any:
    return np.einsum("k...,k...->...", ws, xs)


SCALAR = Namespace(
    exp=_total(math.exp),
    exp2=_total(math.exp2),
    expm1=_total(math.expm1),
    log=_logarithm(math.log),
    log2=_logarithm(math.log2),
    log10=_logarithm(math.log10),
    log1p=_logarithm(math.log1p, pole=-1.0),
    sqrt=_total(math.sqrt),
    cbrt=_cbrt,
    sin=_total(math.sin),
    cos=_total(math.cos),
    tan=_total(math.tan),
    asin=_total(math.asin),
    acos=_total(math.acos),
    atan=math.atan,
    sinh=_sinh,
    cosh=_total(math.cosh),
    tanh=math.tanh,
    asinh=math.asinh,
    acosh=_total(math.acosh),
    atanh=_atanh,
    erf=math.erf,
    erfc=math.erfc,
    sigmoid=_sigmoid,
    sign=_sign,
    isnan=math.isnan,
    divide=_divide,
    power=_power,
    atan2=math.atan2,
    hypot=math.hypot,
    equal=operator.eq,
    where=_where,
    sum=_sum,
    max=max,
    norm=_norm,
    dot=_dot,
    each=_each,
)

ARRAY = Namespace(
    exp=np.exp,
    exp2=np.exp2,
    expm1=np.expm1,
    log=np.log,
    log2=np.log2,
    log10=np.log10,
    log1p=np.log1p,
    sqrt=np.sqrt,
    cbrt=np.cbrt,
    sin=np.sin,
    cos=np.cos,
    tan=np.tan,
    asin=np.arcsin,
    acos=np.arccos,
    atan=np.arctan,
    sinh=np.sinh,
    cosh=np.cosh,
    tanh=np.tanh,
    asinh=np.arcsinh,
    acosh=np.arccosh,
    atanh=np.arctanh,
    erf=_special("erf"),
    erfc=_special("erfc"),
    sigmoid=_array_sigmoid,
    sign=np.sign,
    isnan=np.isnan,
    divide=np.divide,
    power=np.power,
    atan2=np.arctan2,
    hypot=np.hypot,
    equal=np.equal,
    where=np.where,
    sum=_array_sum,
    max=_array_max,
    norm=_array_norm,
    dot=_array_dot,
    each=_array_each,
)


def recording(apply: Callable[[str, Any], Any], number: Callable[[Any, str], float]) -> Namespace:
    """The namespace of Values, given `apply(name, operands)`, which records, and `number`, their data.

    Where a rule compares, it decides by the data.
    """

    def recorded(name: str) -> Callable[..., Any]:
        return lambda *operands: apply(name, operands)

    functions: dict[str, Any] = {field.name: recorded(field.name) for field in fields(Namespace)}
    functions |= {
        "sign": lambda x: SCALAR.sign(number(x, "sign")),
        "isnan": lambda x: math.isnan(number(x, "isnan")),
        "equal": lambda a, b: number(a, "equal") == number(b, "equal"),
        "where": lambda c, a, b: a if (c if isinstance(c, bool) else number(c, "where")) else b,
        "sum": lambda xs: apply("sum", xs),
        "max": max,
        "norm": lambda xs: apply("norm", xs),
        "dot": lambda ws, xs: apply("dot", (*ws, *xs, 0.0)),
        "each": _each,
    }
    return Namespace(**functions)
