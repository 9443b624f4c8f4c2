"""The text of a lifted program: it gives the program's numbers, and reads as one would have written it."""

import ast
import itertools
import math
import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from programs import record, smooth_programs, wild_programs
from test_lifting import (
    LARGEST,
    agree_roughly,
    every_way,
    in_blocks,
    largest_number,
    layer_in_micrograds_style,
    numbers,
    one_by_one,
    structured_losses,
)

import autograd
from autograd import Value, dot, logsumexp, softmax
from autograd.graph import topological_order
from autograd.lifting.source.expressions import named
from autograd.lifting.source.rules import partial, section_partials, value
from autograd.lifting.source.views import view
from autograd.namespaces import ARRAY
from autograd.primitives import PRIMITIVES
from nn import MLP


def executed(program, batch=None):
    """The value and gradient by the program's text, and by the program."""
    module, theta = {}, [leaf.data for leaf in program.parameters]
    exec(program.source, module)
    return module["value_and_gradient"](theta, batch, program.constants), program.value_and_gradient(
        theta, batch
    )


def check(program, batch=None, scale=1.0):
    """The text's numbers are the program's, within 1e-12 of their magnitude; gives the text."""
    (value, gradient), (expected_value, expected) = executed(program, batch)
    scale = max(scale, float(np.abs(expected).max(initial=0.0)))
    assert value == pytest.approx(expected_value, rel=1e-12, abs=1e-12 * scale)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-12 * scale)
    return program.source


def lines(text):
    """The statements, without comments and spaces around them."""
    return [line.split("#")[0].strip() for line in text.splitlines()]


def assert_says(text, *statements):
    missing = set(statements) - set(lines(text))
    assert not missing, f"{missing} not in\n{text}"


# ---- random programs over the whole table, and random structure


@every_way
@given(program=smooth_programs(most=12))
def test_the_text_gives_the_programs_numbers(lift, program):
    root = record(program)[-1]
    check(lift(root), scale=largest_number(root) ** 2)


@every_way
@given(program=wild_programs(most=8))
def test_special_numbers_come_out_as_the_program_has_them(lift, program):
    nodes = record(program)
    assume(not any(LARGEST < abs(getattr(node, "data", node)) < math.inf for node in nodes))
    (value, gradient), (expected, expected_gradient) = executed(lift(nodes[-1]))
    assert agree_roughly(value, expected)
    assert all(map(agree_roughly, gradient.tolist(), expected_gradient.tolist()))


@every_way
@given(program=smooth_programs(most=8), data=st.data(), reduce=st.sampled_from(["mean", "sum"]))
def test_the_text_runs_batches(lift, program, data, reduce):
    nodes = [node for node in record(program) if isinstance(node, Value)]
    leaves = [node for node in nodes if not node.parents]
    inputs = [leaf for leaf in leaves if data.draw(st.booleans())] or leaves[:1]
    outputs = data.draw(st.lists(st.sampled_from(nodes), min_size=1, max_size=3))
    lifted = lift(outputs, inputs=inputs, reduce=reduce)
    batch = np.array([[leaf.data * share for share in (1.0, 0.75, 1.25)] for leaf in inputs])
    found = lifted.outputs([leaf.data for leaf in lifted.parameters], batch)
    scale = largest_number(autograd.sum(outputs))
    assume(np.isfinite(found).all() and np.abs(found).max() < 1e6 and scale < 1e6)
    check(lifted, batch, scale**2)


@every_way
@given(root=structured_losses(), data=st.data(), reduce=st.sampled_from(["mean", "sum"]))
def test_structured_losses_and_batches_of_any_of_their_leaves(lift, root, data, reduce):
    assume(isinstance(root, Value))
    leaves = [node for node in topological_order(root) if not node.parents and not node.is_constant]
    share = data.draw(st.sampled_from([0.0, 0.1, 0.5, 0.9]))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    inputs = [leaf for leaf in leaves if rng.random() < share]
    batch = np.array([[leaf.data * share for share in (1.0, 0.75, 1.25)] for leaf in inputs])
    check(lift(root, inputs=inputs, reduce=reduce), batch if inputs else None, largest_number(root) ** 2)


@every_way
def test_zeros_of_either_sign_are_two_numbers_in_the_text(lift):
    leaves = [Value(0.0) for _ in range(40)]
    check(lift([autograd.atan2(leaf, (0.0, -0.0)[i % 2]) for i, leaf in enumerate(leaves)]))
    check(lift([autograd.atan2(leaf.sin() if i % 2 else leaf, (0.0, -0.0)[i % 2])
                for i, leaf in enumerate(leaves)]))  # fmt: skip


