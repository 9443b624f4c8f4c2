"""The rules of the table as formulas in a textbook's notation.

The namespace TEXT makes formulas of names as the others make numbers of numbers: a row evaluated on it is its
own documentation, and no second table can go stale. Formulas are those of real numbers: what a rule does for
the sake of nan, overflow or lost digits is not seen.

This room knows the table, the namespaces' names and the algebra of formulas.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from typing import Any

from autograd.algebra import Formula, call, compare, formula, name, where
from autograd.namespaces import Namespace
from autograd.notation import text
from autograd.primitives import Primitive

_MANY = {  # operands of rows that take any number, and not just one sequence of equals
    "dot": ("w₁", "w₂", "x₁", "x₂", "b"),
    "softmax_cross_entropy": ("z₁", "z₂", "t₁", "t₂"),
}


def operand_names(row: Primitive) -> tuple[str, ...]:
    """What the row's own rule calls its operands; of any number, three.

    >>> from autograd.primitives import PRIMITIVES
    >>> operand_names(PRIMITIVES["clip"]), operand_names(PRIMITIVES["sum"])
    (('x', 'low', 'high'), ('x₁', 'x₂', 'x₃'))
    """
    if row.arity is None:
        return _MANY.get(row.name, ("x₁", "x₂", "x₃"))
    return tuple(inspect.signature(row.value).parameters)[1:]


def value_formula(primitive: Primitive, operands: Sequence[str | float]) -> str:
    """The operation's value on operands of these names; a number stands for itself.

    >>> from autograd.primitives import PRIMITIVES
    >>> value_formula(PRIMITIVES["hypot"], ("a", "b")), value_formula(PRIMITIVES["power"], ("x", 2))
    ('√(a² + b²)', 'x²')
    """
    return text(formula(primitive.evaluate(TEXT, list(map(_operand, operands)))))


def partial_formulas(primitive: Primitive, operands: Sequence[str | float], value: str = "y") -> list[str]:
    """Its partial derivative by each operand, where `value` is the value's name.

    >>> from autograd.primitives import PRIMITIVES
    >>> partial_formulas(PRIMITIVES["tanh"], ("x",)), partial_formulas(PRIMITIVES["divide"], ("a", "b"), "c")
    (['1 − y²'], ['1/b', '−c/b'])
    """
    rules = primitive.differentiate(TEXT, name(value), list(map(_operand, operands)))
    return [text(formula(rule)) for rule in rules]


def _operand(operand: str | float) -> Formula:
    return name(operand) if isinstance(operand, str) else formula(operand)


def _choose(condition: Any, a: Any, b: Any) -> Formula:
    return where(compare(condition, "≠", 0) if isinstance(condition, Formula) else condition, a, b)


def _sum(xs: Sequence[Any]) -> Formula:
    return sum(map(formula, xs), formula(0))


def _root_of_squares(xs: Sequence[Any]) -> Formula:
    return call("√", _sum([formula(x) ** 2 for x in xs]))


_DEFINED: dict[str, Callable[..., Any]] = {  # where the textbook's notation is not just the name
    "exp2": lambda x: formula(2) ** x,
    "expm1": lambda x: call("exp", x) - 1,
    "log1p": lambda x: call("log", 1 + x),
    "log2": lambda x: call("log₂", x),
    "log10": lambda x: call("log₁₀", x),
    "sqrt": lambda x: call("√", x),
    "cbrt": lambda x: call("∛", x),
    "sigmoid": lambda x: 1 / (1 + call("exp", -x)),
    "isnan": lambda x: False,
    "divide": lambda a, b: formula(a) / b,
    "power": lambda x, n: formula(x) ** n,
    "hypot": lambda a, b: _root_of_squares((a, b)),
    "equal": lambda a, b: compare(a, "=", b),
    "where": _choose,
    "sum": _sum,
    "each": lambda function, *xs: [function(*operands) for operands in zip(*xs, strict=True)],
    "max": lambda xs: call("max", *xs),
    "norm": _root_of_squares,
    "dot": lambda ws, xs: _sum([formula(w) * x for w, x in zip(ws, xs, strict=True)]),
}

TEXT = Namespace(
    **{field.name: _DEFINED.get(field.name, partial(call, field.name)) for field in fields(Namespace)}
)
