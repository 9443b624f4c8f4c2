"""Semantic zoom: one graph as scalars, as neurons and as layers, modules opened and closed one by one."""

import json
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value, draw
from autograd.drawing.groups import box_order, grouped
from autograd.drawing.homes import homes
from autograd.graph import topological_order
from nn import MLP


def mlp(x=(0.5, -1.0), layers=(3, 1)):
    model = MLP(len(x), list(layers), activation="tanh", rng=np.random.default_rng(0))
    y = model([Value(number, label=f"x{i}") for i, number in enumerate(x)])
    y.label = "y"
    y.backward()
    return y, model


class MicrogradStyle:
    """Layers of neurons as micrograd has them, with names for the parameters."""

    def __init__(self, sizes):
        rng = np.random.default_rng(1)
        self.layers = [
            [
                ([Value(rng.normal(), f"l{i}.n{j}.w{k}") for k in range(inputs)], Value(0.0, f"l{i}.n{j}.b"))
                for j in range(outputs)
            ]
            for i, (inputs, outputs) in enumerate(pairwise(sizes))
        ]

    def __call__(self, x):
        for i, layer in enumerate(self.layers):
            x = [sum((wi * xi for wi, xi in zip(w, x, strict=True)), b) for w, b in layer]
            x = x if i == len(self.layers) - 1 else [z.relu() for z in x]
        return x[0]

    def parameters(self):
        return [p for layer in self.layers for w, b in layer for p in (*w, b)]


def moons_loss(samples, hidden=4):
    """The loss of micrograd's demo: a hinge on each sample, and a penalty."""
    model = MicrogradStyle([2, hidden, hidden, 1])
    rng = np.random.default_rng(2)
    losses = [
        (1 + -1.0 * sign * model([Value(x) for x in rng.normal(size=2)])).relu()
        for sign in rng.choice([-1.0, 1.0], size=samples)
    ]
    loss = sum(losses) * (1.0 / samples) + 1e-4 * sum(p * p for p in model.parameters())
    loss.label = "loss"
    loss.backward()
    return loss


def boxes(drawing):
    return {box["label"]: box for box in json.loads(drawing.json)["boxes"]}


def boxes_in(drawing):
    return json.loads(drawing.json)["boxes"]


def uses(drawing):
    """(tail's label, head's label): number of uses."""
    read = json.loads(drawing.json)
    labels = [box["label"] for box in read["boxes"]]
    return Counter(
        {(labels[arrow["tail"]], labels[arrow["head"]]): arrow["uses"] for arrow in read["arrows"]}
    )


def operations(box):
    return {word.split(" ", 1)[1]: int(word.split()[0]) for word in box["operation"].split(", ")}


# ---- what belongs to a module


def test_an_mlp_as_neurons():
    y, _ = mlp()
    drawing = draw(y, level="neurons")
    found = boxes(drawing)
    assert list(found) == ["x0", "x1", "l0.n0", "l0.n1", "l0.n2", "l1.n0"]
    assert operations(found["l0.n1"]) == {"w·x": 1, "tanh": 1}
    assert operations(found["l1.n0"]) == {"w·x": 1}
    assert uses(drawing) == {
        **{(x, f"l0.n{j}"): 1 for x in ("x0", "x1") for j in range(3)},
        **{(f"l0.n{j}", "l1.n0"): 1 for j in range(3)},
    }
    assert repr(drawing).startswith("Drawing: neurons of 22 nodes: 6 boxes, 9 arrows, ")


def test_a_neuron_shows_its_output_and_that_outputs_gradient():
    y, _ = mlp()
    hidden = y.parents[5]  # of w0 w1 w2 x0 x1 x2 b
    box = boxes(draw(y, level="neurons"))["l0.n2"]
    assert (box["data"], box["gradient"]) == (hidden.data, hidden.grad)
    assert (boxes(draw(y, level="neurons"))["l1.n0"]["data"], y.grad) == (y.data, 1.0)


def test_an_mlp_as_layers():
    y, model = mlp(layers=(3, 2, 1))
    drawing = draw(y, level="layers")
    assert list(boxes(drawing)) == ["x0", "x1", "l0", "l1", "l2"]
    assert uses(drawing) == {("x0", "l0"): 3, ("x1", "l0"): 3, ("l0", "l1"): 6, ("l1", "l2"): 2}
    first = [p.grad for name, p in model.named_parameters() if name.startswith("l0.")]
    assert boxes(drawing)["l0"]["gradient"] == max(map(abs, first))


