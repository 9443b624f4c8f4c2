"""Value: a number that remembers how it was computed.

Operators record nodes; `backward()` sweeps them in reverse topological order. The partial derivatives are
computed when a node is recorded and kept on its edges: the sweep is one multiply-add an edge, and changing
`.data` later cannot corrupt it.

This room knows the table of primitives, the walks over a graph and what makes a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.graph import adjoints, arranged, cleared, sweep, topological_order
from autograd.micrograd import MicrogradNames
from autograd.namespaces import SCALAR, Namespace, recording
from autograd.numberlike import NumberLike, Real, number, real
from autograd.primitives import PRIMITIVES, Primitive

LEAF = Primitive("", "", 0, value=lambda m: None, partials=(), domain=())
CONSTANT = Primitive("", "", 0, value=lambda m: None, partials=(), domain=())

_ADD, _SUBTRACT, _MULTIPLY, _RELU = (PRIMITIVES[name] for name in ("add", "subtract", "multiply", "relu"))

# What `modes` sets while it is in force in any thread: sees every node recorded, and gives it back.
_watch: Callable[[Value], Value] | None = None

# and every order swept, with the function that tells the gradient that arrived at a node
_watch_sweep: Callable[[Sequence[Value], Callable[[Value], float]], None] | None = None

_new = object.__new__


def _unary(name: str) -> Callable[[Value], Value]:
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
        return node if _watch is None else _watch(node)

    method.__name__ = name
    method.__doc__ = f"Record {primitive.symbol} of this value, by the row {name!r} of the table."
    return method


def _binary(name: str) -> Callable[[Value, Any], Value]:
    """The method that records the primitive `name` of this value and another operand."""
    primitive = PRIMITIVES[name]
    value, (by_a, by_b) = primitive.value, primitive.partials

    def method(self: Value, other: Any, modulus: None = None) -> Any:
        if modulus is not None:
            raise TypeError(f"{name!r} takes two operands, got 3: pow with a modulus is for integers")
        if other.__class__ is not Value:
            if isinstance(other, np.ndarray):
                return NotImplemented  # the array's own operator calls this one for each entry
            other = as_value(other, name)
        a, b = self._data, other._data
        node = _new(Value)
        node._a = self
        node._b = other
        node._data = y = value(SCALAR, a, b)
        node._da = 0.0 if self.primitive is CONSTANT else by_a(SCALAR, y, a, b)
        node._db = 0.0 if other.primitive is CONSTANT else by_b(SCALAR, y, a, b)
        node._grad = 0.0
        node.primitive = primitive
        return node if _watch is None else _watch(node)

    method.__name__ = name
    method.__doc__ = f"Record {primitive.symbol} of two operands, by the row {name!r} of the table."
    return method


class Value(NumberLike, MicrogradNames):
    """One scalar in a recorded computation.

    data    the number, a Python float
    grad    d(swept root)/d(this), a Python float; leaves add up over sweeps, an interior node holds the
            last sweep's
    label   a name for drawings and programs

    Operators take Values, real numbers and NumPy scalars on either side. `==` and `hash` go by identity;
    `< <= > >=` compare data. Threads may record and sweep graphs of their own at the same time; sharing
    leaves between threads is not supported.

    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> c = a * b + a ** 2
    >>> c.backward()
    >>> c.data, a.grad, b.grad                       # dc/da = b + 2a, dc/db = a
    (-2.0, 1.0, 2.0)

    Raises TypeError where `data` is not a real number, OverflowError where an int is too large for a float.
    """

    # _a, _b: the operands, as `graph` describes; _da, _db: the partial derivatives on those edges, in the
    # same arrangement.
    __slots__ = ("_a", "_b", "_da", "_data", "_db", "_grad", "_label", "primitive")

    _a: Any
    _b: Any
    _da: Any
    _db: Any
    _data: float
    _grad: float
    _label: str
    primitive: Primitive

    def __init__(self, data: Real, label: str = "") -> None:
        self.label = label
        self._data = real(data, "Value data")
        self._grad = 0.0
        self._a = self._b = None
        self.primitive = LEAF

    # ---- what a node knows of itself

    @property
    def data(self) -> float:
        """The number. Assigning changes it for later recordings, not for what is already recorded."""
        return self._data

    @data.setter
    def data(self, data: Real) -> None:
        self._data = real(data, "Value data")

    @property
    def grad(self) -> Any:
        """The derivative of the root last swept by this value, a float; assign 0.0 to start anew.

        After a sweep with create_graph it is a Value.
        """
        return self._grad

    @grad.setter
    def grad(self, grad: Real) -> None:
        self._grad = real(grad, "Value grad")

    @property
    def label(self) -> str:
        """A name for drawings and programs; "" until it is given, which costs a node nothing."""
        return getattr(self, "_label", "")

    @label.setter
    def label(self, label: str) -> None:
        if not isinstance(label, str):
            raise TypeError(f"Value label: expected a str, got {type(label).__name__} {label!r:.60}")
        self._label = label

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
        return arranged(self._a, self._a, self._b)

    @property
    def partials(self) -> tuple[float, ...]:
        """d(this)/d(parent) for each of `parents`, as of recording."""
        return () if self._a is None else arranged(self._a, self._da, None if self._b is None else self._db)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._data}, grad={self._grad}{label})"

    # ---- arithmetic: the table's rules for + - * and relu spelled out, which halves what an operation costs;
    # a test holds each of them to its row

    def __add__(self, other: Any) -> Value:
        if other.__class__ is not Value:
            if isinstance(other, np.ndarray):
                return NotImplemented
            other = as_value(other, "add")
        node = _new(Value)
        node._a = self
        node._b = other
        node._da = node._db = 1.0
        node._data = self._data + other._data
        node._grad = 0.0
        node.primitive = _ADD
        return node if _watch is None else _watch(node)

    def __radd__(self, other: Any) -> Value:  # 2 + a
        return as_value(other, "add") + self

    def __sub__(self, other: Any) -> Value:
        if other.__class__ is not Value:
            if isinstance(other, np.ndarray):
                return NotImplemented
            other = as_value(other, "subtract")
        node = _new(Value)
        node._a = self
        node._b = other
        node._da = 1.0
        node._db = -1.0
        node._data = self._data - other._data
        node._grad = 0.0
        node.primitive = _SUBTRACT
        return node if _watch is None else _watch(node)

    def __rsub__(self, other: Any) -> Value:  # 2 - a
        return as_value(other, "subtract") - self

    def __mul__(self, other: Any) -> Value:
        if other.__class__ is not Value:
            if isinstance(other, np.ndarray):
                return NotImplemented
            other = as_value(other, "multiply")
        node = _new(Value)
        node._a = self
        node._b = other
        node._da = b = other._data
        node._db = a = self._data
        node._data = a * b
        node._grad = 0.0
        node.primitive = _MULTIPLY
        return node if _watch is None else _watch(node)

    def __rmul__(self, other: Any) -> Value:  # 2 * a
        return as_value(other, "multiply") * self

    __truediv__ = _binary("divide")
    __pow__ = _binary("power")

    def __rtruediv__(self, other: Any) -> Value:  # 2 / a
        return as_value(other, "divide") / self

    def __rpow__(self, other: Any) -> Value:  # 2 ** a
        return as_value(other, "power") ** self

    def __pos__(self) -> Value:
        return self

    def relu(self) -> Value:
        """Record relu of this value, which is the value itself where it is positive and 0 elsewhere."""
        x = self._data
        node = _new(Value)
        node._a = self
        node._b = None
        node._da = 1.0 if x > 0 else 0.0 if x <= 0 else x  # the last is nan
        node._data = 0.0 if x <= 0 else x
        node._grad = 0.0
        node.primitive = _RELU
        return node if _watch is None else _watch(node)

    # ---- functions: every unary row of the table is a method

    exp, exp2, expm1 = map(_unary, ("exp", "exp2", "expm1"))
    log, log2, log10, log1p = map(_unary, ("log", "log2", "log10", "log1p"))
    sqrt, cbrt = map(_unary, ("sqrt", "cbrt"))
    sin, cos, tan = map(_unary, ("sin", "cos", "tan"))
    asin, acos, atan = map(_unary, ("asin", "acos", "atan"))
    sinh, cosh, tanh = map(_unary, ("sinh", "cosh", "tanh"))
    asinh, acosh, atanh = map(_unary, ("asinh", "acosh", "atanh"))
    erf, erfc = map(_unary, ("erf", "erfc"))
    sigmoid, logsigmoid, softplus = map(_unary, ("sigmoid", "logsigmoid", "softplus"))
    gelu, silu = map(_unary, ("gelu", "silu"))
    __neg__, __abs__ = map(_unary, ("negative", "absolute"))

    # NumPy's names for them, which its functions look up on the entries of object arrays
    arcsin, arccos, arctan = asin, acos, atan
    arcsinh, arccosh, arctanh = asinh, acosh, atanh

    arctan2 = _binary("atan2")
    hypot = _binary("hypot")

    # ---- NumPy and copies

    def _apply(self, primitive: Primitive, operands: Sequence[Any]) -> Any:
        return apply(primitive, operands)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._a is not None:
            raise TypeError(
                f"cannot copy or pickle the result of {self.op!r}: the copy would be cut off from the leaves "
                "it was computed from. Copy the leaves and record again"
            )
        return _restore, (self._data, self._grad, self.label, self.is_constant)

    # ---- the sweep

    def detach(self) -> Value:
        """A constant of the same data: what is computed from it is not differentiated by this value.

        >>> x = Value(3.0)
        >>> (x * x.detach()).backward()
        >>> x.grad                                   # the second factor counts as the number 3
        3.0
        """
        return as_value(self._data, "detach")

    def zero_grad(self) -> None:
        """Set the gradient to 0."""
        self._grad = 0.0

    def backward(self, gradient: Real = 1.0, create_graph: bool = False) -> None:
        """Add d(this)/d(leaf), times `gradient`, to the `.grad` of every leaf this value depends on.

        Interior nodes end with this sweep's gradient. A leaf's sum is formed from zero and then added to
        what it held, so that sweeping twice gives exactly twice the gradient.

        >>> x = Value(3.0)
        >>> y = x * x
        >>> y.backward(); y.backward()
        >>> x.grad                                   # 2 sweeps of dy/dx = 2x
        12.0

        With create_graph, the gradients are recorded too: every `.grad` becomes a Value, which can itself
        be swept, for derivatives of any order. A leaf then refers to its gradient and that to the leaf, a
        cycle: set `.grad` to 0.0 when done, or use `autograd.grad`, which leaves none.

        >>> x.grad = 0.0
        >>> (x ** 4).backward(create_graph=True)
        >>> first, x.grad = x.grad, 0.0
        >>> first.backward()
        >>> first.data, x.grad                       # 4x³, 12x²
        (108.0, 108.0)

        Raises RuntimeError on a constant: nothing was recorded that it depends on.
        """
        seed = real(gradient, "backward's gradient")
        if self.primitive is CONSTANT:
            raise RuntimeError(
                f"backward on the constant {self._data}, of which nothing is recorded: it was computed "
                "within no_grad(), detached, or a plain number. Compute it from Values outside of no_grad()"
            )
        if create_graph:
            order = topological_order(self)
            for node, recorded in adjoints(order, seed, recorded_partials).items():
                gradient_now = as_value(recorded, "backward")
                node._grad = gradient_now if node._a is not None else gradient_now + node._grad
            return
        earlier: dict[Value, Any] = {}
        try:
            order = cleared(self, earlier)
            self._grad = seed
            sweep(order)
            for leaf, gradient_before in earlier.items():
                leaf._grad += gradient_before
            if _watch_sweep is not None:
                _watch_sweep([*earlier, *order], lambda node: number(node._grad, "gradient"))
        except BaseException:  # an anomaly, or an interrupt: leaves hold what they held
            for leaf, gradient_before in earlier.items():
                leaf._grad = gradient_before
            raise


def _restore(data: float, grad: float, label: str, constant: bool) -> Value:
    leaf = Value(data, label)
    leaf._grad = grad
    if constant:
        leaf.primitive = CONSTANT
    return leaf


def recorded_partials(node: Value) -> tuple[Any, ...]:
    """d(node)/d(parent) for each parent, recorded: the table's rules evaluated on the graph's own nodes."""
    parents = node.parents
    partials = _partials(node.primitive, GRAPH, node, parents, parents)
    for parent, old, new in zip(parents, node.partials, partials, strict=True):
        number = new._data if isinstance(new, Value) else new
        if number != old and not (math.isnan(number) and math.isnan(old)) and not parent.is_constant:
            raise RuntimeError(
                f"the data of an operand of {node.op!r} changed after it was recorded: its derivative can no "
                "longer be recorded. Compute the result anew before differentiating it twice"
            )
    return partials


def record(primitive: Primitive, *operands: Value) -> Value:
    """A new node: `primitive` of the operands, its partial derivatives on the edges."""
    numbers = [operand._data for operand in operands]
    node = _new(Value)
    node._data = y = primitive.evaluate(SCALAR, numbers)
    partials = _partials(primitive, SCALAR, y, numbers, operands)
    if len(operands) > 2 or primitive.arity is None:
        node._a, node._b, node._da = operands, None, partials
    elif len(operands) == 2:
        (node._a, node._b), (node._da, node._db) = operands, partials
    else:
        (node._a,), node._b, (node._da,) = operands, None, partials
    node._grad = 0.0
    node.primitive = primitive
    return node if _watch is None else _watch(node)


def _partials(
    primitive: Primitive, m: Namespace, y: Any, numbers: Sequence[Any], operands: Sequence[Value]
) -> tuple[Any, ...]:
    """The partial derivatives by each operand; 0 by a constant, where the rules can be asked singly."""
    if primitive.arity is None:
        return primitive.differentiate(m, y, numbers)
    return tuple([
        0.0 if operand.primitive is CONSTANT else rule(m, y, *numbers)
        for operand, rule in zip(operands, primitive.partials, strict=True)
    ])  # fmt: skip


def apply(primitive: Primitive, operands: Sequence[Any]) -> Any:
    """The primitive of numbers as a number, of numbers and Values as a recorded Value."""
    name = primitive.name
    kinds = set(map(type, operands))  # told without a Python step for each operand
    if kinds == {Value}:
        return record(primitive, *operands)
    if any(issubclass(kind, Value) for kind in kinds):
        return record(primitive, *[as_value(x, name) for x in operands])
    return primitive.evaluate(SCALAR, [real(x, "operand of", name) for x in operands])


def as_value(x: Any, operation: str) -> Value:
    """`x` itself where it is a Value; a constant leaf where it is a real number; else a TypeError."""
    if x.__class__ is not float:
        if isinstance(x, Value):
            return x
        x = real(x, "operand of", operation)
    node = _new(Value)
    node._data = x
    node._a = node._b = None
    node._grad = 0.0
    node.primitive = CONSTANT
    return node


GRAPH = recording(lambda name, operands: apply(PRIMITIVES[name], operands), number)
