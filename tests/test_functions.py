"""The primitives as functions, and primitives of one's own."""

import math

import numpy as np
import pytest

import autograd
from autograd import GradientMismatch, Value, check_gradients, grad, hessian, jvp, primitive
from autograd.primitives import PRIMITIVES


@pytest.fixture(autouse=True)
def table():
    """The table as it was, after tests that add to it."""
    before = dict(PRIMITIVES)
    yield
    for name in set(PRIMITIVES) - set(before):
        del PRIMITIVES[name]


def softsign():
    return primitive(
        "softsign",
        value=lambda m, x: m.divide(x, 1 + abs(x)),
        partials=[lambda m, y, x: m.divide(1.0, (1 + abs(x)) * (1 + abs(x)))],
        check_at=[0.5],
    )


def test_a_primitive_of_ones_own_takes_numbers_and_values():
    function, x = softsign(), Value(3.0)
    y = function(x)
    y.backward()
    assert (function(3.0), y.data, x.grad) == (0.75, 0.75, 1 / 16)
    assert (y.op, y.parents, y.partials) == ("softsign", (x,), (1 / 16,))
    assert (function.__name__, PRIMITIVES["softsign"].symbol) == ("softsign", "softsign")


def test_its_higher_derivatives_come_from_its_one_rule():
    function = softsign()
    # at x > 0: x / (1 + x), (1 + x)⁻², -2 (1 + x)⁻³, 6 (1 + x)⁻⁴
    assert grad(grad(function))(1.0) == -2 / 8
    assert grad(grad(grad(function)))(1.0) == 6 / 16
    assert jvp(function, (1.0,), (4.0,)) == (0.5, 1.0)


def test_it_may_have_several_operands_and_constants_among_them():
    weighted = primitive(
        "weighted",
        value=lambda m, w, x, y: w * x * x + y,
        partials=[lambda m, _, w, x, y: x * x, lambda m, _, w, x, y: 2 * w * x, lambda m, _, w, x, y: 1.0],
        symbol="w·x²+y",
        check_at=[0.5, -2.0, 1.0],
    )
    x, y = Value(3.0), Value(1.0)
    node = weighted(2, x, y)
    node.backward()
    assert (node.data, x.grad, y.grad) == (19.0, 12.0, 1.0)
    assert hessian(lambda p: weighted(*p))([2.0, 3.0, 1.0]) == [[0, 6, 0], [6, 4, 0], [0, 0, 0]]
    check_gradients(weighted, 2.0, 3.0, 1.0).assert_ok()


def test_it_follows_ieee_754_as_the_others_do():
    function = primitive("inverse", lambda m, x: m.divide(1.0, x), [lambda m, y, x: -y * y])
    assert function(0.0) == math.inf
    assert function(Value(-0.0)).data == -math.inf


@pytest.mark.parametrize("kind", [np.float64, np.float32, int])
def test_its_numbers_are_python_floats_whatever_its_rules_return(kind):
    function = primitive("triple", lambda m, x: kind(3 * x), [lambda m, y, x: kind(3)])
    x = Value(2.0)
    y = function(x)
    y.backward()
    numbers = [function(2.0), y.data, *y.partials, y.grad, x.grad]
    assert numbers == [6.0, 6.0, 3.0, 1.0, 3.0]
    assert {type(number) for number in numbers} == {float}


@pytest.mark.parametrize("result", ["3", None, 1j, True, np.array(3.0)], ids=repr)
def test_a_rule_that_returns_no_number_is_named_when_recorded(result):
    value = primitive("valueless", lambda m, x: result, [lambda m, y, x: 1.0])
    words = f"{{}} of primitive '{{}}': expected a real number, got {type(result).__name__} .*m.where"
    with pytest.raises(TypeError, match=words.format("value rule", "valueless")):
        value(Value(2.0))
    with pytest.raises(TypeError, match=words.format("value rule", "valueless")):
        value(2.0)
    partial = primitive("slopeless", lambda m, x, z: x * z, [lambda m, y, x, z: z, lambda m, y, x, z: result])
    with pytest.raises(TypeError, match=words.format("partial rule 1", "slopeless")):
        partial(2.0, Value(3.0))


@pytest.mark.parametrize(
    "wrong",
    [
        [lambda m, y, x: m.cos(x), lambda m, y, x: y],  # a missing factor in the first
        [lambda m, y, a: -m.cos(a), lambda m, y, a: y],
    ],
)
def test_a_wrong_partial_is_refused_at_registration_on_request(wrong):
    value = lambda m, x: m.sin(2 * x)  # noqa: E731
    with pytest.raises(GradientMismatch, match="DIFFERS"):
        primitive("wrong", value, wrong[:1], check_at=[0.3])
    assert "wrong" not in PRIMITIVES
    primitive("wrong", value, wrong[:1])  # not asked to check
    assert "wrong" in PRIMITIVES


@pytest.mark.parametrize(
    ("error", "words", "call"),
    [
        (ValueError, "expected a name like 'cube', got 'a b'", lambda: primitive("a b", abs, [abs])),
        (ValueError, "expected a name like 'cube', got 3", lambda: primitive(3, abs, [abs])),
        (ValueError, "'exp' is in the table already", lambda: primitive("exp", abs, [abs])),
        (ValueError, "one partial derivative for each operand, got none", lambda: primitive("new", abs, [])),
        (TypeError, "softsign takes 1 operands, got 2", lambda: softsign()(1.0, 2.0)),
        (TypeError, "operand of 'softsign': expected a real number, got str", lambda: softsign()("a")),
    ],
)
def test_misuse_is_explained(error, words, call):
    with pytest.raises(error, match=words):
        call()


UNARY = sorted(name for name, row in PRIMITIVES.items() if row.arity == 1 and name in autograd.__all__)


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize(("dtype", "number"), [(np.uint8, 200), (np.int8, -128)])
def test_an_array_of_small_integers_is_computed_as_the_number_is(name, dtype, number):
    function = getattr(autograd, name)
    (got,) = function(np.array([number], dtype))
    expected = function(float(number))
    assert got.dtype == np.float64
    assert got == pytest.approx(expected, rel=1e-14, nan_ok=True)
