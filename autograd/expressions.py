"""Expressions as people type them, "tanh(w1*x1 + b)", read and computed on Values; never evaluated as Python.

    expression = term, then any number of + term or - term
    term       = signed, then any number of * signed or / signed
    signed     = - signed, + signed, or power
    power      = atom, or atom ** signed
    atom       = number, name, function(expression, …), or (expression)

That is Python's grammar of arithmetic, and its precedence; anything else is refused with its place. Length
and depth are bounded, so that a stranger's text can be read. This room knows the table, Value,
and how wide a text is.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autograd.cells import cells
from autograd.primitives import PRIMITIVES, Primitive
from autograd.value import Value, apply

LONGEST = 10_000  # characters
DEEPEST = 100  # brackets, signs and powers within one another
SHOWN = 76  # characters of an expression around the place of an error

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<sign>\*\*|[-+*/(),])|(?P<end>\Z)|(?P<other>.))",  # a name begins as some other
    re.DOTALL,
)
_SIGNS_IN_NAMES = {"·", "\u0387"}  # one sign, twice in Unicode; Python lets names go on with it

_BINARY = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power"}
_OWN_NAMES = {"abs": "absolute", "max": "maximum", "min": "minimum"}  # as Python calls them
_NO_FUNCTIONS = {*_BINARY.values(), "negative", "dot", "softmax_cross_entropy"}  # operators; pairs of lists
_HINTS = {
    "^": "powers are written **",
    "=": "values are given after the expression, as in x=2",
    ".": "there are no attributes; multiplication is written *",
    "[": "there are no lists",
    '"': "there are no texts",
    "'": "there are no texts",
    "×": "multiplication is written *",
    "·": "multiplication is written *",
    "÷": "division is written /",
    "−": "minus is written -",
    **dict.fromkeys("⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ", "powers are written **"),
    **dict.fromkeys("₀₁₂₃₄₅₆₇₈₉", "names have plain digits, as in x1"),
    **dict.fromkeys("½⅓⅔¼¾", "fractions are written with /"),
}


class ExpressionError(ValueError):
    """Not an expression; the message shows it, with a caret under the offending place."""

    def __init__(self, reason: str, source: str, place: int) -> None:
        line, caret = _excerpt(source, place)
        super().__init__(f"{reason}\n  {line}\n  {caret}")
        self.reason = reason
        self.place = place


def _excerpt(source: str, place: int) -> tuple[str, str]:
    """One line of the source around the place, and a line with a caret under it."""
    start = max(0, min(place - SHOWN // 2, len(source) - SHOWN))
    shown = source[start : start + SHOWN].replace("\n", " ").replace("\t", " ")
    line = "".join(c if c.isprintable() else "\ufffd" for c in shown)
    before, after = "…" if start else "", "…" if start + SHOWN < len(source) else ""
    return f"{before}{line}{after}", f"{' ' * cells(before + line[: place - start])}^"


def name_in(text: str) -> str | None:
    """The name that a text is, in Unicode's composed form; None where an expression cannot hold it.

    >>> name_in("w1"), name_in("e\u0301") == "\u00e9", name_in("x²"), name_in("2x")
    ('w1', True, None, None)
    """
    name = unicodedata.normalize("NFC", text)
    return name if name.isidentifier() and not _SIGNS_IN_NAMES & {*name} else None


def functions() -> dict[str, Primitive]:
    """The functions that an expression may use: the table's, by their names there and Python's for three.

    >>> sorted(functions())[:4]
    ['abs', 'absolute', 'acos', 'acosh']
    """
    known = {name: row for name, row in PRIMITIVES.items() if name not in _NO_FUNCTIONS}
    return known | {name: PRIMITIVES[row] for name, row in _OWN_NAMES.items()}


@dataclass(frozen=True, slots=True)
class Expression:
    """What was read: call it with a number or Value for each of its names.

    names  in the order of their first places
    places of the names in the source
    steps  what to do with a stack: push a number, push a name's value, or apply a primitive to so many

    >>> expression = parse("w*x + w")
    >>> expression.names, expression({"w": 2.0, "x": 3.0})
    (('w', 'x'), 8.0)
    """

    source: str
    names: tuple[str, ...]
    places: tuple[int, ...]
    steps: tuple[float | str | tuple[Primitive, int], ...]

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """The number, or the Value where any of `values` is one."""
        stack: list[Any] = []
        for step in self.steps:
            if isinstance(step, float):
                stack.append(step)
            elif isinstance(step, str):
                stack.append(values[step])
            else:
                primitive, count = step
                operands = stack[len(stack) - count :]
                del stack[len(stack) - count :]
                stack.append(apply(primitive, operands))
        (result,) = stack
        return result

    def refusal(self, reason: str, name: str) -> ExpressionError:
        """An error that points at the first place of a name."""
        return ExpressionError(reason, self.source, self.places[self.names.index(name)])

    def recorded(self, values: Mapping[str, float]) -> tuple[Value, dict[str, Value]]:
        """The result as a Value, and the leaf of each name, which bears it as its label."""
        leaves = {name: Value(values[name], label=name) for name in self.names}
        result = self(leaves)
        return result if isinstance(result, Value) else Value(result), leaves


def parse(source: str) -> Expression:
    """Read an expression; raises ExpressionError, which is a ValueError, for anything else.

    >>> parse("2 *")
    Traceback (most recent call last):
    autograd.expressions.ExpressionError: expected a number, a name, a function or (, got the end
      2 *
         ^
    """
    if len(source) > LONGEST:
        raise ExpressionError(
            f"expected at most {LONGEST:,} characters, got {len(source):,}", source, LONGEST
        )
    return _Parser(source).parsed()


def _goes_on(character: str) -> bool:
    """Whether a name can hold it, after its beginning."""
    return f"_{character}".isidentifier() and character not in _SIGNS_IN_NAMES


class _Parser:
    """Recursive descent, one token ahead; what it writes is a list of steps, operands before operations."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.functions = functions()
        self.steps: list[float | str | tuple[Primitive, int]] = []
        self.names: dict[str, int] = {}  # with their first places
        self.depth = 0
        self.end = 0  # of the token
        self.advance()

    def advance(self) -> None:
        """Read the next token into kind, text and place."""
        match = next(_TOKEN.finditer(self.source, self.end))  # there is one: the end, if nothing else
        self.kind = str(match.lastgroup)
        self.text = match[self.kind]
        self.place = match.start(self.kind)
        self.end = match.end()
        if self.kind == "other" and self.text.isidentifier():
            self.kind = "name"
            while self.end < len(self.source) and _goes_on(self.source[self.end]):
                self.end += 1
            self.text = unicodedata.normalize("NFC", self.source[self.place : self.end])

    def refuse(self, reason: str, place: int | None = None) -> ExpressionError:
        return ExpressionError(reason, self.source, self.place if place is None else place)

    def unexpected(self, expected: str) -> ExpressionError:
        got = "the end" if self.kind == "end" else repr(self.text)
        hint = _HINTS.get(self.text, "")
        return self.refuse(f"expected {expected}, got {got}{f': {hint}' if hint else ''}")

    def parsed(self) -> Expression:
        self.expression()
        if self.kind != "end":
            raise self.unexpected("an operator or the end")
        return Expression(self.source, tuple(self.names), tuple(self.names.values()), tuple(self.steps))

    def expression(self) -> None:
        self.chain(("+", "-"), lambda: self.chain(("*", "/"), self.signed))

    def chain(self, signs: tuple[str, ...], operand: Callable[[], None]) -> None:
        """Operands with these operators between them, from left to right."""
        operand()
        while self.kind == "sign" and self.text in signs:
            sign = self.text
            self.advance()
            operand()
            self.apply(_BINARY[sign], 2)

    def signed(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.refuse(f"expected at most {DEEPEST} brackets, signs and powers within one another")
        sign = self.text if self.kind == "sign" else ""
        if sign in ("-", "+"):
            self.advance()
            self.signed()
            if sign == "-":
                self.apply("negative", 1)
        else:
            self.atom()
            if self.kind == "sign" and self.text == "**":
                self.advance()
                self.signed()
                self.apply("power", 2)
        self.depth -= 1

    def atom(self) -> None:
        kind, text, place = self.kind, self.text, self.place
        if kind == "number":
            self.advance()
            self.steps.append(float(text))
        elif kind == "name":
            self.advance()
            if self.kind == "sign" and self.text == "(":
                self.call(text, place)
            else:
                self.names.setdefault(text, place)
                self.steps.append(text)
        elif kind == "sign" and text == "(":
            self.advance()
            self.expression()
            self.close("an operator or )")
        else:
            raise self.unexpected("a number, a name, a function or (")

    def close(self, expected: str) -> None:
        if self.kind != "sign" or self.text != ")":
            raise self.unexpected(expected)
        self.advance()

    def call(self, name: str, place: int) -> None:
        if name not in self.functions:
            near = difflib.get_close_matches(name, self.functions, n=3)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise self.refuse(f"there is no function {name!r}{hint}", place)
        self.advance()
        count = 0
        if not (self.kind == "sign" and self.text == ")"):
            self.expression()
            count = 1
            while self.kind == "sign" and self.text == ",":
                self.advance()
                self.expression()
                count += 1
        self.close("an operator, a comma or )")
        primitive = self.functions[name]
        if count != primitive.arity and (primitive.arity is not None or count == 0):
            wanted = primitive.arity or "one or more"
            raise self.refuse(f"{name} takes {wanted} operand{'s' * (wanted != 1)}, got {count}", place)
        self.steps.append((primitive, count))

    def apply(self, name: str, count: int) -> None:
        self.steps.append((PRIMITIVES[name], count))
