"""Value: a number that remembers how it was computed.

Operators record nodes; `backward()` sweeps them in reverse topological order. The partial derivatives are
computed when a node is recorded and kept on its edges: the sweep is one multiply-add an edge, and changing
`.data` later cannot corrupt it.

This room knows the table of primitives and the walks over a graph.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from autograd.graph import topological_order
from autograd.namespaces import SCALAR
from autograd.primitives import PRIMITIVES, Primitive

LEAF = Primitive("", "", 0, value=lambda m: None, partials=(), domain=())
CONSTANT = Primitive("", "", 0, value=lambda m: None, partials=(), domain=())

_ADD = PRIMITIVES["add"]
_SUBTRACT = PRIMITIVES["subtract"]
_MULTIPLY = PRIMITIVES["multiply"]
_DIVIDE = PRIMITIVES["divide"]
_POWER = PRIMITIVES["power"]
_NEGATIVE = PRIMITIVES["negative"]

_divide = SCALAR.divide
_new = object.__new__

_RECORDED = ", ".join(sorted(name for name in PRIMITIVES if isinstance(getattr(np, name, None), np.ufunc)))
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.is_,
    "not_equal": operator.is_not,
}

Real: TypeAlias = "float | int | np.floating[Any] | np.integer[Any]"


def real(x: Any, what: str) -> float:
    """`x` as a Python float, or a TypeError that names `what` it was meant for."""
    if x.__class__ is float:
        return x
    if isinstance(x, (int, float, np.integer, np.floating)) and not isinstance(x, bool):
        try:
            return float(x)
        except OverflowError:
            raise OverflowError(f"{what}: this int is too large for a float (1.8e308 at most)") from None
    shown = f"a Value ({x!r}); use its .data" if isinstance(x, Value) else f"{type(x).__name__} {x!r:.60}"
    raise TypeError(f"{what}: expected a real number, got {shown}")


def _method(name: str) -> Callable[[Value], Value]:
    """The method that records the unary primitive `name`."""
    primitive = PRIMITIVES[name]
    value, (partial,) = primitive.value, primitive.partials

    def method(self: Value) -> Value:
        x = self._data
        node = _new(Value)
        node._a = self
        node._b = None
        node._data = y = value(SCALAR, x)
        node._da = partial(SCALAR, y, x)
        node._grad = 0.0
        node.primitive = primitive
        node.label = ""
        return node

    method.__name__ = name
    method.__doc__ = f"Record {primitive.symbol} of this value; its rules are the row {name!r} of the table."
    return method


class Value:
    """One scalar in a recorded computation.

    data    the number, a Python float
    grad    d(swept root)/d(this), a Python float; leaves add up over sweeps, an interior node holds the
            last sweep's
    label   a name for drawings and programs

    Operators take Values, real numbers and NumPy scalars on either side. `==` and `hash` go by identity;
    `< <= > >=` compare data.

    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> c = a * b + a ** 2
    >>> c.backward()
    >>> c.data, a.grad, b.grad                       # dc/da = b + 2a, dc/db = a
    (-2.0, 1.0, 2.0)

    Raises TypeError where `data` is not a real number, OverflowError where an int is too large for a float.
    """

    # _a, _b: the operands, as `graph` describes; _da, _db: the partial derivatives on those edges, in the
    # same arrangement.
    __slots__ = ("_a", "_b", "_da", "_data", "_db", "_grad", "label", "primitive")

    _a: Any
    _b: Any
    _da: Any
    _db: Any
    _data: float
    _grad: float
    label: str
    primitive: Primitive

    def __init__(self, data: Real, label: str = "") -> None:
        if label.__class__ is not str:
            raise TypeError(f"Value label: expected a str, got {type(label).__name__}")
        self._data = real(data, "Value data")
        self._grad = 0.0
        self._a = self._b = None
        self.primitive = LEAF
        self.label = label

    # ---- what a node knows of itself

    @property
    def data(self) -> float:
        """The number. Assigning changes it for later recordings, not for what is already recorded."""
        return self._data

    @data.setter
    def data(self, data: Real) -> None:
        self._data = real(data, "Value data")

    @property
    def grad(self) -> float:
        """The derivative of the root last swept by this value; assign 0.0 to start anew."""
        return self._grad

    @grad.setter
    def grad(self, grad: Real) -> None:
        self._grad = real(grad, "Value grad")

    @property
    def op(self) -> str:
        """The name of the primitive that made this node; "" for a leaf."""
        return self.primitive.name

    @property
    def is_constant(self) -> bool:
        """Whether this leaf was a plain number in somebody's expression, and is not differentiated."""
        return self.primitive is CONSTANT

    @property
    def parents(self) -> tuple[Value, ...]:
        """The operands in order; `a * a` has `a` twice."""
        return _arranged(self._a, self._a, self._b)

    @property
    def partials(self) -> tuple[float, ...]:
        """d(this)/d(parent) for each of `parents`, as of recording."""
        return () if self._a is None else _arranged(self._a, self._da, None if self._b is None else self._db)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._data}, grad={self._grad}{label})"

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else repr(self)

    # ---- arithmetic: the table's rules for + - * / and negation spelled out, for speed; a test holds each
    # of them to its row

    def __add__(self, other: Any) -> Value:
        if other.__class__ is not Value:
            if isinstance(other, np.ndarray):
                return np.add(self, other)  # type: ignore[call-overload, no-any-return]
            other = as_value(other, "add")
        node = _new(Value)
        node._a = self
        node._b = other
        node._da = node._db = 1.0
        node._data = self._data + other._data
        node._grad = 0.0
        node.primitive = _ADD
        node.label = ""
        return node

    def __radd__(self, other: Any) -> Value:  # 2 + a
        return as_value(other, "add") + self

    def __sub__(self, other: Any) -> Value:
        if other.__class__ is not Value:
            if isinstance(other, np.ndarray):
                return np.subtract(self, other)  # type: ignore[call-overload, no-any-return]
            other = as_value(other, "subtract")
        node = _new(Value)
        node._a = self
        node._b = other
        node._da = 1.0
        node._db = -1.0
        node._data = self._data - other._data
        node._grad = 0.0
        node.primitive = _SUBTRACT
        node.label = ""
        return node

    def __rsub__(self, other: Any) -> Value:  # 2 - a
        return as_value(other, "subtract") - self

    def __mul__(self, other: Any) -> Value:
        if other.__class__ is not Value:
            if isinstance(other, np.ndarray):
                return np.multiply(self, other)  # type: ignore[call-overload, no-any-return]
            other = as_value(other, "multiply")
        node = _new(Value)
        node._a = self
        node._b = other
        node._da = b = other._data
        node._db = a = self._data
        node._data = a * b
        node._grad = 0.0
        node.primitive = _MULTIPLY
        node.label = ""
        return node

    def __rmul__(self, other: Any) -> Value:  # 2 * a
        return as_value(other, "multiply") * self

    def __truediv__(self, other: Any) -> Value:
        if other.__class__ is not Value:
            if isinstance(other, np.ndarray):
                return np.divide(self, other)  # type: ignore[call-overload, no-any-return]
            other = as_value(other, "divide")
        node = _new(Value)
        node._a = self
        node._b = other
        b = other._data
        node._data = y = _divide(self._data, b)
        node._da = _divide(1.0, b)
        node._db = -_divide(y, b)
        node._grad = 0.0
        node.primitive = _DIVIDE
        node.label = ""
        return node

    def __rtruediv__(self, other: Any) -> Value:  # 2 / a
        return as_value(other, "divide") / self

    def __pow__(self, other: Any) -> Value:
        if isinstance(other, np.ndarray):
            return np.power(self, other)  # type: ignore[call-overload, no-any-return]
        return record(_POWER, self, as_value(other, "power"))

    def __rpow__(self, other: Any) -> Value:  # 2 ** a
        return record(_POWER, as_value(other, "power"), self)

    def __neg__(self) -> Value:
        node = _new(Value)
        node._a = self
        node._b = None
        node._da = -1.0
        node._data = -self._data
        node._grad = 0.0
        node.primitive = _NEGATIVE
        node.label = ""
        return node

    def __pos__(self) -> Value:
        return self

    # ---- functions: every unary row of the table is a method

    exp = _method("exp")
    log = _method("log")
    sqrt = _method("sqrt")
    tanh = _method("tanh")
    sigmoid = _method("sigmoid")
    relu = _method("relu")
    softplus = _method("softplus")
    __abs__ = _method("absolute")

    # ---- comparisons and conversions

    def __lt__(self, other: Any) -> bool:
        return self._data < _number(other, "<")

    def __le__(self, other: Any) -> bool:
        return self._data <= _number(other, "<=")

    def __gt__(self, other: Any) -> bool:
        return self._data > _number(other, ">")

    def __ge__(self, other: Any) -> bool:
        return self._data >= _number(other, ">=")

    def __float__(self) -> float:
        raise TypeError(
            "float() and the math module would drop a Value's gradient: "
            "use .data for the number, or autograd.exp, autograd.log, … to record the operation"
        )

    def __int__(self) -> int:
        raise TypeError("int() would drop a Value's gradient: use int(value.data) for the number")

    def __bool__(self) -> bool:
        raise TypeError("the truth of a Value is not recorded: compare its number, as in value.data != 0")

    def __reduce__(self) -> tuple[Any, ...]:
        if self._a is not None:
            raise TypeError(
                f"cannot copy or pickle the result of {self.op!r}: the copy would be cut off from the leaves "
                "it was computed from. Copy the leaves and record again"
            )
        return _restore, (self._data, self._grad, self.label, self.is_constant)

    # ---- NumPy: np.exp(value) and np.array([1, 2]) * value record the same primitives

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        name = ufunc.__name__
        compare = _COMPARISONS.get(name)
        if method != "__call__" or options or not (compare or name in PRIMITIVES):
            called = f"np.{name}" if method == "__call__" else f"np.{name}.{method}"
            raise TypeError(f"{called} of a Value is not recorded; NumPy functions that are: {_RECORDED}")

        def apply(*operands: Any) -> Any:
            if compare:
                return compare(*operands)
            return record(PRIMITIVES[name], *[as_value(x, name) for x in operands])

        if not any(isinstance(x, np.ndarray) for x in inputs):
            return apply(*inputs)
        boxed = [_boxed(x) if isinstance(x, Value) else x for x in inputs]
        return np.frompyfunc(apply, len(inputs), 1)(*boxed)

    # ---- the sweep

    def backward(self, gradient: Real = 1.0) -> None:
        """Add d(this)/d(leaf), times `gradient`, to the `.grad` of every leaf this value depends on.

        Interior nodes end with this sweep's gradient. A leaf's sum is formed from zero and then added to
        what it held, so that sweeping twice gives exactly twice the gradient.

        >>> x = Value(3.0)
        >>> y = x * x
        >>> y.backward(); y.backward()
        >>> x.grad                                   # 2 sweeps of dy/dx = 2x
        12.0
        """
        seed = real(gradient, "backward's gradient")
        order = topological_order(self)
        leaves = [node for node in order if node._a is None]
        earlier = [leaf._grad for leaf in leaves]
        for node in order:
            node._grad = 0.0
        self._grad = seed
        for node in reversed(order):
            a = node._a
            b = node._b
            g = node._grad
            if b is not None:
                a._grad += g * node._da
                b._grad += g * node._db
            elif a.__class__ is tuple:
                for operand, partial in zip(a, node._da, strict=True):
                    operand._grad += g * partial
            elif a is not None:
                a._grad += g * node._da
        for leaf, gradient_before in zip(leaves, earlier, strict=True):
            leaf._grad += gradient_before