@every_way
def test_a_product_of_one_factor_runs_batches(lift):
    w, x = Value(0.5), Value(2.0)
    check(lift((autograd.prod([x * w]) * w).tanh(), inputs=[x]), [[1.0, -2.0, 3.0]])


@every_way
def test_an_output_that_does_not_vary_counts_once_a_sample_and_then_gets_fractions(lift):
    weights, bias, x = numbers(2, np.random.default_rng(7)), Value(0.5), Value(2.0)
    columns = [numbers(2, np.random.default_rng(seed)) for seed in range(3)]
    layer = [(dot(weights, column) + bias).tanh() for column in columns]
    check(lift([*layer, bias], inputs=[x], reduce="sum"), [[1.0, -2.0]])


@pytest.mark.parametrize("lift", [autograd.lift, in_blocks], ids=["lift", "in_blocks"])
def test_a_graph_without_structure(lift):
    """Hundreds of operations of all levels on anything: what they pick from lies in one vector."""
    rng = np.random.default_rng(0)
    nodes = numbers(20, rng)
    for _ in range(600):
        a, b, c = (nodes[int(i)] for i in rng.integers(len(nodes), size=3))
        nodes.append([a + b, a * b - c, a.tanh(), (a * b).sin(), logsumexp([a, b, c])][int(rng.integers(5))])
    text = check(lift(autograd.sum(nodes[-100:])), scale=100.0)
    assert "v = np.empty(" in text


def test_a_gradient_that_passes_through_a_sum_is_not_added_to_in_two_places():
    rng = np.random.default_rng(8)
    a, b = [x.tanh() for x in numbers(5, rng)], [x.sin() for x in numbers(5, rng)]
    both = [x + y for x, y in zip(a, b, strict=True)]
    apart = [x.exp() for x in a + b]  # first in the order of the graph, and so met last going backwards
    root = autograd.sum(apart + [z.tanh() for z in both])
    assert ".copy()" in check(in_blocks(root))


def test_a_gradient_that_arrives_transposed_can_be_added_to_in_another_shape():
    rng = np.random.default_rng(9)
    W, x, last = [numbers(3, rng) for _ in range(6)], [numbers(3, rng) for _ in range(4)], numbers(4, rng)
    h = [[dot(row, column).tanh() for column in x] for row in W]
    late = [p.exp().tanh().sin() for p in last]  # so that going backwards the product with h comes first
    mixed = [dot(late, row).tanh() for row in h]
    some = [z.exp() for k in (0, 1, 3, 4) for z in h[k]]
    text = check(in_blocks(autograd.sum([*mixed, *some])))
    assert_says(text, "da1 = np.zeros((6, 4))", "da1.reshape(2, 12)[:, :8] += dexp_2 * exp_2")
    assert re.search(r"da1 \+= .*\.T\n", text)


def test_what_arrives_in_holes_goes_nowhere():
    """Causal attention without a softmax: the products that read the scores reach their holes."""
    rng = np.random.default_rng(10)
    q, k, v = ([[z.tanh() for z in numbers(2, rng)] for _ in range(5)] for _ in range(3))
    outputs = []
    for t in range(5):
        scores = [dot(q[t], k[s]) for s in range(t + 1)]
        outputs += [dot(scores, column) for column in zip(*v[: t + 1], strict=True)]
    text = check(in_blocks(autograd.sum([z.tanh() for z in outputs])))
    assert "np.tri(5, 5, dtype=bool)" in text


def test_constants_alone_follow_ieee():
    zero, x = Value(0.0).detach(), Value(3.0)
    (value, gradient), _ = executed(in_blocks(x + 1.0 / (zero * 2.0)))
    assert (value, gradient.tolist()) == (math.inf, [1.0])


# ---- what it says


def moons(samples):
    """The classic: micrograd's demo, 2-16-16-1, hinge loss and a penalty of the squares; and its program."""
    rng = np.random.default_rng(0)
    weights = [
        ([numbers(n, rng) for _ in range(m)], numbers(m, rng)) for n, m in itertools.pairwise([2, 16, 16, 1])
    ]
    losses = []
    for sign in rng.choice([-1.0, 1.0], samples).tolist():
        a = numbers(2, rng)
        for k, (W, b) in enumerate(weights):
            a = layer_in_micrograds_style(W, b, a)
            a = [z.relu() for z in a] if k < 2 else a
        losses.append((1 - sign * a[0]).relu())
    squares = sum(p * p for W, b in weights for row, bi in zip(W, b, strict=True) for p in [*row, bi])
    return autograd.lift(sum(losses) / samples + 1e-4 * squares)


