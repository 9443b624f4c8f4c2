"""Expressions: read as Python reads arithmetic, and nothing but arithmetic."""

import ast
import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograd import Value
from autograd.expressions import DEEPEST, LONGEST, ExpressionError, functions, name_in, parse
from autograd.namespaces import SCALAR
from autograd.primitives import PRIMITIVES

NUMBERS = {"a": 1.25, "b": 0.75, "c_1": 2.0, "π": 3.5}


def texts(depth=4):
    """Expressions as their grammar has them, with spaces and brackets anywhere."""
    atom = st.sampled_from([*NUMBERS, "2", "0.5", ".25", "3.", "1e-1", "2E0"])
    return st.recursive(
        atom,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["+", " - ", "*", " /", "**"]), inner).map("".join),
            inner.map("-{}".format),
            inner.map("( {})".format),
            inner.map("+ {}".format),
            st.tuples(st.sampled_from(["sin", "tanh", "exp"]), inner).map("{0[0]}({0[1]})".format),
            st.tuples(inner, inner).map("hypot({0[0]}, {0[1]})".format),
        ),
        max_leaves=12,
    )


@given(texts())
def test_expressions_mean_what_python_means_by_them(text):
    names = {**NUMBERS, **{name: getattr(SCALAR, name) for name in ("sin", "tanh", "exp", "hypot")}}
    try:
        expected = eval(text, {"__builtins__": {}}, names)
    except (ZeroDivisionError, OverflowError):
        expected = None  # where Python raises, IEEE 754 has an answer
    assume(expected is not None and not isinstance(expected, complex))
    assert parse(text)(NUMBERS) == pytest.approx(expected, rel=1e-12, nan_ok=True)


@given(texts())
def test_on_values_the_same_number_comes_with_its_gradient(text):
    expression = parse(text)
    number = expression(NUMBERS)
    output, leaves = expression.recorded(NUMBERS)
    assert output.data == number or math.isnan(number)
    assert list(leaves) == list(expression.names)
    assert all(leaf.label == name for name, leaf in leaves.items())


def test_names_come_in_the_order_of_their_first_places():
    assert parse("b*a + b - c_1").names == ("b", "a", "c_1")


def test_precedence_by_hand():
    def of(text, **names):
        return parse(text)(names)

    assert of("-2 ** 2") == -4
    assert of("2 ** -1") == 0.5
    assert of("2 ** 3 ** 2") == 512
    assert of("8 / 4 / 2") == 1
    assert of("8 - 4 - 2") == 2
    assert of("2 + 3 * 4") == 14
    assert of("--2") == 2
    assert of("1 / 0") == math.inf


@pytest.mark.parametrize("name", sorted(functions()))
def test_every_function_of_the_table_can_be_called(name):
    row = functions()[name]
    count = row.arity or 3
    numbers = {f"x{i}": 0.25 + 0.25 * i for i in range(count)}
    expected = row.evaluate(SCALAR, list(numbers.values()))
    called = parse(f"{name}({', '.join(numbers)})")(numbers)
    assert called == expected or (math.isnan(called) and math.isnan(expected))


def test_the_functions_are_the_tables_but_operators_and_those_of_pairs_of_lists():
    left = set(PRIMITIVES) - set(functions())
    assert left == {
        "add", "subtract", "multiply", "divide", "power", "negative", "dot", "softmax_cross_entropy",
    }  # fmt: skip
    assert (functions()["abs"], functions()["max"]) == (PRIMITIVES["absolute"], PRIMITIVES["maximum"])


REFUSED = [  # text, where the caret stands, what is said
    ("", 0, "expected a number, a name, a function or (, got the end"),
    ("2 *", 3, "got the end"),
    ("(a + 2", 6, "expected an operator or ), got the end"),
    ("a + 2)", 5, "expected an operator or the end, got ')'"),
    ("2 a", 2, "expected an operator or the end, got 'a'"),
    ("a ^ 2", 2, "powers are written **"),
    ("a = 2", 2, "values are given after the expression"),
    ("a == 2", 2, "values are given after"),
    ("a.data", 1, "there are no attributes"),
    ("a × 2", 2, "multiplication is written *"),
    ("a < 2", 2, "got '<'"),
    ("a % 2", 2, "got '%'"),
    ("a // 2", 3, "got '/'"),
    ("a @ b", 2, "got '@'"),
    ("a; b", 1, "got ';'"),
    ("[a]", 0, "there are no lists"),
    ("'a'", 0, "there are no texts"),
    ("tanh()", 0, "tanh takes 1 operand, got 0"),
    ("tan(a, 2)", 0, "tan takes 1 operand, got 2"),
    ("1 + hypot(a)", 4, "hypot takes 2 operands, got 1"),
    ("sum()", 0, "sum takes one or more operands, got 0"),
    ("tanj(a)", 0, "there is no function 'tanj'; did you mean"),
    ("a + __import__('os')", 4, "there is no function '__import__'"),
    ("(lambda: 1)()", 7, "got ':'"),
    ("a(2)(3)", 0, "there is no function 'a'"),
    ("(a)(2)", 3, "got '('"),
    ("tanh(a)(2)", 7, "got '('"),
    ("f'{a}'", 1, "there are no texts"),
    ("a if b else 2", 2, "got 'if'"),
    ("0x10", 1, "got 'x10'"),
    ("1j", 1, "got 'j'"),
    ("1_000", 1, "got '_000'"),
    ("\x00", 0, "got"),
    ("tanh(a,)", 7, "got ')'"),
    ("tanh(,a)", 5, "got ','"),
    ("tanh(*a)", 5, "got '*'"),
    ("tanh(x=a)", 6, "values are given after"),
    ("x²", 1, "expected an operator or the end, got '²': powers are written **"),
    ("²", 0, "got '²': powers are written **"),
    ("a*x⁻¹", 3, "powers are written **"),
    ("w₁*a", 1, "got '₁': names have plain digits, as in x1"),
    ("x½", 1, "fractions are written with /"),
    ("a·b", 1, "multiplication is written *"),
    ("a\u0387b", 1, "got '\u0387'"),
    ("a\t²", 2, "powers are written **"),
]


