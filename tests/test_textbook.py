"""The formulas of the rules are true: read back and evaluated, they give what the rules give."""

import itertools
import math

import numpy as np
import pytest
from reading import evaluate

from autograd.namespaces import SCALAR
from autograd.primitives import PRIMITIVES, Primitive
from autograd.textbook import operand_names, partial_formulas, value_formula

# rules that keep digits where the formula, which is for reading, loses some to cancellation
TOLERANCE = 1e-12
EDGES = [-2.0, -1.0, 0.0, 1.0, 2.0]  # equal operands, signs and zeros among them


def points(row: Primitive):
    """Operands at and between the edges."""
    count = len(operand_names(row))
    rng = np.random.default_rng(0)
    yield from rng.uniform(-3, 3, size=(100, count)).tolist()
    yield from itertools.islice(itertools.product(EDGES, repeat=count), 200)


@pytest.mark.parametrize("row", PRIMITIVES.values(), ids=lambda row: row.name)
def test_formulas_read_back_give_what_the_rules_give(row):
    names = operand_names(row)
    value, partials = value_formula(row, names), partial_formulas(row, names)
    compared = 0
    for operands in points(row):
        y = row.evaluate(SCALAR, operands)
        if not math.isfinite(y):
            continue  # outside the domain of real numbers that formulas are about
        known = dict(zip(names, operands, strict=True))
        assert evaluate(value, **known) == pytest.approx(y, rel=TOLERANCE, abs=TOLERANCE)
        for partial, number in zip(partials, row.differentiate(SCALAR, y, operands), strict=True):
            if math.isfinite(number):
                assert evaluate(partial, **known, y=y) == pytest.approx(number, rel=TOLERANCE, abs=TOLERANCE)
                compared += 1
    assert compared >= 30


@pytest.mark.parametrize(
    ("name", "value", "partials"),
    [  # as textbooks have them
        ("divide", "a/b", ["1/b", "−y/b"]),
        ("power", "x^n", ["0 if n = 0, else n·x^(n − 1)", "0 if x = 0 and n ≥ 0, else y·log x"]),
        ("log1p", "log(1 + x)", ["1/(1 + x)"]),
        ("log10", "log₁₀ x", ["1/(x·log 10)"]),
        ("cbrt", "∛x", ["1/(3·y²)"]),
        ("asin", "asin x", ["1/√(1 − x²)"]),
        ("tanh", "tanh x", ["1 − y²"]),
        ("erfc", "erfc x", ["−2·exp(−x²)/√π"]),
        ("sigmoid", "1/(1 + exp(−x))", ["y·(1 − y)"]),
        ("relu", "max(x, 0)", ["1 if x > 0, else 0"]),
        ("softplus", "max(x, 0) + log(1 + exp(−|x|))", ["1 − exp(−y)"]),
        ("minimum", "min(a, b)", ["1 if a < b, 0 if b < a, else 1/2", "1 if b < a, 0 if a < b, else 1/2"]),
        ("prod", "x₁·x₂·x₃", ["x₂·x₃", "x₁·x₃", "x₁·x₂"]),
        ("logsumexp", "log(exp x₁ + exp x₂ + exp x₃)", ["exp(x₁ − y)", "exp(x₂ − y)", "exp(x₃ − y)"]),
        ("dot", "w₁·x₁ + w₂·x₂ + b", ["x₁", "x₂", "w₁", "w₂", "1"]),
    ],
)
def test_formulas_read_as_a_textbook_has_them(name, value, partials):
    row = PRIMITIVES[name]
    assert value_formula(row, operand_names(row)) == value
    assert partial_formulas(row, operand_names(row)) == partials


def test_operands_and_value_may_have_names_of_their_own():
    assert partial_formulas(PRIMITIVES["multiply"], ("weight", "z₁")) == ["z₁", "weight"]
    assert partial_formulas(PRIMITIVES["exp"], ("z",), value="a₁") == ["a₁"]
    assert value_formula(PRIMITIVES["tanh"], ("hidden 3",)) == "tanh(hidden 3)"


def test_an_operand_may_be_a_number():
    power, divide = PRIMITIVES["power"], PRIMITIVES["divide"]
    assert value_formula(power, ("x", 3)) == "x³"
    assert partial_formulas(power, ("x", 3.0)) == ["3·x²", "0 if x = 0, else y·log x"]
    assert value_formula(power, ("x", -1)) == "1/x"
    assert value_formula(divide, (0.25, "x")) == "1/(4·x)"
    assert value_formula(divide, ("x", 0)) == "x/0"
    assert value_formula(PRIMITIVES["multiply"], (0.123456789, "x")) == "0.123456789·x"


def test_a_primitive_of_ones_own_has_formulas_too():
    row = Primitive(
        "swish", "swish", 2,
        value=lambda m, x, b: m.divide(x, 1 + m.exp(-b * x)),
        partials=(
            lambda m, y, x, b: m.sigmoid(b * x) + b * y * m.sigmoid(-b * x),
            lambda m, y, x, b: y * x * m.sigmoid(-b * x),
        ),
        domain=(),
    )  # fmt: skip
    assert value_formula(row, operand_names(row)) == "x/(1 + exp(−b·x))"
    assert partial_formulas(row, ("x", "b")) == [
        "1/(1 + exp(−b·x)) + b·y/(1 + exp(b·x))",
        "y·x/(1 + exp(b·x))",
    ]


def test_a_rule_that_decides_by_the_truth_of_a_comparison_is_refused():
    row = Primitive("step", "step", 1, lambda m, x: 1.0 if x > 0 else 0.0, (lambda m, y, x: 0.0,), ())
    with pytest.raises(TypeError, match=r"choose with m\.where"):
        value_formula(row, ("x",))
