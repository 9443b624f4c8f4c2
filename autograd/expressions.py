"""Expressions as people type them, "tanh(w1*x1 + b)", read and computed on Values; never evaluated as Python.

    expression = term, then any number of + term or - term
    term       = signed, then any number of * signed or / signed
    signed     = - signed, + signed, or power
    power      = atom, or atom ** signed
    atom       = number, name, function(expression, …), or (expression)

That is Python's grammar of arithmetic, and its precedence; anything else is refused with its place. Length
and depth are bounded, so that a stranger's text can be read. This room knows the table and Value.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autograd.primitives import PRIMITIVES, Primitive
from autograd.value import Value, apply

LONGEST = 10_000  # characters
DEEPEST = 100  # brackets, signs and powers within one another
SHOWN = 76  # characters of an expression around the place of an error

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[^\W\d]\w*)"
    r"|(?P<sign>\*\*|[-+*/(),])|(?P<end>\Z)|(?P<other>.))",
    re.DOTALL,
)

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
    line = "".join(
        c if c.isprintable() else "\ufffd" for c in source[start : start + SHOWN].replace("\n", " ")
    )
    before, after = "…" if start else "", "…" if start + SHOWN < len(source) else ""
    return f"{before}{line}{after}", f"{' ' * (place - start + len(before))}^"


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
    steps  what to do with a stack: push a number, push a name's value, or apply a primitive to so many

    >>> expression = parse("w*x + w")
    >>> expression.names, expression({"w": 2.0, "x": 3.0})
    (('w', 'x'), 8.0)
    """

    source: str
    names: tuple[str, ...]
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
        found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", self.source)
        return ExpressionError(reason, self.source, found.start() if found else 0)

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


class _Parser:
    """Recursive descent, one token ahead; what it writes is a list of steps, operands before operations."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.functions = functions()
        self.steps: list[float | str | tuple[Primitive, int]] = []
        self.names: dict[str, None] = {}
        self.depth = 0
        self.tokens = _TOKEN.finditer(source)
        self.advance()

    def advance(self) -> None:
        """Read the next token into kind, text and place."""
        match = next(self.tokens)  # the last one is the end, beyond which nothing reads
        self.kind = str(match.lastgroup)
        self.text = match[self.kind]
        self.place = match.start(self.kind)

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
        return Expression(self.source, tuple(self.names), tuple(self.steps))

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
                self.names[text] = None
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