@pytest.mark.parametrize(("text", "place", "reason"), REFUSED)
def test_anything_else_is_refused_with_a_caret_under_the_place(text, place, reason):
    with pytest.raises(ExpressionError) as refusal:
        parse(text)
    said, shown, caret = str(refusal.value).splitlines()
    assert reason in said
    assert refusal.value.place == place
    assert caret == f"  {' ' * place}^"
    assert len(shown) == 2 + len(text)


def test_names_are_those_of_python_but_for_the_sign_of_multiplication():
    for name in ("x", "_", "w_1", "π", "重み", "x٣", "é", "x\u0302", "ªb", "ΔE"):
        assert name.isidentifier()
        assert parse(f" {name} * {name}").names == (name_in(name),)
    for text in ("x²", "²", "x½", "w₁", "1x", "a.b", "a·b", "", "x y", "\u0302"):
        assert name_in(text) is None, text


def test_a_letter_with_a_mark_is_one_name_however_it_is_typed():
    composed, decomposed = "\u00e9", "e\u0301"
    assert parse(f"{composed} + {decomposed}").names == (composed,)
    assert parse(f"{decomposed}*2")({name_in(decomposed): 3.0}) == 6


def test_the_caret_stands_under_its_place_beside_wide_characters_and_marks():
    for text, cells_before in (("重み * x ^ 2", 9), ("e\u0301 ^ 2", 2), ("x\u0302\t$", 2)):
        with pytest.raises(ExpressionError) as refusal:
            parse(text)
        _, shown, caret = str(refusal.value).splitlines()
        assert caret == f"  {' ' * cells_before}^"
        assert "\ufffd" not in shown
    assert parse("x̂*x").refusal("no", "x").place == 3


def test_a_functions_name_without_brackets_is_a_name():
    assert parse("tanh").names == ("tanh",)


def test_the_caret_of_a_long_expression_stands_in_an_excerpt_of_it():
    text = " + ".join(["a"] * 500) + " + * " + " + ".join(["a"] * 500)
    with pytest.raises(ExpressionError) as refusal:
        parse(text)
    _, shown, caret = str(refusal.value).splitlines()
    assert len(shown) < 90
    assert shown[caret.index("^")] == "*"


def test_depth_and_length_are_bounded():
    for text in ("(" * 5000, "-" * 5000 + "1", "2**" * 3000 + "2", "sin(" * 1500 + "1" + ")" * 1500):
        with pytest.raises(ExpressionError, match=f"at most {DEEPEST}"):
            parse(text)
    with pytest.raises(ExpressionError, match=f"at most {LONGEST:,} characters"):
        parse("1" * (LONGEST + 1))
    assert parse("(" * (DEEPEST - 1) + "2" + ")" * (DEEPEST - 1))({}) == 2
    assert parse("+".join(["x"] * (LONGEST // 2)))({"x": 1.0}) == LONGEST // 2  # long is not deep


ARITHMETIC = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Call, ast.Name, ast.Constant, ast.Load,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub, ast.UAdd,
)  # fmt: skip


def read(text):
    """The expression; None where it is refused, as it should be."""
    try:
        return parse(text)
    except ExpressionError as error:
        refusal = error
    assert 0 <= refusal.place <= len(text)
    assert len(str(refusal).splitlines()) == 3
    return None


pieces = st.sampled_from([*"abe012.+-*/(), ", "sin(", "max(", "**"])


@given(texts(), st.integers(0, 60), st.integers(0, 3), pieces)
def test_what_is_accepted_is_arithmetic_to_python_too(text, place, removed, piece):
    text = text[:place] + piece + text[place + removed :]
    expression = read(text)
    if expression is None:
        return
    assume(not re.search(r"(?<![\d.e])0\d", text))  # which Python wants written 0o or without the 0
    tree = ast.parse(text.strip(), mode="eval")
    assert all(isinstance(node, ARITHMETIC) for node in ast.walk(tree))
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert called <= set(functions())
    assert set(expression.names) == {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - called


@given(st.text(st.characters(exclude_categories=[]), max_size=40))
def test_any_text_is_read_or_refused(text):
    read(text)


def test_a_function_that_is_also_a_name_is_told_apart_by_its_brackets():
    x = Value(2.0, "max")
    assert parse("max(max, 1)")({"max": x}).data == 2.0