def _arranged(a: Any, first: Any, second: Any) -> tuple[Any, ...]:
    """One tuple of what is kept by operand, in the arrangement that `graph` describes for operand `a`."""
    if a is None:
        return ()
    if a.__class__ is tuple:
        return tuple(first)
    return (first,) if second is None else (first, second)


def _restore(data: float, grad: float, label: str, constant: bool) -> Value:
    leaf = Value(data, label)
    leaf._grad = grad
    if constant:
        leaf.primitive = CONSTANT
    return leaf


def _number(x: Any, operation: str) -> float:
    return x._data if isinstance(x, Value) else real(x, f"operand of {operation!r}")


def _boxed(value: Value) -> Any:
    """An object array of no dimensions, which NumPy broadcasts as one element."""
    box = np.empty((), dtype=object)
    box[()] = value
    return box


def record(primitive: Primitive, *operands: Value) -> Value:
    """A new node: `primitive` of the operands, its partial derivatives on the edges.

    No partial is computed by a constant among two operands: x ** 2 asks for no logarithm.
    """
    numbers = [operand._data for operand in operands]
    y = primitive.evaluate(SCALAR, numbers)
    node = _new(Value)
    node._b = None
    node._data = y
    node._grad = 0.0
    node.primitive = primitive
    node.label = ""
    if primitive.arity == 2:
        node._a, node._b = a, b = operands
        first, second = primitive.partials
        node._da = 0.0 if a.primitive is CONSTANT else first(SCALAR, y, *numbers)
        node._db = 0.0 if b.primitive is CONSTANT else second(SCALAR, y, *numbers)
    elif primitive.arity == 1:
        node._a = operands[0]
        node._da = primitive.partials[0](SCALAR, y, *numbers)
    else:
        node._a = operands
        node._da = primitive.differentiate(SCALAR, y, numbers)
    return node


def as_value(x: Any, operation: str) -> Value:
    """`x` itself where it is a Value; a constant leaf where it is a real number; else a TypeError."""
    if isinstance(x, Value):
        return x
    node = _new(Value)
    node._data = real(x, f"operand of {operation!r}")
    node._a = node._b = None
    node._grad = 0.0
    node.primitive = CONSTANT
    node.label = ""
    return node
