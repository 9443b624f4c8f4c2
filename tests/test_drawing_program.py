"""Graphs drawn as the array operations of the lifted program: semantic zoom's last level."""

import ast
import json
import sys
from unittest import mock
from xml.etree import ElementTree

import numpy as np
import pytest

import autograd
from autograd import Value, draw, lift
from nn import MLP
from tests.drawings import Page, built_in_svg, read_dot, read_svg, uses_shown
from tests.test_drawing_modules import moons_loss


def network():
    """Two inputs, three hidden neurons, one output: as a scalar graph, with what made it."""
    model = MLP(2, [3, 1], activation="tanh", rng=np.random.default_rng(0))
    inputs = [Value(0.5, "x0"), Value(-1.0, "x1")]
    y = model(inputs)
    y.label = "y"
    return y, model, inputs


def narrow(steps=20):
    """A chain that is run scalar by scalar."""
    x = Value(0.3, "x")
    for _ in range(steps):
        x = (x * 1.5 + Value(0.1)).tanh().exp().sin()
    return x


def read(drawing):
    """The boxes, and the arrows as pairs of labels."""
    found = json.loads(drawing.json)
    labels = [box["label"] for box in found["boxes"]]
    return found["boxes"], [(labels[arrow["tail"]], labels[arrow["head"]]) for arrow in found["arrows"]]


def test_a_network_is_one_box_for_each_array_and_for_each_operation_on_arrays():
    y, _, inputs = network()
    boxes, arrows = read(draw(lift(y, inputs=inputs)))
    assert {box["label"]: (box["symbol"], box["shape"]) for box in boxes} == {
        "x": ("", [2, "N"]), "W0": ("", [3, 2]), "b0": ("", [3, 1]), "W1": ("", [1, 3]), "b1": ("", [1, 1]),
        "z0": ("@", [3, "N"]), "a0": ("tanh", [3, "N"]), "y": ("@", [1, "N"]),
    }  # fmt: skip
    assert sorted(arrows) == [
        ("W0", "z0"), ("W1", "y"), ("a0", "y"), ("b0", "z0"), ("b1", "y"), ("x", "z0"), ("z0", "a0"),
    ]  # fmt: skip
    assert [box["label"] for box in boxes if box["output"]] == ["y"]


def test_the_formulas_run_in_order_give_what_the_scalars_give():
    y, model, inputs = network()
    names = {"np": np, "x": np.array([[value.data] for value in inputs])}
    for k, layer in enumerate(model.layers):
        numbers = np.array([[p.data for p in neuron.parameters()] for neuron in layer.neurons])
        names |= {f"W{k}": numbers[:, :-1], f"b{k}": numbers[:, -1:]}
    boxes, _ = read(draw(lift(y, inputs=inputs)))
    for box in boxes:
        if box["operation"]:
            names[box["label"]] = eval(box["operation"], names)
            assert list(names[box["label"]].shape) == [1 if n == "N" else n for n in box["shape"]]
    assert names["y"][0, 0] == pytest.approx(y.data, rel=1e-15)


@pytest.mark.parametrize(
    "output",
    [
        network()[0],
        narrow(),
        moons_loss(10),
        sum(MLP(3, [4, 2], output="softmax", rng=np.random.default_rng(1))([1.0, Value(2.0), 0.5])).log(),
        autograd.leaky_relu(Value(1.0, "a") * Value(2.0, "b"), Value(0.1, "c")),
        Value(1.0, "a"),
    ],
    ids=["network", "narrow", "moons", "softmax", "branch", "leaf"],
)
def test_arrows_come_from_the_arrays_that_a_formula_names(output):
    boxes, arrows = read(draw(output, level="program"))
    for box in boxes:
        named = names_in(box["operation"] or "None", {other["label"] for other in boxes})
        assert named == {tail for tail, head in arrows if head == box["label"]}


def names_in(formula, labels):
    """Those of the labels, as x and v[3], that Python's grammar finds in a formula."""
    nodes = [node for node in ast.walk(ast.parse(formula)) if isinstance(node, ast.Name | ast.Subscript)]
    return {ast.unparse(node) for node in nodes} & labels