def test_moons_reads_as_the_vectorised_network():
    text = check(moons(100))
    assert_says(
        text,
        "W1 = theta[0:48].reshape(16, 3)[:, :2]",  # by hand: 16 rows of 2 weights and a bias
        "b1 = theta[2:48:3].reshape(16, 1)",
        "z1 = W1 @ x + b1",
        "a1 = np.maximum(z1, 0.0)",
        "z2 = W2 @ a1 + b2",
        "a2 = np.maximum(z2, 0.0)",
        "z3 = W3 @ a2 + b3",
        "da2 = W3.T @ dz3",
        "dz2 = da2 * np.sign(a2)",
        "dW2 = dz2 @ a1.T",
        "db2 = dz2.sum(axis=1, keepdims=True)",
        "da1 = W2.T @ dz2",
        "dW2 += 2.0 * ds1 * W2",
        "gradient[0:48].reshape(16, 3)[:, :2] = dW1",
    )
    assert "# backwards; a relu's derivative is the sign of its value: 1, 0 or nan" in text
    assert "a2 = np.maximum(z2, 0.0)                                # (16, 100)" in text
    assert not re.search(r"np\.(add\.at|take|concatenate)|index", text)


def test_names_come_from_labels_and_samples_are_columns():
    model = MLP(3, [5, 4, 1], activation="tanh", rng=np.random.default_rng(1))
    x = [Value(0.1 * i, f"pixel{i}") for i in range(3)]
    text = check(
        autograd.lift((model(x) - 1.0) ** 2, inputs=x), np.random.default_rng(2).standard_normal((3, 6))
    )
    assert_says(
        text,
        "pixel = batch",
        "z0 = W0 @ pixel + b0",
        "a0 = np.tanh(z0)",
        "z2 = W2 @ a1 + b2 - 1.0",
        "da1 = W2.T @ dz2",
        "dz1 = da1 * (1 - a1 * a1)",
        "dW0 = dz0 @ pixel.T",
    )


def test_matrices_of_different_names_are_products_of_their_own():
    """Queries, keys and values are one product of the program's."""
    rng = np.random.default_rng(3)
    heads, size, positions = 2, 3, 4
    width = heads * size
    weights = {
        name: [[Value(x, f"{name}{i}.{j}") for j, x in enumerate(row)] for i, row in enumerate(m.tolist())]
        for name, m in zip(("query", "key", "value"), rng.standard_normal((3, width, width)), strict=True)
    }
    rows = [[x.tanh() for x in numbers(width, rng)] for _ in range(positions)]
    q, k, v = ([[dot(w, row) for w in weights[name]] for row in rows] for name in weights)
    outputs = []
    for t, h in itertools.product(range(positions), range(heads)):
        part = slice(h * size, (h + 1) * size)
        fits = softmax([dot(q[t][part], k[s][part]) / 2.0 for s in range(t + 1)])
        outputs += [dot(fits, column) for column in zip(*[v[s][part] for s in range(t + 1)], strict=True)]
    text = check(autograd.lift(autograd.sum([z.tanh() for z in outputs])))
    names = [
        line.split(" = ")[0] for line in lines(text) if re.match(r"z_\w+ = (query|key|value_\d) @", line)
    ]
    assert sorted(names) == ["z_key", "z_query", "z_value_1"]  # `value` is what the function returns
    assert "mask1 = np.tri(4, 4, dtype=bool)" in text
    assert "np.add.at" not in text


def test_one_operation_of_two_arrays_is_a_line_for_each():
    """The program computes all eight tanh in one call: they are of one level."""
    rng = np.random.default_rng(11)
    W, x, p = [numbers(3, rng) for _ in range(4)], numbers(3, rng), numbers(4, rng)
    hidden, other = [dot(row, x).tanh() for row in W], [z.exp().tanh() for z in p]
    program = in_blocks(autograd.sum([*hidden, *other]))
    assert len(re.findall(r"^tanh +8 ", str(program), re.MULTILINE)) == 1
    assert_says(check(program), "a1 = np.tanh(z1)", "tanh_1 = np.tanh(exp_1)")


