"""Formulas as data, simplified as far as a textbook would.

A formula is a sum of terms; a term is a number and the factors it multiplies; a factor is a name, a function
of formulas, a power, a choice between cases, or a sum in brackets. Equal terms and equal factors are put
together, and what cancels is gone. Names stand for real numbers: none is nan or infinite.

This room knows nothing of the project.

>>> x = name("x")
>>> (1 - x) * (1 + x) == 1 - x**2, x / (x * x) == 1 / x, where(x > 0, x, 0) == call("max", x, 0)
(True, True, True)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias, TypeVar

_LARGEST_DENOMINATOR = 100  # of floats that are taken for the fraction they round


@dataclass(frozen=True, slots=True)
class Name:
    """A factor that is not looked into."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function of formulas."""

    function: str
    operands: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Power:
    """A power whose exponent is not an integer: those are counted in the term."""

    base: Formula
    exponent: Formula


@dataclass(frozen=True, slots=True)
class Choice:
    """The first formula whose condition holds, else the last."""

    cases: tuple[tuple[Formula, Condition], ...]
    otherwise: Formula


Factor: TypeAlias = "Name | Call | Power | Choice | Formula"
Factors: TypeAlias = tuple[tuple[Factor, int], ...]  # each with its exponent
_Kind = TypeVar("_Kind", Call, Choice)


