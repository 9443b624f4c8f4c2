"""Drawings: that they show the recorded graph, its numbers, its colours and its paths."""

import itertools
import json
import math
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value, draw
from autograd.drawing.colours import FILLS, INK, SOFT_INK, caption_ink
from autograd.drawing.paths import paths_between
from tests.drawings import (
    built_in_svg,
    contrast,
    graph,
    legend_in,
    luminance,
    name_in,
    read_dot,
    read_svg,
    recorded,
    shown_in,
    uses_shown,
)

directions = st.sampled_from(["LR", "RL", "TB", "BT"])


@pytest.mark.parametrize("form", ["dot", "svg", "text", "json"])
@given(output=recorded(), direction=directions, partials=st.booleans())
def test_each_form_shows_the_recorded_graph(form, output, direction, partials):
    assert shown_in(form, output, direction=direction, partials=partials) == graph(output)


def test_both_uses_of_a_squared_operand_are_seen():
    a = Value(3.0, label="a")
    square = a * a
    assert [edge[:2] for edge in read_dot(draw(square).dot)[1]] == [("n0", "n1"), ("n0", "n1")]
    _, (first, second) = read_svg(built_in_svg(square))
    assert second[-1][1] - first[-1][1] >= 8


def test_operands_arrive_in_their_order_from_top_to_bottom():
    a, b, c = (Value(float(i), label=name) for i, name in enumerate("abc"))
    output = autograd.sum([c, a, b, a])
    nodes, edges = read_dot(draw(output).dot)
    ports = sorted((port, name_in(nodes[tail])) for tail, _, port in edges)
    assert [name for _, name in ports] == ["c", "a", "b", "a"]
    boxes, arrows = read_svg(built_in_svg(output))
    arrows.sort(key=lambda points: points[-1][1])
    assert [tail for tail, _ in uses_shown(boxes, arrows)] == ["c", "a", "b", "a"]
    assert re.findall(r"#\d+ .*  ([abc])|see", draw(output).text) == ["a", ""]


def test_boxes_show_operation_label_data_and_gradient_and_constants_only_their_number():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    product = a * b
    output = product + 10.25
    output.label = "out"
    output.backward()
    expected = [
        ["a", "data", "2", "grad", "-3"],
        ["b", "data", "-3", "grad", "2"],
        ["×", "data", "-6", "grad", "1"],
        ["10.25"],
        ["+", "out", "data", "4.25", "grad", "1"],
    ]
    assert [box.texts for box in read_svg(built_in_svg(output))[0]] == expected
    labels, _ = read_dot(draw(output).dot)
    shown = [sorted(text for text in label.itertext()) for label in labels.values()]
    assert shown == [sorted(texts) for texts in expected]
    assert draw(output).text.splitlines() == [
        "+  data 4.25  grad 1  out",
        "├─ ×  data -6  grad 1",
        "│  ├─ leaf  data 2  grad -3  a",
        "│  └─ leaf  data -3  grad 2  b",
        "└─ number  10.25",
    ]


def test_numbers_have_the_precision_asked_for():
    value = Value(123456.789)
    shown = {precision: draw(value, precision=precision).dot for precision in (1, 4, 9, 17)}
    for precision, text in {1: "1e+05", 4: "1.235e+05", 9: "123456.789", 17: "123456.789"}.items():
        assert text in shown[precision]


def test_numbers_that_are_not_finite_are_shown():
    texts = [
        text
        for number in ("inf", "-inf", "nan")
        for text in read_svg(built_in_svg(Value(float(number))))[0][0].texts
    ]
    assert texts == ["data", "inf", "grad", "0", "data", "-inf", "grad", "0", "data", "nan", "grad", "0"]


def test_kinds_of_node_differ_in_form_and_not_only_in_colour():
    leaf = Value(2.0, label="leaf")
    output = (leaf + 1).tanh()
    boxes, _ = read_svg(built_in_svg(output))
    assert len({box.look for box in boxes}) == 4
    forms = re.findall(r'style="([a-z,]+)", fillcolor="#ffffff", penwidth=(\d)', draw(output).dot)
    assert len(set(forms)) == 4


def test_a_drawing_keeps_what_it_showed_when_it_was_made():
    a = Value(2.0, label="a")
    drawing = draw(a)
    a.data = 5.0
    assert (">2<" in drawing.dot, ">5<" in drawing.dot) == (True, False)


