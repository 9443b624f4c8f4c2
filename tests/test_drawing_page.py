"""The step-through page as a file: complete in itself, closed to everything else, its rules right."""

import base64
import hashlib
import json
import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value, draw
from autograd.drawing import symbols
from autograd.drawing.colours import FILLS
from autograd.namespaces import SCALAR
from autograd.primitives import PRIMITIVES
from tests.drawings import Page, recorded
from tests.test_drawing import contrast

ASSETS = Path(symbols.__file__).parent


def neuron():
    x, w, b = Value(2.0, "x"), Value(-3.0, "w"), Value(6.5, "b")
    out = (w * x + b).tanh()
    out.label = "out"
    return out


def data_in(page):
    return json.loads(Page(page).inner("script")[0])


# ---- one file, closed


def test_the_policy_allows_the_two_assets_by_hash_and_nothing_else():
    page = Page(draw(neuron()).html())
    (policy,) = [a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    hashes = {
        f"{kind}-src 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for kind, text in (("style", page.inner("style")[0]), ("script", page.inner("script")[1]))
    }
    assert set(policy.split("; ")) == {"default-src 'none'", "base-uri 'none'", "form-action 'none'", *hashes}


def test_the_page_asks_for_nothing_from_elsewhere():
    html = draw(neuron()).html()
    for tag, attributes in Page(html).elements:
        assert not {"src", "href", "xlink:href", "style", "action"} & set(attributes), tag
        assert not [name for name in attributes if name.startswith("on")], tag
    assert not re.search(
        r"https?:|//[a-z]|url\(|@import|import\(|fetch|XMLHttp|WebSocket|eval\(|innerHTML", html
    )


def test_every_control_has_a_name():
    for tag, attributes in Page(draw(neuron()).html()).elements:
        if tag in ("input", "svg"):
            assert attributes["aria-label"]
        if tag == "button":
            assert attributes["title"]


def test_a_page_is_written_with_who_drew_it(tmp_path):
    line = draw(neuron()).save(tmp_path / "c.html")
    assert line.endswith("c.html: 6 nodes, 5 edges, step-through page, drawn by the built-in layout")
    assert (tmp_path / "c.html").read_text(encoding="utf-8") == draw(neuron()).html()


# ---- colours


def variables(block):
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))


def test_the_style_sheet_has_the_drawings_colours_and_readable_dark_ones():
    css = (ASSETS / "page.css").read_text(encoding="utf-8")
    light, by_preference, by_choice = (
        variables(block)
        for block in re.findall(r":root[^{]*\{\s*color-scheme: (?:light|dark);([^}]*)\}", css)
    )
    assert by_preference == by_choice
    assert {shade: light[shade] for shade in FILLS if shade} == {s: c for s, c in FILLS.items() if s}
    for colours in (light, by_choice):
        for shade in (*filter(None, FILLS), "paper", "panel", "cell"):
            assert contrast(colours["ink"], colours[shade]) >= 4.5, shade  # WCAG 2, level AA
        for paper in ("paper", "panel"):
            assert contrast(colours["soft"], colours[paper]) >= 4.5
            assert contrast(colours["now"], colours[paper]) >= 3  # for what is no text


# ---- the numbers and the rules


@given(recorded())
def test_the_page_holds_the_recorded_numbers_and_the_sweep_from_one(output):
    leaves = [node for node in _nodes(output) if not node.op]
    before = data_in(draw(output).html())
    for leaf in leaves:
        leaf.grad = 0.0
    output.backward()
    by_label = {node.label: node for node in _nodes(output)}
    for node in before["nodes"]:
        assert node["data"] == by_label[node["label"]].data
        assert node["gradient"] == by_label[node["label"]].grad  # the same sums in the same order


def _nodes(output):
    found, todo = {}, [output]
    while todo:
        value = todo.pop()
        if value not in found:
            found[value] = True
            todo.extend(value.parents)
    return found


def test_nodes_without_a_label_are_named_and_constants_are_their_numbers():
    x = Value(2.0)
    page = data_in(draw((x * 3 + x).tanh()).html())
    assert [node["name"] for node in page["nodes"]] == ["u1", "3", "v1", "v2", "v3"]
    assert [node.get("symbols") for node in page["nodes"]] == [None, None, "u1 × 3", "v1 + u1", "tanh(v2)"]
    assert page["nodes"][2]["numbers"] == "2 × 3"


