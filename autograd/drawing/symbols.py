"""The rules of the table in symbols, for one operation on operands of any names: c = a·b, ∂c/∂a = b.

The textbook's formulas are made once for each operation on *places*, and names are put in their places
afterwards: so two operands of one name stay two, and a name can be any text. This room knows the table and
its textbook.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeGuard

from autograd.drawing.picture import shortened
from autograd.primitives import PRIMITIVES
from autograd.textbook import partial_formulas, value_formula

LONGEST_RULE = 90
MOST_OPERANDS = 100  # a formula of more would be cut short anyway, and take long to make
LARGEST_NUMBER = 100  # whole constants up to it are part of a formula: x², 2·x; others stand in their place

# The characters that stand for places and for the value: letters, which need no brackets after a function, or
# characters for private use, which get them.
_PLAIN, _BRACKETED = 0x20000, 0xF0000
_TWICE_BRACKETED = re.compile(r"\((\([^()]+\))\)")  # a negative number, say, that is a function's operand
_ONE_WORD = re.compile(r"[\w.\[\]()]+")
_RESULT = MOST_OPERANDS  # the place after all operands'

# A character is the place of an operand's first use, a float a constant. Formulas are kept by their pattern,
# so no place may be equal to a constant, as the int 1 would be to 1.0.
Pattern = tuple[str | float, ...]


@dataclass(frozen=True, slots=True)
class Operand:
    """An operand of some node: which box it is, what it is called, and its number where it is a constant."""

    box: int
    name: str
    constant: float | None = None


def rule(operation: str, value: str, operands: Sequence[Operand]) -> tuple[str, list[str]]:
    """The operation in symbols, and its partial derivative by each operand; `value` is the result's name.

    >>> a, b = Operand(0, "a"), Operand(1, "b")
    >>> rule("multiply", "c", [a, b]), rule("tanh", "y", [a])
    (('a·b', ['b', 'a']), ('tanh a', ['1 − y²']))
    >>> rule("subtract", "y", [a, Operand(1, "x+y")])[0]
    'a − (x+y)'

    Both are empty texts where there is no formula: of very many operands, and for a rule of somebody's own
    that asks more of its operands than the table's rules do.
    """
    names = [operand.name for operand in operands]
    places = _PLAIN if all(name.isalnum() for name in (*names, value)) else _BRACKETED
    formula, partials = _formulas(operation, _pattern(operands, places), chr(places + _RESULT))
    written = {places + i: _operand(name) for i, name in enumerate(names)}
    written[places + _RESULT] = _operand(value)
    return _named(formula, written), [_named(partial, written) for partial in partials]


def in_numbers(operation: str, operands: Sequence[Operand], numbers: Sequence[str]) -> str:
    """The operation's formula with each operand's number in its place.

    >>> in_numbers("multiply", [Operand(0, "a"), Operand(1, "b")], ["2", "-3"])
    '2·(-3)'
    >>> in_numbers("tanh", [Operand(0, "a")], ["-3"])
    'tanh(-3)'
    """
    written = {
        _BRACKETED + i: f"({number})" if number.startswith("-") else number
        for i, number in enumerate(numbers)
    }
    formula, _ = _formulas(operation, _pattern(operands, _BRACKETED), chr(_BRACKETED + _RESULT))
    formula = formula.translate(written)
    return shortened(_TWICE_BRACKETED.sub(r"\1", formula), LONGEST_RULE)


def _pattern(operands: Sequence[Operand], places: int) -> Pattern:
    first: dict[int, str] = {}
    return tuple([
        operand.constant if _stands(operand.constant) else first.setdefault(operand.box, chr(places + i))
        for i, operand in enumerate(operands)
    ])  # fmt: skip


def _stands(constant: float | None) -> TypeGuard[float]:
    """Whether a number is part of the formula; -0.0 is not, as it equals 0.0 and is another number."""
    if constant is None or not constant.is_integer() or abs(constant) > LARGEST_NUMBER:
        return False
    return constant != 0 or math.copysign(1, constant) > 0


def _operand(name: str) -> str:
    """A name as it stands in a formula: in brackets where it might be read as one itself."""
    return name if _ONE_WORD.fullmatch(name) else f"({name})"


def _named(formula: str, names: dict[int, str]) -> str:
    return shortened(_TWICE_BRACKETED.sub(r"\1", formula.translate(names)), LONGEST_RULE)


@lru_cache(maxsize=4096)
def _formulas(operation: str, pattern: Pattern, result: str) -> tuple[str, tuple[str, ...]]:
    """The value and the partial derivatives on places, of which one is the result's."""
    nothing = "", ("",) * len(pattern)
    row = PRIMITIVES.get(operation)
    if row is None or len(pattern) > MOST_OPERANDS:
        return nothing
    try:
        return value_formula(row, pattern), tuple(partial_formulas(row, pattern, result))
    except (TypeError, ValueError, AttributeError):
        return nothing