def test_every_form_shows_the_same_boxes_and_arrows():
    y, _, _ = network()
    drawing = draw(y, level="program", engine="built-in")
    boxes, arrows = read(drawing)
    labels = sorted(box["label"] for box in boxes)
    frames, routes = read_svg(drawing.svg())
    assert sorted(frame.name for frame in frames) == labels
    assert sorted(uses_shown(frames, routes)) == sorted(arrows)
    nodes, edges = read_dot(drawing.dot)
    names = {key: next(label.iter("B")).text for key, label in nodes.items()}
    assert sorted(names.values()) == labels
    assert sorted((names[a], names[b]) for a, b, _ in edges) == sorted(arrows)
    lines = drawing.text.splitlines()
    assert lines[0] == "@  = W1 @ a0 + b1  shape 1 × 1  Y"
    assert sorted(line.rsplit("  ")[-1] for line in lines[: len(boxes)]) == labels
    for shown in (drawing.svg(), drawing.dot, drawing.text):
        assert "3 array operations, 2 matrix products (@) among them" in shown


def test_signs_in_formulas_are_text_in_every_form():
    x = autograd.leaky_relu(Value(1.0, "a"), Value(0.1, "c"))
    formula = next(box["operation"] for box in read(draw(x, level="program"))[0] if box["operation"])
    assert ">" in formula or "<" in formula
    frames, _ = read_svg(built_in_svg(x, level="program"))
    assert any(formula in frame.texts for frame in frames)
    nodes, _ = read_dot(draw(x, level="program").dot)
    assert any(formula in "".join(label.itertext()) for label in nodes.values())


def test_a_long_formula_is_drawn_short_and_told_in_full_by_json():
    drawing = draw(moons_loss(10), level="program", engine="built-in")
    longest = max((box["operation"] for box in read(drawing)[0]), key=len)
    assert len(longest) > 60
    assert longest not in drawing.svg()
    assert f"{longest[:50]}" in drawing.text


def test_a_training_graph_of_many_samples_is_as_few_boxes_as_one_of_few():
    few, many = (len(read(draw(moons_loss(n), level="program"))[0]) for n in (10, 50))
    assert few == many < 25


def test_the_page_tells_formulas_and_shapes_and_has_no_steps():
    y, _, _ = network()
    page = Page(draw(y, level="program").html())
    data = json.loads(page.inner("script")[0])
    assert (data["scalars"], data["level"]) == (False, "program")
    assert ("z0", "W0 @ X + b0", "3 × 1") in [
        (node["name"], node["operation"], node["shape"]) for node in data["nodes"]
    ]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"level": "layers"}, 'a Program is drawn at level "program"'),
        ({"open": ["l0"]}, "open and close are for modules"),
        ({"close": ["l0"]}, "open and close are for modules"),
        ({"highlight": Value(1.0)}, "highlight shows paths of scalars"),
        ({"limit": 7}, "8 arrays in one picture.*limit=8"),
    ],
)
def test_a_program_refuses_what_it_cannot_show(options, reason):
    with pytest.raises(ValueError, match=reason):
        draw(lift(network()[0]), **options)


def test_a_value_drawn_as_program_refuses_the_same():
    y, _, inputs = network()
    with pytest.raises(ValueError, match="not of program"):
        draw(y, level="program", highlight=inputs[0])
    with pytest.raises(ValueError, match="open and close are for modules"):
        draw(y, level="program", open=["l0"])
    with pytest.raises(ValueError, match="limit=8"):
        draw(y, level="program", limit=7)


def test_several_values_are_drawn_as_one_program():
    a = Value(1.0, "a")
    boxes, _ = read(draw([a.sin(), a.exp()], level="program"))
    assert {box["operation"] for box in boxes if box["output"]} == {"np.sin(a)", "np.exp(a)"}


def test_a_notebook_shows_a_program():
    y, _, inputs = network()
    shown = lift(y, inputs=inputs)._repr_mimebundle_(include=None, exclude=None)
    assert shown["text/plain"] == "Program: 13 parameters, 2 inputs"
    assert "W0 @ x + b0" in shown["image/svg+xml"]
    assert ElementTree.fromstring(shown["image/svg+xml"]).tag.endswith("svg")


def test_a_notebook_shows_a_program_that_cannot_be_drawn_by_the_reason():
    program = lift(network()[0])
    with mock.patch.object(sys.modules["autograd.drawing.drawing"], "draw", side_effect=MemoryError()):
        shown = program._repr_mimebundle_()
    assert shown == {"text/plain": "Program: 15 parameters\n(no picture: MemoryError)"}