def test_a_drawing_of_modules_can_be_looked_at_but_not_stepped():
    w = Value(2.0, "l0.n0.w0")
    page = draw(w * Value(3.0, "x"), level="layers").html()
    assert not data_in(page)["scalars"]
    assert {a["max"] for tag, a in Page(page).elements if a.get("id") == "slider"} == {"0"}


PYTHON = {
    **{
        name: getattr(SCALAR, name) for name in ("exp", "expm1", "log", "log1p", "sin", "cos", "sinh", "cosh")
    },
    **{name: getattr(math, name) for name in ("sqrt", "hypot", "erf", "erfc")},
    "σ": SCALAR.sigmoid,
}


def evaluated(text, names):
    """The number that a rule's text stands for, by Python's own reading of it."""
    for symbol, python in (("·", "*"), ("−", "-"), ("²", "**2"), ("^", "**")):
        text = text.replace(symbol, python)
    return eval(text, {**PYTHON, **names})


@pytest.mark.parametrize("name", [name for name, row in PRIMITIVES.items() if row.arity is not None])
@given(data=st.data())
def test_the_symbols_of_a_rule_mean_the_derivative(name, data):
    row = PRIMITIVES[name]
    inside = [(max(low, -9.0), min(high, 9.0)) for low, high in row.domain]
    numbers = [data.draw(st.floats(low, high, exclude_min=True, exclude_max=True)) for low, high in inside]
    _assert_meant(row, numbers)


@pytest.mark.parametrize("name", [name for name, row in PRIMITIVES.items() if row.arity is None])
def test_the_symbols_of_a_rule_of_many_operands_mean_the_derivatives(name):
    _assert_meant(PRIMITIVES[name], [0.25, 0.5, 0.75] if name == "dot" else [0.25, 0.75])


def _assert_meant(row, numbers):
    operands = dict(zip("abcdefg", numbers, strict=False))
    y = row.evaluate(SCALAR, numbers)
    texts = symbols.partials(row.name, ("y", y), list(operands.items()))
    for text, partial in zip(texts, row.differentiate(SCALAR, y, numbers), strict=True):
        assert not text.endswith("…")
        # a rule's own numbers are written with four digits, and its terms may cancel
        assert evaluated(text, {**operands, "y": y}) == pytest.approx(partial, rel=2e-3, abs=1e-3)


def test_rules_are_what_textbooks_write():
    def of(operation, y, *operands):
        return symbols.partials(operation, y, operands)

    assert of("multiply", ("c", 6.0), ("a", 2.0), ("b", 3.0)) == ["b", "a"]
    assert of("divide", ("c", 2.0), ("a", 6.0), ("b", 3.0)) == ["1 / b", "−c / b"]
    assert of("power", ("c", 8.0), ("a", 2.0), ("3", 3.0))[0] == "3·a²"
    assert of("power", ("c", 4.0), ("a", 2.0), ("2", 2.0))[0] == "2·a"
    assert of("tanh", ("y", 0.5), ("x", 0.55)) == ["1 − y²"]
    assert of("sigmoid", ("y", 0.5), ("x", 0.0)) == ["y·(1 − y)"]
    assert [of("relu", ("y", x), ("x", x))[0] for x in (2.0, -2.0)] == ["1", "0"]
    assert of("dot", ("z", 1.0), ("w", 1.0), ("x", 2.0), ("b", 0.0)) == ["x", "w", "1"]


def test_a_rule_beyond_the_tables_means_has_no_symbols_but_its_number():
    odd = autograd.primitive("odd_rule", lambda m, x: x, [lambda m, y, x: float(x)], symbol="odd")
    page = data_in(draw(odd(Value(1.0))).html())
    del PRIMITIVES["odd_rule"]
    assert page["nodes"][1]["partials"] == [""]
    assert page["arrows"][0][2] == 1.0
    assert data_in(draw(odd(Value(1.0))).html())["nodes"][1]["partials"] == [""]
