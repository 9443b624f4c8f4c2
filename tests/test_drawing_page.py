"""The step-through page as a file: complete in itself, closed to everything else, its rules right."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value, draw
from autograd.drawing import symbols
from autograd.drawing.colours import FILLS
from autograd.drawing.page import NOT_RECORDED
from autograd.namespaces import SCALAR
from autograd.primitives import PRIMITIVES
from tests.drawings import Page, contrast, recorded
from tests.reading import evaluate

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


@given(st.data(), recorded())
def test_of_several_outputs_the_page_holds_the_gradients_of_their_own_sweep(data, last):
    """Any nodes are outputs, some computed from others; they are swept together, alone, or not at all."""
    nodes = list(_nodes(last))
    outputs = data.draw(st.lists(st.sampled_from(nodes), min_size=1, max_size=4, unique=True))
    weights = data.draw(st.lists(st.sampled_from([-2.0, 0.5, 1.0, 3.0]), min_size=4, max_size=4))
    unswept = draw(outputs).html()
    autograd.sum(outputs).backward()
    agrees(unswept, nodes)
    for root in (autograd.dot(outputs, weights[: len(outputs)]), data.draw(st.sampled_from(outputs))):
        for node in nodes:
            node.grad = 0.0
        root.backward()
        page = draw(outputs).html()
        agrees(page, nodes)
        assert NOT_RECORDED not in page


def agrees(page, nodes):
    """The page's sweep from its seeds, done here, and the gradients it was coloured by, are the recorded."""
    read = data_in(page)
    sums = [node["seed"] for node in read["nodes"]]
    size = max(map(abs, [*sums, 1.0]))
    for tail, head, partial, _ in sorted(read["arrows"], key=lambda arrow: -arrow[1]):
        sums[tail] += sums[head] * partial
        size = max(size, abs(sums[head] * partial), abs(sums[tail]))
    by_label = {node.label: node.grad for node in nodes}
    for node, total in zip(read["nodes"], sums, strict=True):
        assert node["gradient"] == total
        assert total == pytest.approx(by_label[node["label"]], rel=1e-12, abs=1e-12 * size)


def test_an_output_that_feeds_another_starts_with_what_it_has_of_its_own():
    x = Value(2.0, "x")
    h = x * 3
    y = h * h
    h.label, y.label = "h", "y"
    y.backward()  # dy/dh = 2h = 12
    assert [node["seed"] for node in data_in(draw([h, y]).html())["nodes"]] == [0, 0, 0, 1]
    x.grad = 0.0
    (y + h).backward()
    assert {node["name"]: node["seed"] for node in data_in(draw([h, y]).html())["nodes"]} == {
        "x": 0, "3": 0, "h": 1, "y": 1,
    }  # fmt: skip


@pytest.mark.parametrize("seed", ["nan", "inf", "-inf"])
def test_an_output_starts_with_what_it_was_swept_with_also_if_that_is_not_finite(seed):
    x = Value(2.0, "x")
    h = x * 3
    y = h * h
    y.backward(float(seed))
    assert [node["seed"] for node in data_in(draw(y).html())["nodes"]] == [0, 0, 0, seed]
    assert [node["seed"] for node in data_in(draw([h, y]).html())["nodes"]] == [0, 0, 0, seed]


def test_gradients_of_several_sweeps_are_told_and_each_output_starts_with_one():
    x = Value(2.0, "x")
    h = x * 3
    y = h * h
    y.backward()
    h.backward()  # now h.grad is 1, though 12 come from y, and x holds 36 + 3
    page = draw([h, y]).html()
    assert NOT_RECORDED in page
    nodes = data_in(page)["nodes"]
    assert [node["seed"] for node in nodes] == [0, 0, 1, 1]
    assert nodes[0]["gradient"] == 3 * (12 + 1)


def test_nothing_flows_from_an_output_that_was_not_swept():
    x = Value(0.0, "x")
    z, y = x * 2, x.log()       # whose slope at 0 is infinite
    z.backward()
    page = draw([z, y]).html()
    assert (data_in(page)["nodes"][0]["name"], data_in(page)["nodes"][0]["gradient"]) == ("x", 2)
    assert NOT_RECORDED not in page


def swept_twice(x):
    y = x * 2
    y.backward()
    y.backward()
    return [y]


def swept_one_after_the_other(x):
    h = x * 3
    y, k = h * h, h + 1
    y.backward()
    k.backward()
    return [y, k]


def swept_from_below(x):
    h = x * 3
    y = h * h
    h.backward()
    y.backward()
    return [h, y]


@pytest.mark.parametrize("swept", [swept_twice, swept_one_after_the_other, swept_from_below])
def test_gradients_that_are_not_those_of_the_pages_sweep_are_told(swept):
    assert NOT_RECORDED in draw(swept(Value(2.0, "x"))).html()


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
    assert [node.get("symbols") for node in page["nodes"]] == [None, None, "3·u1", "v1 + u1", "tanh v2"]
    assert page["nodes"][2]["numbers"] == "3·2"


def test_a_drawing_of_modules_can_be_looked_at_but_not_stepped():
    w = Value(2.0, "l0.n0.w0")
    page = draw(w * Value(3.0, "x"), level="layers").html()
    assert not data_in(page)["scalars"]
    assert {a["max"] for tag, a in Page(page).elements if a.get("id") == "slider"} == {"0"}