def test_rows_are_picked_by_their_numbers():
    """Tokens and positions, as a language model embeds them."""
    token = [[Value(0.1 * i + j, f"token{i}.{j}") for j in range(3)] for i in range(5)]
    position = [[Value(0.2 * t - j, f"position{t}.{j}") for j in range(3)] for t in range(4)]
    pairs = [
        (x, p) for i, t in zip((4, 0, 0, 2), position, strict=True) for x, p in zip(token[i], t, strict=True)
    ]
    text = check(in_blocks(autograd.sum([(x + p).tanh() for x, p in pairs])))
    assert_says(  # the tokens 0, 2 and 4 are all there are: the third of them, the first twice, the second
        text,
        "s1 = token[[2, 0, 0, 1]] + position",
        "np.add.at(dtoken, [2, 0, 0, 1], ds1)",
    )


def test_scalars_one_by_one_are_a_line_each():
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(0.5, "c")
    text = check(one_by_one((a * b + c).tanh() * a))
    assert_says(
        text,
        "a = theta[0]",
        "v[0] = a * b + c",
        "v[1] = np.tanh(v[0])",
        "v[2] = a * v[1]",
        "dv[1] += dv[2] * a",
        "dv[0] += dv[1] * (1 - v[1] * v[1])",
        "dc = dv[0]",
    )


def test_what_numpy_has_not_is_called_from_the_namespace_or_by_name():
    cubed = autograd.primitive("cubed", lambda m, x: x * x * x, [lambda m, y, x: 3 * x * x])
    try:
        text = check(autograd.lift(cubed(Value(2.0, "x").sigmoid())))
    finally:
        del PRIMITIVES["cubed"]
    assert "from autograd.namespaces import ARRAY" in text
    assert "PRIMITIVES['cubed'].partials[0](ARRAY, value, sigmoid_1)" in text


def test_float32_stays_float32():
    model = MLP(4, [8, 3], activation="tanh", rng=np.random.default_rng(4))
    x = [Value(0.5 * i) for i in range(4)]
    program = autograd.lift(logsumexp(model(x)[:2]) + model(x)[2], inputs=x, dtype=np.float32)
    (value, gradient), (expected_value, expected) = executed(program, np.ones((4, 3)))
    assert gradient.dtype == np.float32
    assert value == pytest.approx(expected_value, rel=1e-5)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


# ---- labels are anybody's


HOSTILE = [
    "np", "theta", "gradient", "lambda", "print", "__import__", "dW", "W", "constants", "N", "value", "v",
    "x'); import os; os.remove('y') #", '"""', "a\nb", "\\", "Ω1", "🙂", "{x}", "{}", "%s", "1", "_",
    "x" * 2_000_000,
]  # fmt: skip


def assert_harmless(text):
    """It is Python, calls nothing but NumPy and ours, and every name is short and plain."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            assert re.fullmatch(r"d?[A-Za-z_][A-Za-z0-9_]{0,30}", node.id), node.id
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            assert ast.unparse(node) in (
                "import numpy as np",
                "from autograd.namespaces import ARRAY",
                "from autograd.primitives import PRIMITIVES",
            )
    assert len(text) < 100_000


@pytest.mark.parametrize("label", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("lift", [in_blocks, one_by_one], ids=["in_blocks", "one_by_one"])
def test_no_label_can_say_anything(label, lift):
    rng = np.random.default_rng(5)
    W = [[Value(x, f"{label}{i}.{j}") for j, x in enumerate(rng.standard_normal(3))] for i in range(2)]
    b = [Value(0.5, label), Value(0.25, label)]
    rows = [[z.tanh() for z in layer_in_micrograds_style(W, b, numbers(3, rng))] for _ in range(2)]
    rows[0][0].label = label
    root = autograd.sum([z for row in rows for z in row])
    root.label = label
    text = check(lift(root))
    assert_harmless(text)
    if not label.isidentifier() and len(label) > 1 and label != '"""':
        assert label not in text


def test_a_name_is_not_taken_for_another_ones_gradient():
    a, b = Value(2.0, "dx"), Value(-0.75, "x")
    assert_says(check(in_blocks((a * b).tanh() * a + b * a.exp())), "dx = theta[0]", "x_1 = theta[1]")


@settings(max_examples=100)
@given(labels=st.lists(st.text(max_size=12), min_size=4, max_size=4))
def test_random_labels_are_harmless(labels):
    a, b, c, d = (Value(0.5, label) for label in labels)
    assert_harmless(check(in_blocks((a * b + c).tanh() * d.exp())))


# ---- its parts


DRAWN = [row for row in PRIMITIVES.values() if row.arity is not None]


