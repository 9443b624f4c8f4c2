"""How a Value stands among Python's and NumPy's numbers: what counts as one, and what a Value may pass for.

Comparisons go by data; conversions that would silently drop the gradient are refused with the way to go;
NumPy's functions record the table's rows. This room knows the table, and of a Value only that it has `_data`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from autograd.primitives import PRIMITIVES, Primitive

Real: TypeAlias = "float | int | np.floating[Any] | np.integer[Any]"

_REAL = (int, float, np.integer, np.floating)
_UFUNCS = {row.ufunc or row.name: row for row in PRIMITIVES.values()}
_RECORDED = ", ".join(sorted(name for name in _UFUNCS if isinstance(getattr(np, name, None), np.ufunc)))
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.is_,
    "not_equal": operator.is_not,
}


def real(x: Any, what: str, operation: str = "") -> float:
    """`x` as a Python float, or a TypeError that names `what` it was meant for, and of which operation."""
    if x.__class__ is float:
        return x
    if isinstance(x, _REAL) and not isinstance(x, (bool, np.timedelta64)):  # to Python and NumPy, integers
        try:
            return float(x)
        except OverflowError:
            what += f" {operation!r}" if operation else ""
            raise OverflowError(f"{what}: this int is too large for a float (1.8e308 at most)") from None
    what += f" {operation!r}" if operation else ""
    is_value = isinstance(x, NumberLike)
    shown = f"a Value ({x!r}); use its .data" if is_value else f"{type(x).__name__} {x!r:.60}"
    raise TypeError(f"{what}: expected a real number, got {shown}")


def number(x: Any, operation: str) -> float:
    """The data of a Value, or the real number itself."""
    return x._data if isinstance(x, NumberLike) else real(x, "operand of", operation)


class NumberLike:
    """What a Value has in common with a number, and what it refuses."""

    __slots__ = ()

    _data: float

    def _apply(self, primitive: Primitive, operands: Sequence[Any]) -> Any:
        """The primitive of these operands, recorded."""
        raise TypeError(f"{type(self).__name__} does not record")

    # to an array's own operator, which compares each entry, goes what is compared with an array

    def __lt__(self, other: Any) -> bool:
        return NotImplemented if isinstance(other, np.ndarray) else self._data < number(other, "<")

    def __le__(self, other: Any) -> bool:
        return NotImplemented if isinstance(other, np.ndarray) else self._data <= number(other, "<=")

    def __gt__(self, other: Any) -> bool:
        return NotImplemented if isinstance(other, np.ndarray) else self._data > number(other, ">")

    def __ge__(self, other: Any) -> bool:
        return NotImplemented if isinstance(other, np.ndarray) else self._data >= number(other, ">=")

    def __float__(self) -> float:
        raise TypeError(
            "float() and the math module would drop a Value's gradient: "
            "use .data for the number, or autograd.exp, autograd.log, … to record the operation"
        )

    def __int__(self) -> int:
        raise TypeError("int() would drop a Value's gradient: use int(value.data) for the number")

    def __bool__(self) -> bool:
        raise TypeError("the truth of a Value is not recorded: compare its number, as in value.data != 0")

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else repr(self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        name = ufunc.__name__
        compares = name in _COMPARISONS
        out = None if compares else options.pop("out", None)  # as in array += value
        if method != "__call__" or options or not (compares or name in _UFUNCS):
            called = f"np.{name}" if method == "__call__" else f"np.{name}.{method}"
            with_options = f" with {', '.join(options)}" if options else ""
            raise TypeError(
                f"{called} of a Value{with_options} is not recorded; NumPy functions that are: {_RECORDED}"
            )
        if compares:
            return np.asarray(_elementwise(_COMPARISONS[name], inputs, out), dtype=bool)[()]
        return _elementwise(lambda *operands: self._apply(_UFUNCS[name], operands), inputs, out)


def _elementwise(function: Callable[..., Any], inputs: Sequence[Any], out: Any) -> Any:
    if out is None and not any(isinstance(x, np.ndarray) for x in inputs):
        return function(*inputs)
    boxed = [_boxed(x) if isinstance(x, NumberLike) else x for x in inputs]
    on_objects = np.frompyfunc(function, len(inputs), 1)
    if out is None:
        return on_objects(*boxed)
    if out[0].dtype != object:
        raise TypeError(
            f"an array of {out[0].dtype} cannot hold a Value: instead of array += value "
            "write array = array + value, which makes an array of objects"
        )
    return on_objects(*boxed, out=out)


def _boxed(value: NumberLike) -> Any:
    """An object array of no dimensions, which NumPy broadcasts as one element."""
    box = np.empty((), dtype=object)
    box[()] = value
    return box
