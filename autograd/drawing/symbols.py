"""The rules of the table in symbols, for one operation at its numbers: c = a × b, ∂c/∂a = b.

The rules are evaluated on texts that know their numbers; where one compares, the numbers decide, so that the
derivative of relu reads 1 or 0. This room knows the table and its namespaces.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from autograd.drawing.picture import shortened
from autograd.namespaces import SCALAR, Namespace
from autograd.primitives import PRIMITIVES

LONGEST_RULE = 90
_SUM, _PRODUCT, _POWER, _ATOM = range(4)  # how tightly the outermost operation of a text binds
_INFIX = {"add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "power": "^"}


class Symbol:
    """An expression as text, with its number."""

    def __init__(self, text: str, number: float, binds: int = _ATOM) -> None:
        self.text = text
        self.number = number
        self.binds = binds

    def within(self, binds: int) -> str:
        """The text, in brackets where it binds less than what it stands in."""
        return self.text if self.binds >= binds else f"({self.text})"

    @property
    def is_literal(self) -> bool:
        """Whether the text is but the number."""
        return self.text == f"{self.number:.4g}"

    def __add__(self, other: Any) -> Symbol:
        return _plus(self, as_symbol(other))

    def __radd__(self, other: Any) -> Symbol:
        return _plus(as_symbol(other), self)

    def __sub__(self, other: Any) -> Symbol:
        return _minus(self, as_symbol(other))

    def __rsub__(self, other: Any) -> Symbol:
        return _minus(as_symbol(other), self)

    def __mul__(self, other: Any) -> Symbol:
        return _times(self, as_symbol(other))

    def __rmul__(self, other: Any) -> Symbol:
        return _times(as_symbol(other), self)

    def __neg__(self) -> Symbol:
        return Symbol(f"−{self.within(_PRODUCT)}", -self.number, _SUM)

    def __abs__(self) -> Symbol:
        return Symbol(f"|{self.text}|", abs(self.number))

    def __lt__(self, other: Any) -> bool:
        return self.number < as_symbol(other).number

    def __le__(self, other: Any) -> bool:
        return self.number <= as_symbol(other).number

    def __gt__(self, other: Any) -> bool:
        return self.number > as_symbol(other).number

    def __ge__(self, other: Any) -> bool:
        return self.number >= as_symbol(other).number


def as_symbol(x: Any) -> Symbol:
    """A number of a rule as it is written: at most four digits of it."""
    return x if isinstance(x, Symbol) else Symbol(f"{x:.4g}", float(x), _SUM if x < 0 else _ATOM)


def _plus(a: Symbol, b: Symbol) -> Symbol:
    return Symbol(f"{a.text} + {b.text}", a.number + b.number, _SUM)


def _minus(a: Symbol, b: Symbol) -> Symbol:
    if a.is_literal and b.is_literal:
        return as_symbol(a.number - b.number)  # the exponent of a power's derivative
    return Symbol(f"{a.text} − {b.within(_PRODUCT)}", a.number - b.number, _SUM)


def _times(a: Symbol, b: Symbol) -> Symbol:
    number = a.number * b.number
    if "1" in (a.text, b.text):
        kept = b if a.text == "1" else a
        return Symbol(kept.text, number, kept.binds)
    if a.text == b.text:
        return Symbol(f"{a.within(_ATOM)}²", number, _POWER)
    return Symbol(f"{a.within(_PRODUCT)}·{b.within(_PRODUCT)}", number, _PRODUCT)


def _divided(numerator: Any, denominator: Any) -> Symbol:
    a, b = as_symbol(numerator), as_symbol(denominator)
    text = f"{a.within(_PRODUCT)} / {b.within(_POWER)}"
    return Symbol(text, SCALAR.divide(a.number, b.number), _PRODUCT)


def _raised(base: Any, exponent: Any) -> Symbol:
    a, b = as_symbol(base), as_symbol(exponent)
    if b.text == "1":
        return a
    raised = "²" if b.text == "2" else f"^{b.within(_ATOM)}"
    return Symbol(f"{a.within(_ATOM)}{raised}", SCALAR.power(a.number, b.number), _POWER)


def _function(name: str) -> Callable[..., Any]:
    def function(*operands: Any) -> Symbol:
        symbols = [as_symbol(x) for x in operands]
        number = getattr(SCALAR, name)(*[symbol.number for symbol in symbols])
        shown = {"sigmoid": "σ"}.get(name, name)
        return Symbol(f"{shown}({', '.join(symbol.text for symbol in symbols)})", number)

    return function


def _summed(xs: Sequence[Any]) -> Symbol:
    symbols = [as_symbol(x) for x in xs]
    return Symbol(" + ".join(x.text for x in symbols) or "0", math.fsum(x.number for x in symbols), _SUM)


def _dotted(ws: Sequence[Any], xs: Sequence[Any]) -> Symbol:
    return _summed([as_symbol(w) * x for w, x in zip(ws, xs, strict=True)])


def _length(xs: Sequence[Any]) -> Symbol:
    symbols = [as_symbol(x) for x in xs]
    return Symbol(f"norm({', '.join(x.text for x in symbols)})", SCALAR.norm([x.number for x in symbols]))


_functions: dict[str, Any] = {
    **{field.name: _function(field.name) for field in fields(Namespace)},
    "divide": _divided,
    "power": _raised,
    "sign": lambda x: as_symbol(SCALAR.sign(as_symbol(x).number)),
    "isnan": lambda x: math.isnan(as_symbol(x).number),
    "equal": lambda a, b: as_symbol(a).number == as_symbol(b).number,
    "where": lambda c, a, b: a if (c.number if isinstance(c, Symbol) else c) else b,
    "sum": _summed,
    "max": max,
    "norm": _length,
    "dot": _dotted,
    "each": SCALAR.each,
}
_SYMBOLS = Namespace(**_functions)


def expression(operation: str, symbol: str, operands: Sequence[str]) -> str:
    """The operation on operands by their names, as in mathematics.

    >>> expression("multiply", "×", ["a", "b"]), expression("tanh", "tanh", ["x"])
    ('a × b', 'tanh(x)')
    """
    if operation in _INFIX:
        text = f" {symbol} ".join(operands)
    elif operation == "negative":
        text = f"−{operands[0]}"
    elif operation == "dot":
        half = len(operands) // 2
        products = [f"{w}·{x}" for w, x in zip(operands[:half], operands[half:-1], strict=True)]
        text = " + ".join([*products, operands[-1]])
    else:
        text = f"{symbol}({', '.join(operands)})"
    return shortened(text, LONGEST_RULE)


def partials(operation: str, y: tuple[str, float], operands: Sequence[tuple[str, float]]) -> list[str]:
    """The partial derivative by each operand in symbols; y and the operands are names and numbers.

    >>> partials("multiply", ("c", 6.0), [("a", 2.0), ("b", 3.0)])
    ['b', 'a']
    >>> partials("tanh", ("y", 0.5), [("x", 0.55)])
    ['1 − y²']

    A rule of somebody's own that asks more of its operands than the table's rules do has no symbols: "".
    """
    primitive = PRIMITIVES.get(operation)
    if primitive is None:
        return [""] * len(operands)
    symbols = [Symbol(name, number) for name, number in operands]
    try:
        found = primitive.differentiate(_SYMBOLS, Symbol(*y), symbols)
        return [shortened(as_symbol(partial).text, LONGEST_RULE) for partial in found]
    except (TypeError, ValueError, AttributeError):
        return [""] * len(operands)
