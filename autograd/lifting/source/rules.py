"""The table's rules as NumPy text: each row evaluated over pieces of text in the place of numbers.

    tanh        value np.tanh(z1)                                       partial 1 - a1 * a1
    logsumexp   value top + np.log(np.sum(np.exp(z1 - top), axis=0))    partial np.exp(z1 - y)

No rule stands here twice. What NumPy has no function for is called from the namespace ARRAY; a user's own
primitive is called by its name.

This room knows expressions, the table of primitives and the namespaces of its rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from autograd.lifting.source.expressions import (
    Expression,
    Shape,
    called,
    compared,
    named,
    piece,
    quotient,
    raised,
)
from autograd.namespaces import ARRAY, SCALAR, Namespace
from autograd.primitives import Primitive

_LONGEST = 16  # operands of a product whose partials are written one by one

# Shorter than the table's rules for the same numbers; programs are executed in the same way.
_VALUES: dict[str, Callable[..., Expression]] = {
    "relu": lambda x: called("np.maximum", x, 0.0),
    "maximum": lambda a, b: called("np.maximum", a, b),
    "minimum": lambda a, b: called("np.minimum", a, b),
}
_PARTIALS: dict[str, Callable[..., Expression]] = {"relu": lambda y, x: called("np.sign", y)}


class Axis(NamedTuple):
    """Along which an operation of any number of operands has them: the first, or another that it keeps."""

    number: int = 0

    def reduced(self, function: str, xs: Expression) -> Expression:
        """One of NumPy's functions that take such an axis."""
        options = f", axis={self.number}" + ", keepdims=True" * (self.number > 0)
        kept: Shape = (*xs.shape[: self.number], 1, *xs.shape[self.number + 1 :])
        return called(function, xs, shape=kept if self.number else xs.shape[1:], options=options)


FIRST = Axis()


class Sections:
    """Operands of any number, in arrays of several each, which rules find as slices."""

    def __init__(self, sections: Sequence[Expression]) -> None:
        self._sections = {}
        end = 0
        for section in sections:
            self._sections[end, end + len(section)] = section
            end += len(section)
        self._size = end

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, key: slice) -> Expression:
        return self._sections[key.indices(self._size)[:2]]


def value(primitive: Primitive, operands: Sequence[Any], axis: Axis = FIRST) -> Expression:
    """The operation's value on pieces of text and numbers; one of any number of operands takes sections.

    >>> from autograd.primitives import PRIMITIVES
    >>> print(value(PRIMITIVES["divide"], [named("a"), 2.0]))
    a / 2.0
    >>> print(value(PRIMITIVES["softplus"], [named("z")]))
    np.where(z > 0, z, np.where(z <= 0, 0.0, z)) + np.log1p(np.exp(-np.abs(z)))
    """
    if primitive.name == "prod":
        return axis.reduced("np.prod", operands[0])
    if primitive.arity is None:
        return piece(primitive.value(_namespace(axis), _sequence(operands)))
    if is_foreign(primitive):
        return called(f"{_called_by_name(primitive)}.value", named("ARRAY"), *operands)
    if primitive.name in _VALUES:
        return _VALUES[primitive.name](*operands)
    return piece(primitive.value(_namespace(axis), *operands))


def partial(primitive: Primitive, i: int, y: Expression, operands: Sequence[Any]) -> Any:
    """Its partial derivative by operand i, where y is the value: a piece or a number.

    >>> from autograd.primitives import PRIMITIVES
    >>> print(partial(PRIMITIVES["tanh"], 0, named("y"), [named("x")]))
    1 - y * y
    """
    if is_foreign(primitive):
        return called(f"{_called_by_name(primitive)}.partials[{i}]", named("ARRAY"), y, *operands)
    if primitive.name in _PARTIALS:
        return _PARTIALS[primitive.name](y, *operands)
    return primitive.partials[i](_namespace(FIRST), y, *operands)


