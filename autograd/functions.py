"""The primitives as functions: numbers in, a number out; any Value in, a Value out; arrays elementwise.

This room knows the table and `Value`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, overload

import numpy as np

from autograd.checking import check_gradients
from autograd.namespaces import ARRAY, SCALAR
from autograd.numberlike import Real, real
from autograd.primitives import PRIMITIVES, Primitive, Rule
from autograd.value import Value, apply


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
    method = getattr(Value, name)

    def function(x: Any) -> Any:
        if isinstance(x, Value):
            return method(x)
        if not isinstance(x, np.ndarray):
            return primitive.value(SCALAR, real(x, "operand of", name))
        if x.dtype == object:
            return np.frompyfunc(function, 1, 1)(x)
        if x.dtype.kind in "iu":
            x = x.astype(float)  # a uint8's own arithmetic would wrap, and np.exp of it have three digits
        if x.dtype.kind != "f":
            raise TypeError(f"operand of {name!r}: expected an array of real numbers, got dtype {x.dtype}")
        with np.errstate(all="ignore"):
            return primitive.value(ARRAY, x)

    function.__name__ = name
    function.__doc__ = f"{primitive.symbol} of a number, a Value or an array; the row {name!r} of the table."
    return function


exp = _unary("exp")
exp2 = _unary("exp2")
expm1 = _unary("expm1")
log = _unary("log")
log2 = _unary("log2")
log10 = _unary("log10")
log1p = _unary("log1p")
sqrt = _unary("sqrt")
cbrt = _unary("cbrt")
sin = _unary("sin")
cos = _unary("cos")
tan = _unary("tan")
asin = _unary("asin")
acos = _unary("acos")
atan = _unary("atan")
sinh = _unary("sinh")
cosh = _unary("cosh")
tanh = _unary("tanh")
asinh = _unary("asinh")
acosh = _unary("acosh")
atanh = _unary("atanh")
erf = _unary("erf")
erfc = _unary("erfc")
sigmoid = _unary("sigmoid")
logsigmoid = _unary("logsigmoid")
softplus = _unary("softplus")
relu = _unary("relu")
gelu = _unary("gelu")
silu = _unary("silu")


def leaky_relu(x: Value | Real, slope: Value | Real = 0.01) -> Any:
    """The operand x where it is positive, slope · x elsewhere.

    >>> leaky_relu(-2.0, slope=0.5)
    -1.0
    """
    return apply(PRIMITIVES["leaky_relu"], (x, slope))


def elu(x: Value | Real, scale: Value | Real = 1.0) -> Any:
    """The operand x where it is positive, scale · (exp(x) - 1) elsewhere.

    >>> elu(2.0), elu(float("-inf"))
    (2.0, -1.0)
    """
    return apply(PRIMITIVES["elu"], (x, scale))


def maximum(a: Value | Real, b: Value | Real) -> Any:
    """The larger of two; nan if one is; equal operands share the gradient, ½ each.

    >>> maximum(1.0, 2.0)
    2.0
    """
    return apply(PRIMITIVES["maximum"], (a, b))


def minimum(a: Value | Real, b: Value | Real) -> Any:
    """The smaller of two; nan if one is; equal operands share the gradient, ½ each.

    >>> minimum(1.0, 2.0)
    1.0
    """
    return apply(PRIMITIVES["minimum"], (a, b))


def clip(x: Value | Real, low: Value | Real, high: Value | Real) -> Any:
    """The operand x moved into [low, high]; at an edge its gradient is 1.

    >>> clip(5.0, 0.0, 1.0)
    1.0
    """
    return apply(PRIMITIVES["clip"], (x, low, high))


def where(condition: Any, a: Value | Real, b: Value | Real) -> Any:
    """The operand a where the condition holds, else b; the other one gets gradient 0 times its partial.

    condition   a bool, as a comparison of Values gives it, or a number, of which 0 is false

    0 times inf is nan: where the branch not taken has an infinite derivative, give it a harmless operand too,
    as in where(x > 0, sqrt(where(x > 0, x, 1.0)), 0.0).

    >>> x = Value(-4.0)
    >>> where(x > 0, x, 0.0).data
    0.0
    """
    truth = float(condition) if isinstance(condition, (bool, np.bool_)) else condition
    return apply(PRIMITIVES["where"], (truth, a, b))


def atan2(y: Value | Real, x: Value | Real) -> Any:
    """The angle of the point (x, y), in [-π, π].

    >>> atan2(0.0, 1.0)
    0.0
    """
    return apply(PRIMITIVES["atan2"], (y, x))


def hypot(x: Value | Real, y: Value | Real) -> Any:
    """The length √(x² + y²), without overflow on the way; gradient 0 at the origin.

    >>> hypot(3.0, 4.0)
    5.0
    """
    return apply(PRIMITIVES["hypot"], (x, y))


def binary_cross_entropy_with_logits(z: Value | Real, t: Value | Real) -> Any:
    """The loss -t log σ(z) - (1 - t) log(1 - σ(z)) of a logit z for a target t in [0, 1]; gradient σ(z) - t.

    >>> binary_cross_entropy_with_logits(-1000.0, 1.0)
    1000.0
    """
    return apply(PRIMITIVES["binary_cross_entropy_with_logits"], (z, t))


def sum(xs: Iterable[Value | Real]) -> Any:
    """The sum of any number of operands as one node; 0.0 of none.

    >>> xs = [Value(1.0), Value(2.0), 3.0]
    >>> sum(xs).data
    6.0
    """
    return apply(PRIMITIVES["sum"], list(xs))


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
    return apply(PRIMITIVES["dot"], [*ws, *xs, bias])


def logsumexp(xs: Iterable[Value | Real]) -> Any:
    """log(exp(x1) + … + exp(xn)) as one node, without overflow; ValueError of none.

    >>> logsumexp([1000.0, 1000.0])                  # 1000 + log 2
    1000.6931471805599
    """
    return apply(PRIMITIVES["logsumexp"], _some(xs, "logsumexp"))


def prod(xs: Iterable[Value | Real]) -> Any:
    """The product of any number of operands as one node; 1.0 of none.

    >>> prod([2.0, 3.0, 4.0])
    24.0
    """
    return apply(PRIMITIVES["prod"], list(xs))


def mean(xs: Iterable[Value | Real]) -> Any:
    """The mean of one or more operands as one node.

    >>> mean([1.0, 2.0, 6.0])
    3.0
    """
    return apply(PRIMITIVES["mean"], _some(xs, "mean"))


def norm(xs: Iterable[Value | Real]) -> Any:
    """The Euclidean length of one or more operands as one node; gradient 0 at the origin.

    >>> norm([2.0, 3.0, 6.0])
    7.0
    """
    return apply(PRIMITIVES["norm"], _some(xs, "norm"))


def log_softmax(xs: Iterable[Value | Real]) -> list[Any]:
    """The logarithm of softmax for each operand, xi - logsumexp(xs), without overflow.

    >>> log_softmax([1000.0, -1000.0])
    [0.0, -2000.0]
    """
    operands = list(xs)
    total = logsumexp(operands)
    return [x - total for x in operands]


def softmax_cross_entropy(logits: Iterable[Value | Real], targets: Iterable[Value | Real]) -> Any:
    """The loss -Σ t log softmax(z) of logits z for target probabilities t, as one node.

    Its gradient by the logits is softmax(z) Σt - t. As many targets as logits, else ValueError.

    >>> softmax_cross_entropy([1000.0, -1000.0], [0.0, 1.0])
    2000.0
    """
    zs, ts = _some(logits, "softmax_cross_entropy"), list(targets)
    if len(zs) != len(ts):
        raise ValueError(
            f"softmax_cross_entropy: expected as many targets as logits, got {len(zs)} and {len(ts)}"
        )
    return apply(PRIMITIVES["softmax_cross_entropy"], [*zs, *ts])


def softmax(xs: Iterable[Value | Real]) -> list[Any]:
    """exp(xi) / (exp(x1) + … + exp(xn)) for each operand, as exp(xi - logsumexp(xs)).

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    operands = list(xs)
    total = logsumexp(operands)
    return [exp(x - total) for x in operands]