def test_equal_graphs_give_equal_bytes():
    def make():
        a, b = Value(2.0, label="a"), Value(-3.0, label="b")
        output = autograd.dot([a, b, a], [b, b, a], a) - a * b
        output.backward()
        return draw(output, engine="built-in", partials=True, highlight=a)

    one, other = make(), make()
    assert (one.dot, one.svg(), one.text, one.json) == (other.dot, other.svg(), other.text, other.json)


def test_several_outputs_are_drawn_together():
    a = Value(2.0, label="a")
    drawing = draw([a * a, a.tanh(), a])
    assert repr(drawing).startswith("Drawing: 3 nodes, 3 edges")
    boxes = json.loads(drawing.json)["boxes"]
    assert [(box["operation"], box["output"]) for box in boxes] == [
        ("", True), ("multiply", True), ("tanh", True),
    ]  # fmt: skip
    assert drawing.text.count("\n×") + drawing.text.count("\ntanh") + drawing.text.startswith("tanh") == 2


def test_recorded_gradients_are_shown_as_their_numbers():
    x = Value(3.0, label="x")
    y = x * x
    y.backward(create_graph=True)
    boxes, _ = read_svg(built_in_svg(y))
    x.grad = 0.0
    assert boxes[0].texts == ["x", "data", "3", "grad", "6"]


# ---- local derivatives


def test_each_arrow_shows_its_local_derivative_where_it_arrives():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    product = a * b + 10
    boxes, _ = read_svg(built_in_svg(product, partials=True))
    assert boxes[2].texts[:3] == ["-3", "2", "×"]  # d(ab)/da = b, d(ab)/db = a
    assert boxes[4].texts[:2] == ["1", "+"]  # and none by the constant
    assert [arrow["partial"] for arrow in json.loads(draw(product).json)["arrows"]] == [-3.0, 2.0, 1.0, None]


@given(output=recorded(), direction=directions)
def test_local_derivatives_are_all_there_and_none_unasked(output, direction):
    expected = Counter(
        f"{x:.4g}"
        for value in _nodes(output)
        for parent, x in zip(value.parents, value.partials, strict=True)
        if not parent.is_constant
    )
    more = _texts(built_in_svg(output, direction=direction, partials=True))
    more.subtract(_texts(built_in_svg(output, direction=direction)))
    assert +more == expected


def _nodes(output):
    found, todo = {}, [output]
    while todo:
        value = todo.pop()
        if value not in found:
            found[value] = True
            todo.extend(value.parents)
    return found


def _texts(svg):
    return Counter(re.findall(r"<text[^>]*>([^<]*)</text>", svg))


# ---- colours


def test_colour_tells_sign_and_size_and_the_legend_says_how():
    a, b, c = Value(0.5, label="a"), Value(-0.02, label="b"), Value(3.0, label="c")
    output = a * c + b * -0.05 + c * 0
    output.backward()
    svg = built_in_svg(output)
    fill = {box.name: box.fill for box in read_svg(svg)[0]}
    assert (fill["a"], fill["b"], fill["c"]) == (FILLS["p4"], FILLS["n2"], FILLS["p3"])  # 3, -0.05, 0.5
    words, _ = legend_in(svg)
    assert words[FILLS["p4"]] == "≥ 1"
    assert words[FILLS["p3"]] == "≥ 0.1"
    assert words[FILLS["n2"]] == "≤ -0.01"
    assert set(fill.values()) <= {*words, "#ffffff"}
    dot = draw(output).dot
    assert all(word in dot for word in ("≥ 1", "≤ -0.01"))


def test_graphviz_is_given_no_colour_in_the_legend_that_no_box_has():
    x, aside = Value(2.0, "x"), Value(3.0, "aside")
    output = x * Value(0.5, "w") + aside * 0.0
    output.backward()
    aside.grad = -1e6
    output.grad = 1.0
    source = draw(output, highlight=x).dot
    swatches = set(re.findall(r'<TD BORDER="1" BGCOLOR="(#\w+)">', source))
    assert swatches == set(re.findall(r'fillcolor="(#\w+)"', source)) - {"#ffffff"}


def test_before_a_sweep_there_is_no_colour_and_no_legend():
    svg = built_in_svg(Value(2.0).tanh())
    assert legend_in(svg) == ({}, [])
    assert {box.fill for box in read_svg(svg)[0]} == {"#ffffff"}