def test_two_models_of_the_same_names_are_drawn_as_one_and_that_is_said():
    xs = [Value(0.5, "x0"), Value(-1.0, "x1")]
    one, other = (MLP(2, [2, 1], rng=np.random.default_rng(seed)) for seed in (0, 1))
    drawing = draw(one(xs) - other(xs), level="neurons", engine="built-in")
    remark = re.search(r"neurons of 31 nodes: 6 boxes, 7 arrows \((.*)\), drawn", repr(drawing))[1]
    said, where = remark.split(", as ")
    assert said == "9 labels each name several leaves"
    assert re.fullmatch(r"l\d\.n\d\.[wb]\d?: modules of one name are one box", where)
    assert remark in drawing.svg()
    assert "name" not in repr(draw(one(xs), level="neurons"))
    assert "name" not in repr(draw(one(xs) + one(xs), level="neurons"))  # its own parameters, used twice
    w = [Value(1.0, "l0.w"), Value(2.0, "l0.w")]
    assert "(1 label names several leaves, as l0.w: " in repr(draw(w[0] * w[1], level="layers"))


@pytest.mark.parametrize("number", [float, Value])
def test_inputs_of_many_samples_are_one_box_as_values_and_as_plain_numbers(number):
    """micrograd's own style has floats as inputs, which are constants of the graph."""
    model = MLP(2, [3, 1], rng=np.random.default_rng(0))
    samples = np.random.default_rng(1).normal(size=(20, 2)).tolist()
    loss = autograd.sum([(1 - model([number(x) for x in sample])).relu() for sample in samples])
    few = draw(autograd.sum([model([number(x) for x in sample]) for sample in samples[:2]]), level="neurons")
    drawing = draw(loss, level="neurons")
    assert list(boxes(drawing)) == ["(inputs)", "l0.n0", "l0.n1", "l0.n2", "l1.n0", "(output)"]
    assert {uses(drawing)["(inputs)", f"l0.n{j}"] for j in range(3)} == {40}
    assert "⊞  inputs 40  " in drawing.text
    assert "(inputs)" not in boxes(few)  # a few are drawn singly
    opened = draw(loss, level="neurons", open=["(inputs)"])
    assert sum(box["kind"] in ("leaf", "constant") for box in boxes_in(opened)) == 40
    assert "(inputs)" in boxes(draw(loss, level="neurons", close=["(inputs)"]))


def test_a_softmax_over_a_hidden_layers_sums_belongs_to_the_layer():
    w = [Value(0.5, f"l0.n{j}.w0") for j in range(3)]
    v = Value(2.0, "l1.n0.w0")
    x = Value(1.0, "x")
    output = v * autograd.sum(autograd.softmax([wj * x for wj in w]))
    found = boxes(draw(output, level="neurons"))
    assert list(found) == ["x", "l0.n0", "l0.n1", "l0.n2", "l0", "l1.n0"]
    assert operations(found["l0"]) == {"−": 3, "exp": 3, "logsumexp": 1, "Σ": 1}
    assert list(boxes(draw(output, level="layers"))) == ["x", "l0", "l1"]


def test_a_training_graph_in_micrograds_style_as_layers():
    samples, hidden = 20, 4
    drawing = draw(moons_loss(samples, hidden), level="layers")
    found = boxes(drawing)
    assert list(found) == ["(inputs)", "l0", "l1", "l2", "loss (output)"]
    first, last = (operations(found[name]) for name in ("l0", "l2"))
    # products: one a weight and sample, and one a parameter for the penalty
    assert (first["×"], first["relu"]) == (samples * hidden * 2 + hidden * 3, samples * hidden)
    assert last["×"] == samples * hidden + hidden + 1
    assert "relu" not in last  # the hinge is the loss's
    assert uses(drawing)["(inputs)", "l0"] == samples * 2 * hidden
    assert uses(drawing)["l0", "l1"] == samples * hidden**2
    assert found["loss (output)"]["output"]
    loss = moons_loss(samples, hidden)
    assert found["loss (output)"]["data"] == loss.data


def test_numbers_that_only_look_like_names_make_no_module():
    output = Value(1.0, "0.5") * Value(2.0, "x = 0.5") * Value(2.0, "see fig. 3")
    with pytest.raises(ValueError, match=r'no module in this graph.*"l0.n3.w1"'):
        draw(output, level="layers")


def test_a_nodes_own_dotted_label_says_where_it_belongs():
    x = Value(0.5, "x")
    y = x * x
    y.label = "square.y"
    assert list(boxes(draw(y.tanh(), level="layers"))) == ["x", "square"]