def _some(xs: Iterable[Any], name: str) -> list[Any]:
    operands = list(xs)
    if not operands:
        raise ValueError(f"{name}: expected at least one operand, got none")
    return operands


def primitive(
    name: str,
    value: Rule,
    partials: Sequence[Rule],
    *,
    symbol: str = "",
    check_at: Sequence[Real] | None = None,
) -> Callable[..., Any]:
    """A primitive of your own, as a function of numbers and Values.

    name      new to the table, a Python identifier
    value     value(m, *operands), with m.exp, m.where, … for what is not an operator (see `namespaces`)
    partials  for each operand partial(m, y, *operands), its derivative, where y is the value; a rule that
              gives no number for numbers is a TypeError when it is recorded
    symbol    for graphs; the name if not given
    check_at  operands at which to hold the partials against numerical differentiation before anything is
              registered; GradientMismatch where they differ

    >>> cube = primitive("cube", lambda m, x: x * x * x, [lambda m, y, x: 3 * x * x], check_at=[0.5])
    >>> x = Value(2.0)
    >>> cube(x).backward()
    >>> cube(2.0), x.grad
    (8.0, 12.0)
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"primitive: expected a name like 'cube', got {name!r}")
    if name in PRIMITIVES:
        raise ValueError(f"primitive: {name!r} is in the table already; choose another name")
    if not isinstance(partials, Sequence):
        raise TypeError(
            f"primitive {name!r}: expected a sequence of functions as partials, got {type(partials).__name__}"
        )
    for rule in (value, *partials):
        if not callable(rule):
            raise TypeError(
                f"primitive {name!r}: expected functions as value and partials, "
                f"got {type(rule).__name__} {rule!r:.60}"
            )
    if not partials:
        raise ValueError(f"primitive {name!r}: expected one partial derivative for each operand, got none")
    rules = tuple(_giving_floats(rule, f"partial rule {i}", name) for i, rule in enumerate(partials))
    value = _giving_floats(value, "value rule", name)
    row = Primitive(name, symbol or name, len(partials), value, rules, domain=())

    def function(*operands: Any) -> Any:
        if len(operands) != len(partials):
            raise TypeError(f"{name} takes {len(partials)} operands, got {len(operands)}")
        return apply(row, operands)

    function.__name__ = name
    function.__doc__ = f"{row.symbol} of {len(partials)} numbers or Values."
    if check_at is not None:
        check_gradients(function, *check_at).assert_ok()
    PRIMITIVES[name] = row
    return function


def _giving_floats(rule: Rule, what: str, name: str) -> Rule:
    """The user's rule, held to what a node's number and its edges are: Python floats, when operands are."""

    def checked(m: Any, *operands: Any) -> Any:
        result = rule(m, *operands)
        if m is not SCALAR:
            return result
        try:
            return real(result, f"result of the {what} of primitive", name)
        except TypeError as error:
            raise TypeError(f"{error}. Operators and m.exp, m.where, … give one for numbers") from None

    return checked