@pytest.mark.parametrize("row", DRAWN, ids=lambda row: row.name)
def test_the_text_of_a_rule_is_the_rule(row):
    rng = np.random.default_rng(6)
    intervals = [(max(low, -3.0), min(high, 3.0)) for low, high in row.domain]
    intervals = [(low, high) if low < high else row.domain[i] for i, (low, high) in enumerate(intervals)]
    numbers = {f"x{i}": rng.uniform(low, high, 5) for i, (low, high) in enumerate(intervals)}
    scope = {"np": np, "ARRAY": ARRAY, **numbers}
    operands = [named(name, (5,)) for name in numbers]
    expected = row.value(ARRAY, *numbers.values())
    np.testing.assert_allclose(eval(str(value(row, operands)), scope), expected, rtol=1e-15)
    scope["y"] = expected
    for i, rule in enumerate(row.partials):
        text = str(partial(row, i, named("y", (5,)), operands))
        np.testing.assert_allclose(eval(text, scope), rule(ARRAY, expected, *numbers.values()), rtol=1e-15)


@pytest.mark.parametrize("name", ["prod", "norm", "logsumexp", "softmax_cross_entropy"])
@pytest.mark.parametrize("count", [1, 3, 20])
def test_the_text_of_a_rule_of_many_operands_is_the_rule(name, count):
    row, rng = PRIMITIVES[name], np.random.default_rng(7)
    sections = 2 if name == "softmax_cross_entropy" else 1
    arrays = rng.uniform(0.1, 1.0, (sections, count, 4))
    xs = arrays.reshape(-1, 4)
    scope = {"np": np, "ARRAY": ARRAY, "PRIMITIVES": PRIMITIVES, "x": arrays[0], "t": arrays[-1]}
    operands = [named("x", (count, 4)), named("t", (count, 4))][:sections]
    scope["y"] = expected = row.value(ARRAY, xs)
    np.testing.assert_allclose(eval(str(value(row, operands)), scope), expected, rtol=1e-14)
    texts = section_partials(row, named("y", (4,)), operands)
    got = np.concatenate([eval(str(text), scope) for text in texts])
    wanted = np.stack(list(np.broadcast_arrays(*row.partials[0](ARRAY, expected, xs), expected))[:-1])
    np.testing.assert_allclose(np.broadcast_to(got.T, wanted.T.shape).T, wanted, rtol=1e-13)


@st.composite
def shapes_and_places(draw):
    """An array's shape, and some of its places as slicing, transposing and reshaping it gives them."""
    dims = tuple(draw(st.lists(st.integers(1, 5), min_size=0, max_size=3)))
    places = np.arange(math.prod(dims)).reshape(dims)
    for _ in range(draw(st.integers(0, 4))):
        step = draw(st.sampled_from(["transpose", "slice", "reshape", "entry", "new axis"]))
        if step == "new axis":
            places = np.expand_dims(places, draw(st.integers(0, places.ndim)))
        elif step == "reshape":
            rows = draw(st.sampled_from([n for n in range(1, places.size + 1) if places.size % n == 0]))
            places = places.reshape(rows, -1)
        elif places.ndim and step == "transpose":
            places = places.transpose(draw(st.permutations(range(places.ndim))))
        elif places.ndim:
            axis = draw(st.integers(0, places.ndim - 1))
            begin = draw(st.integers(0, places.shape[axis] - 1))
            end = draw(st.integers(begin + 1, places.shape[axis])) if step == "slice" else begin + 1
            places = places.take(range(begin, end, draw(st.integers(1, 2))), axis)
    return dims, places


@settings(max_examples=300)
@given(case=shapes_and_places(), samples=st.sampled_from([(), ("N",)]))
def test_a_view_reads_its_places_and_brings_them_back(case, samples):
    dims, places = case
    found = view(dims, places)
    assume(found is not None)

    def with_samples(array):
        return np.stack([array] * 3, axis=-1) if samples else array

    whole = with_samples(np.arange(math.prod(dims)).reshape(dims))
    text = found.read(named("a", (*dims, *samples)))
    got = eval(str(text), {"a": whole, "N": 3})
    assert got.shape == tuple(3 if n == "N" else n for n in text.shape)
    wanted = with_samples(places)
    np.testing.assert_array_equal(np.broadcast_to(got, wanted.shape), wanted)

    axes = places.squeeze()
    scope = {"a": np.full_like(whole, -1), "d": with_samples(axes), "N": 3, "np": np}
    target = found.target(named("a", (*dims, *samples)))
    exec(f"{target} = {found.brought_back(named('d', (*axes.shape, *samples)), samples)}", scope)
    reached = with_samples(np.isin(np.arange(math.prod(dims)).reshape(dims), places))
    np.testing.assert_array_equal(scope["a"], np.where(reached, whole, -1))