@dataclass(frozen=True, slots=True)
class Formula:
    """A sum of terms; of none, it is 0."""

    terms: tuple[tuple[Fraction, Factors], ...]

    def __add__(self, other: Formula | float) -> Formula:
        numbers: dict[Factors, Fraction] = {}
        for number, factors in self.terms + formula(other).terms:
            numbers[factors] = numbers.get(factors, Fraction(0)) + number
        return _unshifted(Formula(tuple((number, factors) for factors, number in numbers.items() if number)))

    def __mul__(self, other: Formula | float) -> Formula:
        other = formula(other)
        for one, rest in ((self, other), (other, self)):
            if one in (ONE, -ONE):
                return rest if one == ONE else -rest
        (a, f), (b, g) = self.as_term(), other.as_term()
        return _product(a * b, f + g)

    def __truediv__(self, other: Formula | float) -> Formula:
        number, factors = formula(other).as_term()
        if not number:
            return self / name("0")  # written as it stands
        return self * Formula(((1 / number, tuple((factor, -count) for factor, count in factors)),))

    def __pow__(self, exponent: Formula | float) -> Formula:
        exponent = formula(exponent)
        number = exponent.as_number()
        if number is None or number.denominator > 1:
            return _alone(Power(self, exponent))
        if number == 1:
            return self
        if number < 0:
            return 1 / self**-exponent
        a, factors = self.as_term()
        return _product(a ** int(number), tuple((factor, count * int(number)) for factor, count in factors))

    def __neg__(self) -> Formula:
        choice = only(self, Choice)
        if choice is not None:
            return _alone(Choice(tuple((-x, condition) for x, condition in choice.cases), -choice.otherwise))
        return Formula(tuple((-number, factors) for number, factors in self.terms))

    def __sub__(self, other: Formula | float) -> Formula:
        return self + -formula(other)

    def __radd__(self, other: float) -> Formula:
        return formula(other) + self

    def __rsub__(self, other: float) -> Formula:
        return formula(other) - self

    def __rmul__(self, other: float) -> Formula:
        return formula(other) * self

    def __rtruediv__(self, other: float) -> Formula:
        return formula(other) / self

    def __abs__(self) -> Formula:
        return call("abs", self)

    def __lt__(self, other: Formula | float) -> Condition | bool:
        return compare(self, "<", other)

    def __le__(self, other: Formula | float) -> Condition | bool:
        return compare(self, "≤", other)

    def __gt__(self, other: Formula | float) -> Condition | bool:
        return compare(self, ">", other)

    def __ge__(self, other: Formula | float) -> Condition | bool:
        return compare(self, "≥", other)

    def as_term(self) -> tuple[Fraction, Factors]:
        """One term that is the whole formula: of a sum, the sum in brackets."""
        if not self.terms:
            return Fraction(0), ()
        return self.terms[0] if len(self.terms) == 1 else (Fraction(1), ((self, 1),))

    def as_number(self) -> Fraction | None:
        number, factors = self.as_term()
        return None if factors else number


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of two formulas, or two conditions joined by "and" or "or"."""

    left: Formula | Condition
    relation: str
    right: Formula | Condition

    def __or__(self, other: Condition | bool) -> Condition | bool:
        return other or self if isinstance(other, bool) else Condition(self, "or", other)

    def __and__(self, other: Condition | bool) -> Condition | bool:
        return other and self if isinstance(other, bool) else Condition(self, "and", other)

    __ror__, __rand__ = __or__, __and__

    def __bool__(self) -> bool:
        raise TypeError("a condition on names is not true or false: choose with m.where(condition, a, b)")

    @property
    def greater(self) -> tuple[Formula, Formula] | None:
        """The pair (u, v), where this says u > v."""
        if isinstance(self.left, Condition) or isinstance(self.right, Condition):
            return None
        return {">": (self.left, self.right), "<": (self.right, self.left)}.get(self.relation)


ONE = Formula(((Fraction(1), ()),))


def name(text: str) -> Formula:
    return _alone(Name(text))


def call(function: str, *operands: Formula | float) -> Formula:
    return _alone(Call(function, tuple(map(formula, operands))))


def formula(x: Formula | float) -> Formula:
    """A number as a formula: the fraction or the constant of mathematics that it rounds, if there is one."""
    if isinstance(x, Formula):
        return x
    if math.isfinite(x):
        fraction = Fraction(x).limit_denominator(_LARGEST_DENOMINATOR)
        if float(fraction) == x:
            return Formula(((fraction, ()),) if fraction else ())
    return -formula(-x) if x < 0 else _CONSTANTS.get(x) or name(repr(x))


def compare(left: Formula | float, relation: str, right: Formula | float) -> Condition | bool:
    """The comparison of two formulas; where it is one of numbers, its truth."""
    left, right = formula(left), formula(right)
    root = only(left, Call)
    if root is not None and root.function == "√" and (relation, right.terms) == ("=", ()):
        return compare(root.operands[0], "=", 0)
    a, b = left.as_number(), right.as_number()
    if _infinity(left) or _infinity(right):  # beyond every number that a name may stand for
        a, b = Fraction(_infinity(left)), Fraction(_infinity(right))
    if a is None or b is None:
        return Condition(left, relation, right)
    return {"<": a < b, "≤": a <= b, ">": a > b, "≥": a >= b, "=": a == b, "≠": a != b}[relation]


def where(condition: Condition | bool, a: Formula | float, b: Formula | float) -> Formula:
    """The formula a where the condition holds, else b."""
    a, b = formula(a), formula(b)
    if isinstance(condition, bool):
        return a if condition else b
    first, second = only(a, Choice), only(b, Choice)
    if condition.greater is not None:
        u, v = condition.greater
        if first is not None and first.cases[0][1].greater == (v, u):
            a = first.otherwise  # where u > v, v > u does not hold
        if second is not None and second.cases[0][1] in (Condition(u, "≤", v), Condition(v, "≥", u)):
            b, second = second.cases[0][0], None  # and that is all there is
        extreme, other = ("max", v) if a == u else ("min", u)
        if a in (u, v) and b in (other, call(extreme, u, v), call(extreme, v, u)):
            return call(extreme, u, v) if condition.relation == ">" else call(extreme, v, u)
    cases = () if second is None else second.cases
    return _alone(Choice(((a, condition), *cases), b if second is None else second.otherwise))


def only(x: Formula, kind: type[_Kind]) -> _Kind | None:
    """The factor of this kind that is the whole formula; None where there is none."""
    number, factors = x.as_term()
    if number != 1 or len(factors) != 1:
        return None
    factor, count = factors[0]
    return factor if count == 1 and isinstance(factor, kind) else None


def _alone(factor: Factor) -> Formula:
    return Formula(((Fraction(1), ((factor, 1),)),))


def _product(number: Fraction, factors: Factors) -> Formula:
    """The term of these factors, equal ones put together; √u √u is u, and (1 − u)(1 + u) is 1 − u²."""
    counts: dict[Factor, int] = {}
    for factor, count in factors:
        counts[factor] = counts.get(factor, 0) + count
    for factor, count in counts.items():
        if not count:
            continue
        if isinstance(factor, Call) and factor.function == "√" and abs(count) > 1:
            squares = int(count / 2)
            rest = _product(number, tuple((counts | {factor: count - 2 * squares}).items()))
            return rest * factor.operands[0] ** squares
        conjugate = 2 - factor if isinstance(factor, Formula) and factor.terms[0] == ONE.terms[0] else None
        if isinstance(conjugate, Formula) and counts.get(conjugate) == count:
            rest = _product(number, tuple((counts | {factor: 0, conjugate: 0}).items()))
            return rest * (1 - (conjugate - 1) ** 2) ** count
    kept = sorted([(factor, count) for factor, count in counts.items() if count], key=_place)
    return Formula(((number, tuple(kept)),) if number else ())


def _place(power: tuple[Factor, int]) -> tuple[int, str]:
    """Where in its term a factor stands: by kind, and x₂ before x₃, but nothing else by its spelling."""
    factor = power[0]
    subscript = "".join(filter("₀₁₂₃₄₅₆₇₈₉".__contains__, factor.text)) if isinstance(factor, Name) else ""
    return (Name, Power, Call, Choice, Formula).index(type(factor)), subscript


def _unshifted(total: Formula) -> Formula:
    """The sum, with log Σ exp(x) for u + log Σ exp(x − u): the shift only saves digits."""
    for term in total.terms:
        log = only(Formula((term,)), Call)
        if log is None or log.function != "log":
            continue
        addends = [(number, only(Formula(((Fraction(1), f),)), Call)) for number, f in log.operands[0].terms]
        exponents = [(n, e.operands[0]) for n, e in addends if e is not None and e.function == "exp"]
        for number, shift in total.terms:
            if len(exponents) == len(addends) and all((-number, shift) in x.terms for _, x in exponents):
                u = Formula(((number, shift),))
                plain = sum([call("exp", x + u) * Formula(((n, ()),)) for n, x in exponents], Formula(()))
                return total - u - Formula((term,)) + call("log", plain)
    return total


def _infinity(x: Formula) -> int:
    return 1 if x == _INFINITY else -1 if x == -_INFINITY else 0


_INFINITY = name("∞")
_CONSTANTS = {
    math.inf: _INFINITY,
    math.pi: name("π"),
    math.log(2): call("log", 2),
    math.log(10): call("log", 10),
    1 / math.log(2): 1 / call("log", 2),
    1 / math.log(10): 1 / call("log", 10),
    math.sqrt(0.5): 1 / call("√", 2),
    2 / math.sqrt(math.pi): 2 / call("√", name("π")),
    1 / math.sqrt(2 * math.pi): 1 / call("√", 2 * name("π")),
}