@pytest.mark.parametrize("name", PRIMITIVES)
def test_the_rules_in_symbols_mean_the_derivatives(name):
    row = PRIMITIVES[name]
    numbers = [0.25 + 0.25 * i for i in range(row.arity or 5)]  # dot takes an odd number
    numbers = numbers[:4] if name == "softmax_cross_entropy" else numbers
    if name == "acosh":
        numbers = [1.75]
    operands = dict(zip("abcdefg", numbers, strict=False))
    y = row.evaluate(SCALAR, numbers)
    formula, rules = symbols.rule(name, "y", [symbols.Operand(i, x) for i, x in enumerate(operands)])
    assert evaluate(formula, **operands) == pytest.approx(y, rel=1e-12)
    for text, partial in zip(rules, row.differentiate(SCALAR, y, numbers), strict=True):
        assert evaluate(text, **operands, y=y) == pytest.approx(partial, rel=1e-12)


OPERANDS = [("a", "b"), ("a", "a"), *[pair for n in (0.0, -0.0, 1.0, 2.0) for pair in (("a", n), (n, "b"))]]
NUMBERS = {"a": 1.75, "b": 0.5}
NO_FORMULA = {("divide", 0.0, 1), ("power", 0.0, 0)}  # x/0; the derivative of 0^x
PATTERNS = [
    (name, pair)
    for name in ("add", "subtract", "multiply", "divide", "power")
    for pair in OPERANDS
    if not any((name, x, place) in NO_FORMULA for place, x in enumerate(pair))
]


def written(name, pair):
    """The rule of an operation on names and constants, in symbols and in numbers; known formulas are kept."""
    operands = [
        symbols.Operand("ab".index(x), x) if isinstance(x, str) else symbols.Operand(2 + i, f"{x:g}", x)
        for i, x in enumerate(pair)
    ]
    numbers = [f"{NUMBERS.get(x, x):g}" for x in pair]
    return (*symbols.rule(name, "c", operands), symbols.in_numbers(name, operands, numbers))


@pytest.mark.parametrize("kept", PATTERNS, ids=str)
def test_a_rule_is_the_same_whatever_was_drawn_before(kept):
    for other in PATTERNS:
        symbols._formulas.cache_clear()
        alone = written(*other)
        symbols._formulas.cache_clear()
        written(*kept)
        assert written(*other) == alone


@pytest.mark.parametrize("order", [1, -1], ids=["forwards", "backwards"])
def test_the_shown_formulas_evaluate_to_the_nodes_numbers(order):
    for name, pair in PATTERNS[::order]:
        a, b = Value(NUMBERS["a"], "a"), Value(NUMBERS["b"], "b")
        row = PRIMITIVES[name]
        x, y = ({"a": a, "b": b}.get(operand, operand) for operand in pair)
        *_, node = data_in(draw(autograd.value.apply(row, [x, y])).html())["nodes"]
        numbers = [NUMBERS.get(operand, operand) for operand in pair]
        names = {**NUMBERS, node["name"]: node["data"]}
        assert node["data"] == row.evaluate(SCALAR, numbers)
        assert evaluate(node["symbols"], **names) == pytest.approx(node["data"], rel=1e-12), (name, pair)
        assert evaluate(node["numbers"]) == pytest.approx(node["data"], rel=1e-12), (name, pair)
        partials = row.differentiate(SCALAR, node["data"], numbers)
        for text, partial, operand in zip(node["partials"], partials, pair, strict=True):
            if isinstance(operand, str):
                assert evaluate(text, **names) == pytest.approx(partial, rel=1e-12), (name, pair)


def test_rules_are_what_textbooks_write():
    def of(operation, *names):
        operands = [
            symbols.Operand(i, str(x), x if isinstance(x, float) else None) for i, x in enumerate(names)
        ]
        return symbols.rule(operation, "c", operands)

    assert of("multiply", "a", "b") == ("a·b", ["b", "a"])
    assert of("divide", "a", "b") == ("a/b", ["1/b", "−c/b"])
    assert of("power", "a", 3.0)[1][0] == "3·a²"
    assert of("tanh", "x") == ("tanh x", ["1 − c²"])
    assert of("relu", "x")[1] == ["1 if x > 0, else 0"]
    assert of("multiply", "a", 0.3) == ("a·0.3", ["0.3", "a"])


def test_two_operands_of_one_name_stay_two_and_one_used_twice_is_one():
    same, other = symbols.Operand(0, "a"), symbols.Operand(1, "a")
    assert symbols.rule("subtract", "c", [same, other])[0] == "a − a"
    assert symbols.rule("multiply", "c", [same, same])[0] == "a²"
    assert symbols.in_numbers("subtract", [same, other], ["2", "-0.5"]) == "2 − (-0.5)"


def test_a_name_of_any_text_is_put_in_whole_and_in_brackets_where_it_might_be_a_formula():
    names = ["y", "c·b", chr(0x20000), chr(0xF0001), "<b>"]
    operands = [symbols.Operand(i, name) for i, name in enumerate(names)]
    formula, rules = symbols.rule("sum", "y", operands)
    assert formula == f"y + (c·b) + {names[2]} + ({names[3]}) + (<b>)"
    assert symbols.rule("multiply", "y", operands[1:3])[1] == [names[2], "(c·b)"]
    assert symbols.rule("log", "y", operands[1:2])[0] == "log(c·b)"
    assert rules == ["1"] * 5


def test_a_formula_of_very_many_operands_is_left_out():
    operands = [symbols.Operand(i, f"x{i}") for i in range(1000)]
    assert symbols.rule("sum", "y", operands) == ("", [""] * 1000)


def test_a_rule_beyond_the_tables_means_has_no_symbols_but_its_number():
    odd = autograd.primitive("odd_rule", lambda m, x: x, [lambda m, y, x: float(x)], symbol="odd")
    page = data_in(draw(odd(Value(1.0))).html())
    del PRIMITIVES["odd_rule"]
    assert page["nodes"][1]["partials"] == [""]
    assert page["arrows"][0][2] == 1.0
    assert data_in(draw(odd(Value(1.0))).html())["nodes"][1]["partials"] == [""]
