"""A formula as text, in a textbook's notation.

    products  2·x        powers  x², x^n      functions  log x, exp(−x²), √(1 + x), |x|
    cases     1 if a > b, 0 if b > a, else 1/2

This room knows formulas.

>>> from autograd.algebra import call, name, where
>>> x = name("x")
>>> text(-x / 2 + x * call("log", x)), text(1 / (2 * call("√", 1 + x))), text(3 * where(x > 1, x**2, 1))
('x·log x − x/2', '1/(2·√(1 + x))', '3·(x² if x > 1, else 1)')
"""

from __future__ import annotations

from fractions import Fraction

from autograd.algebra import Call, Choice, Condition, Factor, Factors, Formula, Name, Power, only

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_ROOTS = ("√", "∛")


def text(x: Formula) -> str:
    choice = only(x, Choice)
    if choice is not None:
        return _choice(choice)
    first = next((i for i, (number, _) in enumerate(x.terms) if number > 0), 0)  # 1 − x, not −x + 1
    written = ""
    for number, factors in (*x.terms[first : first + 1], *x.terms[:first], *x.terms[first + 1 :]):
        minus, plus = (" − ", " + ") if written else ("−", "")
        written += (minus if number < 0 else plus) + _term(abs(number), factors)
    return written or "0"


def _term(number: Fraction, factors: Factors) -> str:
    above = [(factor, count) for factor, count in factors if count > 0]
    below = [(factor, -count) for factor, count in factors if count < 0]
    divisors = len(below) + (number.denominator > 1)
    dividend = _product(number.numerator, above, bare=not divisors)
    divisor = _product(number.denominator, below, bare=divisors > 1)
    return dividend + ("" if not divisors else f"/({divisor})" if divisors > 1 else f"/{divisor}")


def _product(number: int, powers: list[tuple[Factor, int]], bare: bool) -> str:
    """A product; with `bare`, a function of one name needs no brackets at its end."""
    texts = [_power(factor, count, bare and i == len(powers)) for i, (factor, count) in enumerate(powers, 1)]
    return "·".join(texts if texts and number == 1 else [str(number), *texts])


def _power(factor: Factor, count: int, bare: bool) -> str:
    if count == 1:
        return _factor(factor, bare)
    base = _factor(factor, bare=False)
    return (f"({base})" if isinstance(factor, Power) else base) + str(count).translate(_SUPERSCRIPTS)


def _factor(factor: Factor, bare: bool) -> str:
    match factor:
        case Name(written):
            pass
        case Power(base, exponent):
            written = f"{_bracketed(base)}^{_bracketed(exponent)}"
        case Call(function, operands):
            written = _call(function, ", ".join(map(text, operands)), bare)
        case Choice():
            written = f"({_choice(factor)})"
        case Formula():
            written = f"({text(factor)})"
    return written


def _call(function: str, operands: str, bare: bool) -> str:
    if function == "abs":
        return f"|{operands}|"
    if function in _ROOTS and operands.isalnum():
        return function + operands
    return f"{function} {operands}" if bare and operands.isalnum() else f"{function}({operands})"


def _bracketed(x: Formula) -> str:
    return text(x) if text(x).isalnum() else f"({text(x)})"


def _choice(choice: Choice) -> str:
    cases = [f"{_case(value)} if {_condition(condition)}" for value, condition in choice.cases]
    return ", ".join([*cases, f"else {_case(choice.otherwise)}"])


def _case(x: Formula) -> str:
    return f"({text(x)})" if only(x, Choice) else text(x)


def _condition(x: Condition | Formula) -> str:
    if isinstance(x, Formula):
        return text(x)
    return f"{_condition(x.left)} {x.relation} {_condition(x.right)}"