def test_a_gradient_that_is_not_finite_stands_out():
    x = Value(0.0, label="x")
    output = x.log() + x
    output.backward()
    svg = built_in_svg(output)
    assert read_svg(svg)[0][0].fill == FILLS["odd"]
    assert legend_in(svg)[0][FILLS["odd"]] == "not finite"


def test_text_is_readable_on_every_shade():
    for shade, fill in FILLS.items():
        assert contrast(fill, INK) >= 4.5, shade  # WCAG 2, level AA
        assert contrast(fill, caption_ink(shade)) >= 4.5, shade
    assert contrast("#ffffff", SOFT_INK) >= 4.5


def test_larger_is_darker_in_print():
    for sign in "nps":
        greys = [luminance(FILLS[f"{sign}{step}"] if step else FILLS[""]) for step in range(5)]
        assert all(one / other >= 1.09 for one, other in itertools.pairwise(greys)), sign


# Colours as people without red or green receptors see them: Machado, Oliveira and Fernandes, "A
# Physiologically-based Model for Simulation of Color Vision Deficiency", 2009, severity 1.0, on linear RGB.
BLINDNESS = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
                   (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
                     (-0.011820, 0.042940, 0.968881)),
}  # fmt: skip


@pytest.mark.parametrize("kind", BLINDNESS)
def test_signs_are_told_apart_by_the_colour_blind(kind):
    def seen(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return [sum(w * c for w, c in zip(row, linear, strict=True)) for row in BLINDNESS[kind]]

    for step in range(1, 5):
        negative, positive = seen(FILLS[f"n{step}"]), seen(FILLS[f"p{step}"])
        assert negative[2] < negative[0]  # yellowish,
        assert positive[2] > positive[0]  # against bluish


# ---- paths


def all_paths(value, output):
    """Every path as a list of partial derivatives, by recursion: the definition."""
    if value is output:
        return [[]]
    return [
        [*path, partial]
        for parent, partial in zip(output.parents, output.partials, strict=True)
        if value in _nodes(parent)
        for path in all_paths(value, parent)
    ]


@given(recorded(), st.data())
def test_every_path_is_counted_and_listed_with_what_it_contributes(output, data):
    for node in _nodes(output):
        node.grad = 0.0
    chosen = data.draw(st.sampled_from(list(_nodes(output))))
    paths = all_paths(chosen, output)
    if len(paths) > 300:
        return
    output.backward()
    read = json.loads(draw(output, highlight=chosen).json)["paths"]
    products = sorted((math.prod(path) for path in paths), key=abs, reverse=True)
    shown = [path["contribution"] for path in read]
    assert len(read) == min(8, len(paths))
    assert [abs(x) for x in shown] == pytest.approx([abs(x) for x in products[:8]], rel=1e-14, abs=0)
    if len(paths) <= 8:
        scale = sum(map(abs, products))
        assert math.fsum(shown) == pytest.approx(chosen.grad, abs=1e-13 * scale)
    labels = [box["label"] for box in json.loads(draw(output).json)["boxes"]]
    for path in read:
        stops = [labels[stop] for stop in path["boxes"]]
        assert (stops[0], stops[-1]) == (chosen.label, output.label)
        assert set(itertools.pairwise(stops)) <= set(graph(output)[1])


@given(recorded(), st.data())
def test_what_lies_on_a_path_stands_out_and_the_rest_is_faint(output, data):
    chosen = data.draw(st.sampled_from(list(_nodes(output))))
    on_path = {value.label for value in _nodes(output) if chosen in _nodes(value)}
    boxes, _ = read_svg(built_in_svg(output, highlight=chosen))
    assert {box.name for box in boxes if not box.aside} == on_path


def test_the_drawing_says_each_paths_contribution_and_that_they_sum_to_the_gradient():
    x = Value(3.0, label="x")
    y = x * x + 2 * x  # dy/dx = x + x + 2
    y.label = "y"
    y.backward()
    expected = [
        "3 paths from x to y:",
        "3 along x → × → y: (3) · (1)",
        "3 along x → × → y: (3) · (1)",
        "2 along x → × → y: (2) · (1)",
        "together 8, its gradient",
    ]
    drawing = draw(y, highlight=x, engine="built-in")
    assert legend_in(drawing.svg())[1] == expected
    assert drawing.text.splitlines()[-5:] == expected
    assert all(line.replace(" ", "") in drawing.dot.replace(" ", "") for line in expected)


def test_a_long_path_is_broken_off_at_a_whole_step_and_only_where_that_is_shorter():
    x = Value(1.0, label="x")
    y = x
    for _ in range(9):
        y = y * 1.0
    y.backward()
    ones = " · ".join(["(1)"] * 9)  # 51 characters, where 50 are room for
    assert draw(y, highlight=x).text.splitlines()[-2].endswith(f": {ones}")
    for _ in range(20):
        y = y * 0.5
    line = draw(y, highlight=x).text.splitlines()[-2]
    route, product = line.split(" along ")[1].split(": ")
    assert route == " → ".join(["x", *["×"] * 17, "… 12 more"])  # of 30 stops, within 70 characters
    assert product == " · ".join(["(1)"] * 8 + ["… 21 more"])  # of 29 factors, within 50


def test_a_gradient_that_is_not_the_sum_of_the_paths_is_told():
    x = Value(3.0, label="x")
    y = x * x
    assert "together 6, which backward() will add to its gradient" in draw(y, highlight=x).text
    y.backward()
    y.backward()
    assert "together 6, but its gradient is 12: not of one sweep" in draw(y, highlight=x).text
    x.grad = 0.0
    y.backward(-2.0)
    assert "-6 along x → ×: (3) · (-2)" in draw(y, highlight=x).text
    assert "together -12, its gradient" in draw(y, highlight=x).text


def test_paths_beyond_number_are_counted_and_the_largest_listed():
    x = Value(1.0, label="x")
    y = x
    for _ in range(400):
        y = autograd.dot([1.0, 0.5], [y, y])  # each step two ways, by 1 and by ½: 2⁴⁰⁰ paths, (3/2)⁴⁰⁰ in all
    y.backward()
    lines = draw(y, highlight=x).text.splitlines()[-11:]
    assert lines[0] == "about 10^120 paths from x to the output:"  # 2⁴⁰⁰ = 2.58e120
    assert [line.split()[0] for line in lines[1:9]] == ["1", *["0.5"] * 7]
    assert lines[9].endswith("by the other about 10^120 paths; these 8 are the largest")
    total = f"{1.5**400:.4g}"
    assert lines[10] == f"together {total}, its gradient"


def test_a_path_of_length_nothing_contributes_one():
    assert paths_between(0, 0, [], most=8).total == 1.0
    x = Value(2.0, label="x")
    assert "1 path from x to x:\n1 along x: 1\n" in draw(x, highlight=x).text


# ---- options


@pytest.mark.parametrize("thing", [1.0, "a", None, {1: Value(1.0)}, [Value(1.0), 2.0]])
def test_only_values_can_be_drawn(thing):
    with pytest.raises(
        TypeError, match=rf"expected a Value, a list of Values or a Program, got {type(thing).__name__}"
    ):
        draw(thing)


def test_no_value_at_all_is_refused():
    with pytest.raises(ValueError, match="at least one Value"):
        draw([])


@pytest.mark.parametrize("precision", [2.0, "4", True, None])
def test_precision_is_an_int(precision):
    with pytest.raises(TypeError, match="expected precision as an int"):
        draw(Value(1.0), precision=precision)


@pytest.mark.parametrize("precision", [0, -1, 18])
def test_precision_is_within_a_floats_digits(precision):
    with pytest.raises(ValueError, match="from 1 to 17"):
        draw(Value(1.0), precision=precision)


@pytest.mark.parametrize("direction", ["lr", "down", "", None])
def test_other_directions_are_refused_with_those_allowed(direction):
    with pytest.raises(ValueError, match="expected direction LR, RL, TB or BT, got"):
        draw(Value(1.0), direction=direction)


def test_only_a_node_of_the_graph_with_a_gradient_can_be_highlighted():
    a, b = Value(1.0, label="a"), Value(2.0, label="b")
    output = a + 1
    with pytest.raises(TypeError, match="expected highlight as a Value, got str"):
        draw(output, highlight="a")
    with pytest.raises(ValueError, match=r"label='b'.* is no part of the graph"):
        draw(output, highlight=b)
    with pytest.raises(ValueError, match="a constant has no gradient"):
        draw(output, highlight=output.parents[1])
    with pytest.raises(ValueError, match="one output, got 2"):
        draw([output, a * b], highlight=a)