def test_modules_used_in_turns_are_drawn_turn_by_turn_and_their_parameters_once():
    wh, wx, v = Value(0.3, "cell.wh"), Value(0.2, "cell.wx"), Value(0.5, "out.v")
    h = Value(0.0, "h0")
    for t in range(3):
        h = (v * (wh * h + wx * Value(0.1 * t, f"x{t}")).tanh()).sigmoid()
    drawing = draw(h, level="layers")
    found = boxes(drawing)
    turns = [f"{name} [{turn}]" for turn in (1, 2, 3) for name in ("cell", "out")]
    assert [label for label in found if "[" in label] == turns
    assert all(operations(found[f"cell [{turn}]"]) == {"×": 2, "+": 1, "tanh": 1} for turn in (1, 2, 3))
    shown = uses(drawing)
    assert shown["cell: parameters", "cell [2]"] == 2
    assert shown["x1", "cell [2]"] == 1
    assert shown["cell [2]", "out [2]"] == shown["out [2]", "cell [3]"] == 1


# ---- opening and closing


def test_a_layer_is_opened_to_its_neurons_and_a_neuron_to_its_scalars():
    y, _ = mlp()
    assert list(boxes(draw(y, level="layers", open=["l0"]))) == ["x0", "x1", "l0.n0", "l0.n1", "l0.n2", "l1"]
    opened = boxes(draw(y, level="layers", open=["l0.n1"]))
    assert {"l0.n0", "l0.n1.w0", "l0.n1.b", "l0.n2", "l1"} <= set(opened)
    assert "l0.n0.w0" not in opened
    assert boxes(draw(y, open=["l0"])) == boxes(draw(y, level="layers", open=["l0"]))


def test_modules_are_closed_one_by_one_among_scalars():
    y, _ = mlp()
    closed = draw(y, close=["l0.n0", "l0.n2"])
    found = boxes(closed)
    assert {"l0.n0", "l0.n2", "l0.n1.w0", "l1.n0.w0", "x0"} <= set(found)
    assert not {"l0.n0.w0", "l0.n2.b", "l0"} & set(found)
    assert "l0" in boxes(draw(y, close=["l0"]))


def test_scalars_beside_a_closed_module_are_told_from_a_graph_of_scalars_alone():
    y, _ = mlp()  # 22 nodes, of which l0's nine parameters, three sums and three activations become one
    drawing = draw(y, close=["l0"], engine="built-in")
    assert repr(drawing).startswith("Drawing: scalars and closed modules of 22 nodes: 8 boxes, ")
    assert "l0" in drawing.html()  # a page to look around in: there is no stepping through a module


def test_what_is_to_be_closed_and_cannot_be_is_refused():
    w = Value(2.0, "l0.n0.w0")
    y = w.tanh()
    assert list(boxes(draw(y, level="layers"))) == ["l0"]
    with pytest.raises(ValueError, match=r"close: this graph has nothing in '\(inputs\)'"):
        draw(y, close=["(inputs)"])
    with pytest.raises(ValueError, match="l0: expected in open or in close, got in both"):
        draw(y, open=["l0"], close=["l0"])


def test_inputs_and_output_are_opened_and_closed_too():
    loss = moons_loss(10)
    assert "(inputs)" not in boxes(draw(loss, level="layers", open=["(inputs)"]))
    few, _ = mlp()
    assert "(inputs)" in boxes(draw(few, level="layers", close=["(inputs)"]))


def test_a_module_that_is_not_there_is_told_with_those_that_are_near():
    y, _ = mlp()
    with pytest.raises(ValueError, match=r"no module 'l0.n7'.*did you mean .*l0\.n"):
        draw(y, level="layers", open=["l0.n7"])


def test_local_derivatives_stand_between_scalars_beside_closed_modules():
    y, model = mlp()
    text = draw(y, level="layers", open=["l1.n0"], partials=True).text
    assert (
        f"({model.layers[1].neurons[0].weights[0].data:.4g})" not in text
    )  # by the layer's outputs: a bundle
    assert "(1) leaf" in text  # by the bias


@st.composite
def labelled(draw_from):
    """A graph with dotted labels anywhere, and some of its modules' names."""
    name = st.sampled_from(["", "", "a.w", "a.b.w", "a.b.v", "a.c.w", "b.w", "b.d.w", "x"])
    values = [Value(float(i), draw_from(name)) for i in range(draw_from(st.integers(1, 6)))]
    for _ in range(draw_from(st.integers(0, 25))):
        operands = draw_from(st.lists(st.sampled_from(values), min_size=1, max_size=3))
        kind = draw_from(st.sampled_from(["sum", "prod", "tanh", "+1"]))
        if kind == "tanh":
            new = operands[0].tanh()
        else:
            new = operands[0] + 1 if kind == "+1" else getattr(autograd, kind)(operands)
        new.label = draw_from(st.sampled_from(["", "", "", "", "a.y"]))
        values.append(new)
    return values[-1]