def section_partials(
    primitive: Primitive, y: Expression, sections: Sequence[Expression], axis: Axis = FIRST
) -> list[Expression]:
    """The partial derivatives of an operation of any number of operands, by those of each section.

    >>> from autograd.primitives import PRIMITIVES
    >>> print(*section_partials(PRIMITIVES["norm"], named("y"), [named("x", (3,))]))
    np.where(y == 0, 0.0, x / y)
    """
    rule = primitive.partials[0]
    if primitive.name == "prod":
        (xs,) = sections
        if len(xs) == 1:
            return [called("np.ones_like", xs, shape=xs.shape)]
        if len(xs) > _LONGEST:
            called_rule = called(f"{_called_by_name(primitive)}.partials[0]", named("ARRAY"), y, xs)
            return [called("np.stack", called_rule, shape=xs.shape)]
        return [_stacked(rule(_namespace(axis), y, list(xs)))]
    found = rule(_namespace(axis), y, _sequence(sections))
    if isinstance(found, Expression):
        return [found]
    rows, stacked = list(found), []
    for section in sections:
        stacked.append(_stacked(rows[: len(section)]))
        rows = rows[len(section) :]
    return stacked


def is_foreign(primitive: Primitive) -> bool:
    """Whether it is a user's own: the table's rows say where tests may draw their operands."""
    return not primitive.domain


def _called_by_name(primitive: Primitive) -> str:
    return f"PRIMITIVES[{primitive.name!a}]"


def _sequence(sections: Sequence[Expression]) -> Any:
    return sections[0] if len(sections) == 1 else Sections(sections)


def _stacked(rows: Sequence[Any]) -> Expression:
    """Rows as one array: where they are those of an array, that array."""
    parents = [row.row_of for row in rows if isinstance(row, Expression) and row.row_of is not None]
    if len(parents) == len(rows) == len(parents[0][0]):
        whole = parents[0][0]
        if all(parent is whole and i == k for k, (parent, i) in enumerate(parents)):
            return whole
    pieces = list(map(piece, rows))
    shape = (len(rows), *max((x.shape for x in pieces), key=len))
    return called("np.stack", Expression(f"[{', '.join(['{}'] * len(rows))}]", pieces, shape))


# ---- the namespace of pieces


def _printed(name: str) -> str:
    function = getattr(ARRAY, name)
    return f"np.{function.__name__}" if isinstance(function, np.ufunc) else f"ARRAY.{name}"


def _of_pieces(name: str, write: Callable[..., Any]) -> Callable[..., Any]:
    """A function of pieces; where all operands are numbers, of numbers."""
    of_numbers = getattr(SCALAR, name)

    def function(*operands: Any) -> Any:
        return (write if any(isinstance(x, Expression) for x in operands) else of_numbers)(*operands)

    return function


def _where(condition: Any, a: Any, b: Any) -> Any:
    return called("np.where", condition, a, b) if isinstance(condition, Expression) else a if condition else b


def _calls() -> Iterator[tuple[str, Callable[..., Any]]]:
    for field in fields(Namespace):
        printed = _printed(field.name)
        yield field.name, lambda *operands, printed=printed: called(printed, *operands)


@cache
def _namespace(axis: Axis) -> Namespace:
    elementwise = dict(_calls()) | {
        "divide": quotient,
        "power": raised,
        "equal": lambda a, b: compared(a, "==", b),
    }
    functions: dict[str, Any] = {name: _of_pieces(name, write) for name, write in elementwise.items()}
    functions |= {
        "where": _where,
        "sum": lambda xs: axis.reduced("np.sum", xs),
        "max": lambda xs: axis.reduced("np.max", xs),
        "norm": lambda xs: axis.reduced("np.hypot.reduce", xs),
        "dot": lambda ws, xs: axis.reduced("np.sum", ws * xs),
        "each": lambda function, *operands: function(*operands),
    }
    return Namespace(**functions)
