"""Simplified and printed formulas mean what they were made of."""

import math
import re
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from reading import FUNCTIONS, read

from autograd.algebra import call, formula, name, where
from autograd.notation import text

x, y = name("x"), name("y")
NAMES = st.sampled_from("xyz")


def larger(parts):
    """Python source made of smaller parts."""
    return st.one_of(
        st.builds("({} {} {})".format, parts, st.sampled_from("+-*/"), parts),
        st.builds("({})**{}".format, parts, st.integers(-2, 3)),
        st.builds("(-{})".format, parts),
        st.builds("abs({})".format, NAMES),
        st.builds(
            "where({} {} {}, {}, {})".format,
            NAMES, st.sampled_from(["<", "<=", ">", ">="]), NAMES, parts, parts,
        ),
    )  # fmt: skip


SOURCES = st.recursive(st.sampled_from([*"xyzxyz", "F(1)", "F(2)", "F(3)", "F(0)"]), larger, max_leaves=10)
VALUES = st.sampled_from([Fraction(n, 2) for n in range(-5, 6) if n])


@given(source=SOURCES, values=st.tuples(VALUES, VALUES, VALUES))
def test_a_formula_read_back_has_the_value_of_what_it_was_made_of(source, values):
    fractions = dict(zip("xyz", values, strict=True))
    try:
        expected = eval(source, fractions | {"F": Fraction, "where": lambda c, a, b: a if c else b})
    except ZeroDivisionError:
        assume(False)
    written = text(formula(eval(source, {x: name(x) for x in "xyz"} | {"F": formula, "where": where})))
    exact = re.sub(r"\d+", r"F(\g<0>)", read(written))
    assert eval(exact, FUNCTIONS | fractions | {"F": Fraction}) == expected, written


@pytest.mark.parametrize(
    ("made", "written"),
    [
        (x + x - 2 * x, "0"),
        (x * y / x, "y"),
        (-x + 1, "1 − x"),
        (-(x - y), "y − x"),
        (-x - y, "−x − y"),
        (0.5 * x + 1 / 3, "x/2 + 1/3"),
        (2 * (x + y) * (x + y), "2·(x + y)²"),
        (x / y / 2, "x/(2·y)"),
        (x**-2, "1/x²"),
        (x ** (y - 1) * x, "x·x^(y − 1)"),
        ((x**y) ** 2, "(x^y)²"),
        ((-x) ** y * (x + y) ** (1 / 2), "(−x)^y·(x + y)^(1/2)"),
        (call("sin", x) ** 2 * x, "x·sin(x)²"),
        (call("log", x) * y, "y·log x"),
        (call("log", x) / y, "log(x)/y"),
        (y / call("log", x), "y/log(x)"),
        (call("log", call("exp", x)), "log(exp x)"),
        (call("√", x + 1) * call("√", x + 1), "x + 1"),
        (call("√", 2) ** 3, "2·√2"),
        (1 / call("√", x) ** 2, "1/x"),
        (call("log", call("exp", x - y) + call("exp", -y)) + y, "log(exp x + exp 0)"),
        (x - 2 * where(x > y, x, 1), "x − 2·(x if x > y, else 1)"),
        (-where(x > y, x, 1), "−x if x > y, else −1"),
        (where((x < 0) | (x > 1), 0, where(y < 0, 1, 2)), "0 if x < 0 or x > 1, 1 if y < 0, else 2"),
        (where(x > 2, where(y > 1, x, 1), y), "(x if y > 1, else 1) if x > 2, else y"),
        (where(x > y, x, y), "max(x, y)"),
        (where(x < y, x, y), "min(x, y)"),
        (where(x > 0, x, where(x <= 0, 0.0, x)), "max(x, 0)"),
        (where(x < float("inf"), x, y), "x"),
        (where(x > float("inf"), x, y), "y"),
    ],
    ids=str,
)
def test_formulas_are_written_as_by_hand(made, written):
    assert text(made) == written


def test_constants_of_mathematics_are_told_by_their_value():
    constants = [math.log(2), 1 / math.log(10), -math.sqrt(0.5), 2 / math.sqrt(math.pi), math.pi, 0.1, 1e-7]
    written = [text(formula(number)) for number in constants]
    assert written == ["log 2", "1/log(10)", "−1/√2", "2/√π", "π", "1/10", "1e-07"]