@given(labelled(), st.sampled_from(["scalars", "neurons", "layers"]), st.data())
def test_every_scalar_is_in_one_box_and_boxes_have_an_order(output, level, data):
    order = topological_order(output)
    found = homes(order)
    names = sorted({".".join(path[:n]) for path in found.paths for n in range(1, len(path) + 1)})
    some = st.lists(st.sampled_from(names), unique=True) if names else st.just([])
    opened = data.draw(some)
    closed = [name for name in data.draw(some) if name not in opened]
    keys = grouped(order, found, level, opened, closed)
    assert len(keys) == len(order)
    place = {key: i for i, key in enumerate(box_order(keys, found.parents))}
    assert set(place) == set(keys)
    for i, operands in enumerate(found.parents):
        assert all(place[keys[p]] <= place[keys[i]] for p in operands)
    singly = [key for key in keys if len(key) == 1]
    assert len(singly) == len(set(singly))
    for key, path in zip(keys, found.paths, strict=True):
        if len(key) == 2 and path:
            assert path[: len(key[0])] == key[0]


@given(labelled())
def test_no_use_between_boxes_is_lost(output):
    order = topological_order(output)
    found = homes(order)
    if not any(found.paths):
        return
    keys = grouped(order, found, "layers", [], [])
    between = sum(keys[p] != keys[i] for i, operands in enumerate(found.parents) for p in operands)
    read = json.loads(draw(output, level="layers").json)
    assert sum(arrow["uses"] for arrow in read["arrows"]) == between
    assert read["scalars"] == len(order)


# ---- large graphs


def test_where_arrows_crowd_they_are_thin():
    few, many = (mlp(layers=(width, 1))[0] for width in (3, 16))
    more, _ = mlp(x=[0.5] * 12, layers=(17, 1))
    widths = [
        re.search(r'<g fill="none" stroke="#475569" stroke-width="([.\d]+)">', svg)[1]
        for svg in (draw(y, level="neurons", engine="built-in").svg() for y in (few, many, more))
    ]
    assert widths == ["1.2", "1.2", "0.6"]  # of 9, of 48, and of 221 arrows


def test_too_many_scalars_are_refused_with_their_cost_and_the_ways_out():
    loss = moons_loss(10)
    number = len(topological_order(loss))
    with pytest.raises(
        ValueError, match=rf"{number} boxes in one picture take about .* s and .* MB"
    ) as refusal:
        draw(loss, level="scalars", limit=100)
    ways = ('level="layers"', "open=", 'level="program"', f"limit={number}")
    assert all(way in str(refusal.value) for way in ways)
    assert repr(draw(loss, level="scalars", limit=number)).startswith(f"Drawing: {number} nodes")


def test_a_graph_too_large_for_scalars_is_drawn_as_layers_where_it_has_names():
    loss = moons_loss(10)
    assert repr(draw(loss, limit=100)).startswith("Drawing: layers of ")
    for p in (node for node in topological_order(loss) if not node.op):
        p.label = ""
    with pytest.raises(ValueError, match=r"told from the labels of parameters.*p\.label = name"):
        draw(loss, limit=100)


def test_an_opened_module_counts_against_the_limit_too():
    loss = moons_loss(10)
    with pytest.raises(ValueError, match="boxes in one picture"):
        draw(loss, level="layers", open=["l1.n0"], limit=50)


def test_options_of_the_zoom_are_checked():
    y, _ = mlp()
    with pytest.raises(ValueError, match="expected level scalars, neurons, layers or program, got 'modules'"):
        draw(y, level="modules")
    with pytest.raises(TypeError, match="expected open as a list of module names"):
        draw(y, open="l0")
    for wrong in ([1], 3, None, iter(["l0"])):
        with pytest.raises(TypeError, match="expected close as a list of module names"):
            draw(y, close=wrong)
        with pytest.raises(TypeError, match="expected open as a list of module names"):
            draw(y, open=wrong)
    with pytest.raises(ValueError, match='at level "scalars" all of them are open'):
        draw(y, level="scalars", open=["nonsense"])
    assert repr(draw(y, limit=np.int64(22))).startswith("Drawing: 22 nodes")
    with pytest.raises(ValueError, match="expected limit as an int of at least 1, got 0"):
        draw(y, limit=0)
    with pytest.raises(ValueError, match="highlight shows paths of scalars, not of layers"):
        draw(y, level="layers", highlight=y)
