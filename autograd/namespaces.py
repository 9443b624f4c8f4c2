"""The small namespaces that the rules in `primitives` are written over.

A rule says `m.exp(x)`; `m` is SCALAR for Python floats and ARRAY for NumPy arrays. Both give the IEEE 754
result and never raise: Python's `math` raises where NumPy returns inf or nan, and the few functions below
put that right. This room knows `math` and NumPy, nothing of the project.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

INF = math.inf
NAN = math.nan


@dataclass(frozen=True, slots=True)
class Namespace:
    """Functions a rule may use besides the operators `+ - *`, comparisons and `abs`."""

    divide: Callable[[Any, Any], Any]
    power: Callable[[Any, Any], Any]
    exp: Callable[[Any], Any]
    expm1: Callable[[Any], Any]
    log: Callable[[Any], Any]
    log1p: Callable[[Any], Any]
    sqrt: Callable[[Any], Any]
    tanh: Callable[[Any], Any]
    sign: Callable[[Any], Any]
    equal: Callable[[Any, Any], Any]
    where: Callable[[Any, Any, Any], Any]
    sum: Callable[[Any], Any]
    max: Callable[[Any], Any]
    dot: Callable[[Any, Any], Any]


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


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return INF


def _expm1(x: float) -> float:
    try:
        return math.expm1(x)
    except OverflowError:
        return INF


def _log(x: float) -> float:
    if x > 0:
        return math.log(x)
    return -INF if x == 0 else NAN


def _log1p(x: float) -> float:
    if x > -1:
        return math.log1p(x)
    return -INF if x == -1 else NAN


def _sqrt(x: float) -> float:
    return NAN if x < 0 else math.sqrt(x)


def _sign(x: float) -> float:
    if x > 0:
        return 1.0
    return -1.0 if x < 0 else x * 0.0 + 0.0  # 0 at both zeros, nan at nan


def _where(condition: bool, a: Any, b: Any) -> Any:
    return a if condition else b


def _sum(xs: Sequence[float]) -> float:
    return sum(xs, 0.0)


def _dot(ws: Sequence[float], xs: Sequence[float]) -> float:
    return sum(map(operator.mul, ws, xs), 0.0)


def _array_sum(xs: Any) -> Any:
    return np.sum(xs, axis=0)


def _array_max(xs: Any) -> Any:
    return np.max(xs, axis=0)


def _array_dot(ws: Any, xs: Any) -> Any:
    return np.einsum("k...,k...->...", ws, xs)


SCALAR = Namespace(
    divide=_divide,
    power=_power,
    exp=_exp,
    expm1=_expm1,
    log=_log,
    log1p=_log1p,
    sqrt=_sqrt,
    tanh=math.tanh,
    sign=_sign,
    equal=operator.eq,
    where=_where,
    sum=_sum,
    max=max,
    dot=_dot,
)

ARRAY = Namespace(
    divide=np.divide,
    power=np.power,
    exp=np.exp,
    expm1=np.expm1,
    log=np.log,
    log1p=np.log1p,
    sqrt=np.sqrt,
    tanh=np.tanh,
    sign=np.sign,
    equal=np.equal,
    where=np.where,
    sum=_array_sum,
    max=_array_max,
    dot=_array_dot,
)
